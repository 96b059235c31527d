//! The long form over a corpus: `fuzz FOLDER [COUNT [SEED]]`.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Context as _;
use photovault_fuzz::corpus;

fn main() -> anyhow::Result<ExitCode> {
    if photovault_sandbox::is_decoder() {
        return Ok(photovault_sandbox::serve().map(|()| ExitCode::SUCCESS)?);
    }
    let words: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, default: u64| words.get(at).map_or(Ok(default), |text| text.parse()).context("not a number");
    let folder = PathBuf::from(words.first().context("which folder? fuzz FOLDER [COUNT [SEED]]")?);
    let hostile = corpus::unhurt(&corpus::hostile_files(&folder)?)?;
    print!("as they are: {hostile}");
    let hurt = corpus::hurt(&corpus::small_files(&folder)?, number(2, 0)?, number(1, 20_000)?)?;
    print!("hurt:        {hurt}");
    Ok(if hostile.is_sound() && hurt.is_sound() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
