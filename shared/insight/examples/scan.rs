//! How long a look at every hash of a library takes, for `docs/insight.md`.
//!
//! usage: scan [HASHES] [REPETITIONS] — prints nanoseconds a hash, the least of several.

use std::{hint::black_box, time::Instant};

use photovault_domain::Hex;
use photovault_insight::duplicates::Hashes;

fn main() {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<usize>().expect("a number"));
    let (count, repetitions) = (arguments.next().unwrap_or(1_000_000), arguments.next().unwrap_or(50));
    let mut state = 1_u64;
    let mut word = || {
        // Knuth's MMIX constants: any numbers will do.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u8
    };
    let hashes: Hashes = (0..count).map(|_| Hex(std::array::from_fn(|_| word()))).collect();
    let mut least_s = f64::MAX;
    for place in 0..repetitions {
        let started = Instant::now();
        black_box(hashes.near(hashes.hash(place % count), 40));
        least_s = least_s.min(started.elapsed().as_secs_f64());
    }
    println!("{count} hashes: {:.2} ms, {:.2} ns a hash", least_s * 1e3, least_s * 1e9 / count as f64);
}
