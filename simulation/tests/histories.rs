//! Histories: that they hold, that they repeat, and that enough happens in them.

use photovault_simulation::{Options, run};

/// Seeds that every run of the tests looks at; the gate looks at many more.
const SEEDS: u64 = 500;

#[test]
fn every_promise_holds() {
    for seed in 0..SEEDS {
        let outcome = run(seed, &Options::default());
        assert_eq!(outcome.violation, None, "seed {seed}");
    }
}

#[test]
fn a_seed_is_one_history_to_the_letter() {
    for seed in [0, 7, 4_711] {
        let options = Options { story: true, ..Options::default() };
        let (first, second) = (run(seed, &options), run(seed, &options));
        assert!(first.story.len() > 100, "{} lines are no history", first.story.len());
        assert_eq!(first.story, second.story, "seed {seed}");
        assert_eq!(run(seed, &Options::default()).steps, first.steps, "whether somebody reads it makes no difference");
    }
}

#[test]
fn enough_goes_wrong_in_each() {
    let faults: Vec<u32> = (0..SEEDS).map(|seed| run(seed, &Options::default()).faults).collect();
    let few = faults.iter().filter(|faults| **faults < 20).count();
    assert_eq!(few, 0, "{few} of {SEEDS} histories have fewer than 20 faults");
}

#[test]
fn faults_that_are_left_out_do_not_happen() {
    let all = run(3, &Options::default());
    let none = run(3, &Options { suppressed: (0..100_000).collect(), ..Options::default() });
    assert!(all.faults >= 20);
    assert_eq!((none.faults, none.violation), (0, None));
}
