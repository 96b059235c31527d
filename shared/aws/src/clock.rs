//! Time and randomness of the machine: the one place that reads them.

use std::{
    hash::{BuildHasher as _, RandomState},
    time::{SystemTime, UNIX_EPOCH},
};

use photovault_domain::UtcMs;
use photovault_vault::seams::Clock;

/// The machine's clock and random source.
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock seam")]
    fn now(&self) -> UtcMs {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        UtcMs(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    fn random(&self) -> u64 {
        // Every `RandomState` is seeded anew from the operating system's source.
        RandomState::new().hash_one(0_u8)
    }
}
