//! Instants: milliseconds since 1970-01-01T00:00:00Z. Reading the clock is somebody else's work.

use serde::{Deserialize, Serialize};

/// Milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UtcMs(pub i64);

impl UtcMs {
    /// Milliseconds from `earlier` to `self`, 0 if the clocks disagree.
    pub fn since(self, earlier: Self) -> u64 {
        u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0)
    }

    /// As it stands in sort keys: 13 digits, so that text order is time order.
    pub fn sort_key(self) -> String {
        format!("{:013}", self.0.max(0))
    }
}

/// Seconds since 1970-01-01T00:00:00 in the same zone. `local` is `YYYY-MM-DDTHH:MM:SS`.
pub fn local_seconds(local: &str) -> Option<i64> {
    let number = |at: usize, length: usize| local.get(at..at + length)?.parse::<i64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 2)?, number(8, 2)?);
    // Days of the proleptic Gregorian calendar, counted in years that begin in March (Hinnant, "chrono-compatible low-level date algorithms").
    let year_of_march = if month <= 2 { year - 1 } else { year };
    let era = year_of_march.div_euclid(400);
    let of_era = year_of_march.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + day_of_year - 719_468;
    Some(days * 86_400 + number(11, 2)? * 3600 + number(14, 2)? * 60 + number(17, 2)?)
}
