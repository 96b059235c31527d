//! Makes a failing history short: leaves out faults and uploads, ever smaller parts of them, as long as the same promise
//! breaks (delta debugging, Zeller and Hildebrandt, 2002).

use std::collections::BTreeSet;

use crate::{Options, Outcome, run};

/// Histories that are tried at most.
const MAX_TRIES: u32 = 2_000;
/// Uploads that are tried to be left out: those that every history begins with.
const UPLOADS: usize = 5;

/// A failing history, made short.
#[derive(Clone, Debug)]
pub struct Short {
    /// How to run it.
    pub options: Options,
    /// What comes of it.
    pub outcome: Outcome,
    /// Histories that were tried on the way.
    pub tries: u32,
}

/// Makes the history of `seed` short; it breaks a promise.
pub fn shrink(seed: u64, outcome: &Outcome) -> Short {
    let promise = outcome.violation.as_ref().map(|violation| violation.promise);
    let mut short = Short { options: Options::default(), outcome: outcome.clone(), tries: 0 };
    let attempt = |short: &mut Short, options: Options| {
        short.tries += 1;
        let tried = run(seed, &options);
        let same = tried.violation.as_ref().map(|violation| violation.promise) == promise;
        if same {
            (short.options, short.outcome) = (options, tried);
        }
        same
    };
    for upload in 0..UPLOADS {
        let mut options = short.options.clone();
        options.dropped.insert(upload);
        attempt(&mut short, options);
    }
    let mut part = (short.outcome.drawn.max(1) as usize).div_ceil(2);
    while part > 0 && short.tries < MAX_TRIES {
        let left: Vec<u32> = (0..short.outcome.drawn).filter(|fault| !short.options.suppressed.contains(fault)).collect();
        let mut shorter = false;
        for some in left.chunks(part) {
            let suppressed: BTreeSet<u32> = short.options.suppressed.iter().chain(some).copied().collect();
            let options = Options { suppressed, ..short.options.clone() };
            shorter |= attempt(&mut short, options);
        }
        part = if shorter && part == 1 { 1 } else { part / 2 };
    }
    let options = Options { story: true, ..short.options.clone() };
    short.outcome = run(seed, &options);
    short.options = options;
    short
}
