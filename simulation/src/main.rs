//! `photovault-simulation`: histories by the thousand, or one of them to read.

use std::{
    io::{IsTerminal as _, Write as _},
    process::ExitCode,
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

use clap::Parser;
use photovault_simulation::{Options, Outcome, PROMISES, Short, run, shrink};

/// Drives the vault's functions through histories of faults and holds its promises against each.
#[derive(Parser)]
#[command(version, after_help = after_help())]
struct Arguments {
    /// How many histories, with the seeds from --from on.
    #[arg(long, default_value_t = 10_000, conflicts_with = "seed")]
    histories: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0, conflicts_with = "seed")]
    from: u64,
    /// One history, to be read: what happened in it, step by step.
    #[arg(long)]
    seed: Option<u64>,
    /// With --seed: leave out every fault and upload that the broken promise does not need.
    #[arg(long, requires = "seed")]
    shrink: bool,
    /// Threads.
    #[arg(long, default_value_t = std::thread::available_parallelism().map_or(2, usize::from))]
    threads: usize,
    /// Say the result as JSON.
    #[arg(long)]
    json: bool,
}

fn after_help() -> String {
    let promises: Vec<String> = PROMISES.iter().map(|(name, what)| format!("  {name:<10} {what}")).collect();
    format!("The promises:\n{}\n\nThe same seed is the same history, to the letter.", promises.join("\n"))
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match arguments.seed {
        Some(seed) => one(seed, &arguments),
        None => many(&arguments),
    }
}

fn one(seed: u64, arguments: &Arguments) -> ExitCode {
    let mut outcome = run(seed, &Options { story: true, ..Options::default() });
    if arguments.shrink && outcome.violation.is_some() {
        let Short { outcome: short, tries, .. } = shrink(seed, &outcome);
        eprintln!("{} of {} faults are left after {tries} tries", short.faults, outcome.faults);
        outcome = short;
    }
    if arguments.json {
        println!("{}", as_json(seed, &outcome));
    } else {
        outcome.story.iter().for_each(|line| println!("{line}"));
        println!("seed {seed}: {} uploads, {} faults, {} steps", outcome.uploads, outcome.faults, outcome.steps);
        match &outcome.violation {
            Some(violation) => println!("broken: {}: {}", violation.promise, violation.what),
            None => println!("every promise held"),
        }
    }
    ExitCode::from(u8::from(outcome.violation.is_some()))
}

fn as_json(seed: u64, outcome: &Outcome) -> serde_json::Value {
    let violation = outcome.violation.as_ref().map(|it| serde_json::json!({"promise": it.promise, "what": it.what}));
    serde_json::json!({"seed": seed, "uploads": outcome.uploads, "faults": outcome.faults, "steps": outcome.steps,
        "violation": violation, "story": outcome.story})
}

/// What many histories came to.
#[derive(Default)]
struct Sum {
    histories: u64,
    faults: u64,
    fewest_faults: Option<u32>,
    steps: u64,
    uploads: u64,
    broken: Vec<(u64, Outcome)>,
}

fn many(arguments: &Arguments) -> ExitCode {
    let (begun, done) = (AtomicU64::new(0), AtomicU64::new(0));
    let started = Instant::now();
    let work = || {
        let mut sum = Sum::default();
        loop {
            let number = begun.fetch_add(1, Ordering::Relaxed);
            if number >= arguments.histories {
                return sum;
            }
            let seed = arguments.from + number;
            let outcome = run(seed, &Options::default());
            sum.histories += 1;
            sum.faults += u64::from(outcome.faults);
            sum.fewest_faults = Some(sum.fewest_faults.map_or(outcome.faults, |fewest| fewest.min(outcome.faults)));
            sum.steps += u64::from(outcome.steps);
            sum.uploads += outcome.uploads as u64;
            if outcome.violation.is_some() {
                sum.broken.push((seed, outcome));
            }
            done.fetch_add(1, Ordering::Relaxed);
        }
    };
    let sums: Vec<Sum> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..arguments.threads.max(1)).map(|_| scope.spawn(work)).collect();
        let shows = std::io::stderr().is_terminal() && !arguments.json;
        while shows && !threads.iter().all(std::thread::ScopedJoinHandle::is_finished) {
            std::thread::sleep(std::time::Duration::from_millis(500));
            eprint!("\r{} of {} histories", done.load(Ordering::Relaxed), arguments.histories);
            let _ = std::io::stderr().flush();
        }
        if shows {
            eprintln!();
        }
        threads.into_iter().map(|thread| thread.join().expect("a history does not panic")).collect()
    });
    report(&sums, started.elapsed().as_secs_f64(), arguments)
}

fn report(sums: &[Sum], seconds: f64, arguments: &Arguments) -> ExitCode {
    let histories: u64 = sums.iter().map(|sum| sum.histories).sum();
    let each = |of: fn(&Sum) -> u64| sums.iter().map(of).sum::<u64>() as f64 / (histories.max(1) as f64);
    let fewest = sums.iter().filter_map(|sum| sum.fewest_faults).min().unwrap_or(0);
    let mut broken: Vec<&(u64, Outcome)> = sums.iter().flat_map(|sum| &sum.broken).collect();
    broken.sort_by_key(|(seed, _)| *seed);
    if arguments.json {
        let broken: Vec<_> = broken.iter().map(|(seed, outcome)| as_json(*seed, outcome)).collect();
        println!(
            "{}",
            serde_json::json!({"histories": histories, "seconds": seconds, "faults_each": each(|sum| sum.faults),
                "fewest_faults": fewest, "steps_each": each(|sum| sum.steps), "uploads_each": each(|sum| sum.uploads),
                "broken": broken})
        );
        return ExitCode::from(u8::from(!broken.is_empty()));
    }
    println!(
        "{histories} histories in {seconds:.1} s ({:.0} a second): each {:.1} uploads, {:.1} faults (at least {fewest}), {:.0} steps",
        histories as f64 / seconds.max(0.001),
        each(|sum| sum.uploads),
        each(|sum| sum.faults),
        each(|sum| sum.steps)
    );
    for (seed, outcome) in broken.iter().take(10) {
        let violation = outcome.violation.as_ref().expect("it is broken");
        println!("seed {seed} breaks {}: {}", violation.promise, violation.what);
    }
    match broken.first() {
        None => println!("every promise held"),
        Some((seed, _)) => println!(
            "{} histories broke a promise; to read the first: cargo run --release -p photovault-simulation -- --seed {seed} --shrink",
            broken.len()
        ),
    }
    ExitCode::from(u8::from(!broken.is_empty()))
}
