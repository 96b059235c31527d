//! Instants: milliseconds since 1970-01-01T00:00:00Z. Reading the clock is somebody else's work.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Milliseconds before and after 1970 that sort keys tell apart.
const SORTED_MS: i64 = 10_000_000_000_000;
const DAY_S: i64 = 86_400;
/// Milliseconds of a day.
pub const DAY_MS: i64 = DAY_S * 1000;

/// Milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UtcMs(pub i64);

impl UtcMs {
    /// Milliseconds from `earlier` to `self`, 0 if the clocks disagree.
    pub fn since(self, earlier: Self) -> u64 {
        u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0)
    }

    /// As it stands in sort keys, so that text order is time order: 13 digits, and before 1970 a minus and the digits of what is left
    /// to 10¹³. From the year 1653 to 2286; what lies outside stands at its end.
    pub fn sort_key(self) -> String {
        let ms = self.0.clamp(-SORTED_MS, SORTED_MS - 1);
        if ms < 0 { format!("-{:013}", SORTED_MS + ms) } else { format!("{ms:013}") }
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

/// The time, as `YYYY-MM-DDTHH:MM:SS`, that is so many seconds after 1970-01-01T00:00:00 in the same zone.
pub fn local_of_seconds(seconds: i64) -> String {
    let (days, of_day) = (seconds.div_euclid(86_400) + 719_468, seconds.rem_euclid(86_400));
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_of_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_of_march + 2) / 5 + 1;
    let month = if month_of_march < 10 { month_of_march + 3 } else { month_of_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
}

/// The day of `YYYY-MM-DD`, counted from 1970, if there is such a day.
pub fn day_of_date(date: &str) -> Option<i64> {
    let midnight = format!("{date}T00:00:00");
    let seconds = local_seconds(&midnight).filter(|seconds| local_of_seconds(*seconds) == midnight)?;
    Some(seconds.div_euclid(DAY_S))
}

/// The `YYYY-MM-DD` of a day, counted from 1970.
pub fn date_of_day(day: i64) -> String {
    local_of_seconds(day * DAY_S).chars().take_while(|sign| *sign != 'T').collect()
}

/// How long a run may go on: a function ends before its sandbox is ended, and the next run goes on where it was.
#[derive(Clone, Copy, Debug)]
pub struct Until {
    /// When it began.
    pub began: UtcMs,
    /// From then on.
    pub within: Duration,
}

impl Until {
    /// Whether the time is up.
    pub fn is_over(self, now: UtcMs) -> bool {
        u128::from(now.since(self.began)) >= self.within.as_millis()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sort_keys_are_in_order_of_time() {
        let times = [i64::MIN, -9_999_999_999_999, -86_400_000, -1, 0, 1, 999, 1_800_000_000_000, 9_999_999_999_998, i64::MAX];
        let keys: Vec<String> = times.iter().map(|ms| UtcMs(*ms).sort_key()).collect();
        assert!(keys.is_sorted(), "{keys:?}");
        assert_eq!((UtcMs(1_800_000_000_000).sort_key().as_str(), keys[3].as_str()), ("1800000000000", "-9999999999999"));
    }

    #[test]
    fn days_are_counted_and_counted_back() {
        for (local, want) in [
            ("1970-01-01T00:00:00", 0),
            ("2000-02-29T12:00:00", 951_825_600),
            ("2026-11-28T20:52:20", 1_795_899_140),
            ("1969-12-31T23:59:59", -1),
            ("1826-01-01T00:00:00", -4_544_208_000),
        ] {
            assert_eq!(local_seconds(local), Some(want));
            assert_eq!(local_of_seconds(want), local);
        }
        assert_eq!(local_seconds("soon"), None);
        assert_eq!((day_of_date("1970-01-02"), date_of_day(-1).as_str()), (Some(1), "1969-12-31"));
        for nothing in ["2023-02-29", "soon", "2024-1-1", ""] {
            assert_eq!(day_of_date(nothing), None, "{nothing}");
        }
    }
}
