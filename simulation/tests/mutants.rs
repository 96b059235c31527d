//! The simulation's own test: each deliberate protocol fault is found. Built with the feature `mutants` only.

#![cfg(feature = "mutants")]

use photovault_simulation::{Options, Outcome, run, shrink};
use photovault_vault::{Mutant, mutate};

/// Seeds within which a mutant must be found.
const SEEDS: u64 = 10_000;

#[test]
fn every_mutant_is_found() {
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let search = |first: usize| move || Mutant::ALL.iter().skip(first).step_by(threads).map(|it| (*it, find(*it))).collect();
    let found: Vec<(Mutant, Option<u64>)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|first| scope.spawn(search(first))).collect();
        let all = threads.into_iter().map(|thread| thread.join().expect("a search does not panic"));
        all.flat_map(|found: Vec<(Mutant, Option<u64>)>| found).collect()
    });
    assert_eq!(found.len(), Mutant::ALL.len());
    assert!(Mutant::ALL.len() >= 30);
    let missed: Vec<Mutant> = found.into_iter().filter(|(_, first)| first.is_none()).map(|(mutant, _)| mutant).collect();
    assert_eq!(missed, [], "not found within {SEEDS} seeds");
}

#[test]
fn without_a_mutant_nothing_is_found() {
    for seed in 0..300 {
        assert_eq!(run(seed, &Options::default()).violation, None, "seed {seed}");
    }
}

#[test]
fn failing_histories_are_made_short() {
    mutate(Some(Mutant::StreamGoesOn));
    let failing =
        (0..SEEDS).map(|seed| (seed, run(seed, &Options::default()))).filter(|(_, outcome)| outcome.violation.is_some());
    let failing: Vec<(u64, Outcome)> = failing.take(5).collect();
    let short: Vec<Outcome> = failing.iter().map(|(seed, whole)| shrink(*seed, whole).outcome).collect();
    mutate(None);
    let promise = |outcome: &Outcome| outcome.violation.as_ref().map(|it| it.promise);
    for ((_, whole), short) in failing.iter().zip(&short) {
        assert_eq!(promise(short), promise(whole));
        assert!(short.faults < whole.faults && !short.story.is_empty());
    }
    // What a history needs to fail is up to its seed: some need as many faults as a message has attempts.
    let mut left: Vec<u32> = short.iter().map(|short| short.faults).collect();
    left.sort_unstable();
    assert!(left.len() == 5 && left[2] <= 6, "so many of 20 faults and more are left: {left:?}");
}

/// The first seed that finds it.
fn find(mutant: Mutant) -> Option<u64> {
    mutate(Some(mutant));
    let found = (0..SEEDS).find_map(|seed| run(seed, &Options::default()).violation.map(|it| (seed, it)));
    mutate(None);
    match &found {
        Some((seed, it)) => println!("{mutant:?} is found by seed {seed}: {}: {}", it.promise, it.what),
        None => println!("{mutant:?} is not found: {}", mutant.what()),
    }
    found.map(|(seed, _)| seed)
}
