//! The long forms: `fuzz targets [SECONDS [SEED]]` and `fuzz corpus FOLDER [COUNT [SEED]]`.

use std::{
    path::PathBuf,
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use photovault_fuzz::{
    corpus,
    targets::{TARGETS, once},
};

fn main() -> anyhow::Result<ExitCode> {
    if photovault_sandbox::is_decoder() {
        return Ok(photovault_sandbox::serve().map(|()| ExitCode::SUCCESS)?);
    }
    let words: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, default: u64| words.get(at).map_or(Ok(default), |text| text.parse()).context("not a number");
    let sound = match words.first().map(String::as_str) {
        Some("targets") => targets(Duration::from_secs(number(1, 600)?), number(2, 0)?)?,
        Some("corpus") => {
            let folder = PathBuf::from(words.get(1).context("which folder?")?);
            mutations(&folder, number(2, 20_000)?, number(3, 0)?)?
        }
        _ => bail!("fuzz targets [SECONDS [SEED]], or fuzz corpus FOLDER [COUNT [SEED]]"),
    };
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Every target in turn, until the time is over. The first input that breaks one is written down.
fn targets(time: Duration, seed: u64) -> anyhow::Result<bool> {
    let mut sound = true;
    for target in TARGETS {
        let (begun, seeds, mut inputs) = (Instant::now(), (target.seeds)(), 0);
        let share = time / u32::try_from(TARGETS.len())?;
        while begun.elapsed() < share {
            if let Err(broken) = once(target, &seeds, seed + inputs) {
                let file = format!("broken-{}-{}", broken.target, broken.seed);
                std::fs::write(&file, &broken.input)?;
                println!("{}: seed {}: {} (the input is in {file})", broken.target, broken.seed, broken.what);
                sound = false;
                break;
            }
            inputs += 1;
        }
        println!("{:<12} {inputs:>10} inputs", target.name);
    }
    Ok(sound)
}

fn mutations(folder: &std::path::Path, count: u64, seed: u64) -> anyhow::Result<bool> {
    let hostile = corpus::unhurt(&corpus::hostile_files(folder)?)?;
    print!("as they are: {hostile}");
    let hurt = corpus::hurt(&corpus::small_files(folder)?, seed, count)?;
    print!("hurt:        {hurt}");
    Ok(hostile.is_sound() && hurt.is_sound())
}
