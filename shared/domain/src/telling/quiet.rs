//! Quiet hours: from when to when, by the clock where the user lives.

use std::{fmt, str::FromStr};

use jiff::{Timestamp, ToSpan as _, civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize};

use super::BadPreference;
use crate::UtcMs;

/// A time zone by its name in the IANA database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone(String);

impl Zone {
    /// The day there, and the minute of the day.
    pub fn local(&self, at: UtcMs) -> (Date, u16) {
        let at = Timestamp::from_millisecond(at.0).unwrap_or_default().to_zoned(self.rules());
        (at.date(), at.hour() as u16 * 60 + at.minute() as u16)
    }

    /// When clocks there show this minute of this day. Where they skip it, as long after the gap as it lies in it.
    pub fn instant(&self, day: Date, minute: u16) -> UtcMs {
        let local = day.at((minute / 60) as i8, (minute % 60) as i8, 0, 0);
        let at = self.rules().to_ambiguous_timestamp(local).compatible();
        UtcMs(at.unwrap_or_default().as_millisecond())
    }

    fn rules(&self) -> TimeZone {
        TimeZone::get(&self.0).expect("checked when it was made")
    }
}

impl Default for Zone {
    fn default() -> Self {
        Self("UTC".into())
    }
}

impl FromStr for Zone {
    type Err = BadPreference;

    fn from_str(text: &str) -> Result<Self, BadPreference> {
        TimeZone::get(text).map(|_| Self(text.to_owned())).map_err(|_| BadPreference::Zone(text.to_owned()))
    }
}

impl TryFrom<String> for Zone {
    type Error = BadPreference;

    fn try_from(text: String) -> Result<Self, BadPreference> {
        text.parse()
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.0
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Hours in which nothing is sent: from a minute of the day until another, over midnight where the first is the later one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct QuietHours {
    from: u16,
    until: u16,
}

impl QuietHours {
    /// `at`, or the end of the quiet hours that it falls in.
    pub fn after(self, zone: &Zone, at: UtcMs) -> UtcMs {
        let (day, minute) = zone.local(at);
        let over_midnight = self.from > self.until;
        let (begun, not_over) = (minute >= self.from, minute < self.until);
        let (is_quiet, ends) = match (over_midnight, begun, not_over) {
            (true, true, _) => (true, day.checked_add(1.day()).unwrap_or(day)),
            (true, false, not_over) => (not_over, day),
            (false, begun, not_over) => (begun && not_over, day),
        };
        // The hour that comes twice may end before it began.
        if is_quiet { zone.instant(ends, self.until).max(at) } else { at }
    }
}

impl FromStr for QuietHours {
    type Err = BadPreference;

    fn from_str(text: &str) -> Result<Self, BadPreference> {
        let minute = |text: &str| {
            let (hour, minute) = text.split_once(':')?;
            let (hour, minute) = (hour.parse::<u16>().ok()?, minute.parse::<u16>().ok()?);
            (hour < 24 && minute < 60).then_some(hour * 60 + minute)
        };
        let parts = text.split_once('-').and_then(|(from, until)| Some((minute(from)?, minute(until)?)));
        let parts = parts.filter(|(from, until)| from != until);
        parts.map(|(from, until)| Self { from, until }).ok_or_else(|| BadPreference::Quiet(text.to_owned()))
    }
}

impl TryFrom<String> for QuietHours {
    type Error = BadPreference;

    fn try_from(text: String) -> Result<Self, BadPreference> {
        text.parse()
    }
}

impl From<QuietHours> for String {
    fn from(quiet: QuietHours) -> Self {
        quiet.to_string()
    }
}

impl fmt::Display for QuietHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, until } = self;
        write!(f, "{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, until / 60, until % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> UtcMs {
        UtcMs(text.parse::<Timestamp>().unwrap().as_millisecond())
    }

    #[test]
    fn what_falls_in_quiet_hours_waits_for_their_end_by_the_local_clock() {
        for (zone, quiet, now, want) in [
            // Berlin is an hour ahead of UTC in winter and two in summer.
            ("Europe/Berlin", "22:00-07:00", "2026-01-10T20:59:59Z", "2026-01-10T20:59:59Z"),
            ("Europe/Berlin", "22:00-07:00", "2026-01-10T21:00:00Z", "2026-01-11T06:00:00Z"),
            ("Europe/Berlin", "22:00-07:00", "2026-01-11T05:59:59Z", "2026-01-11T06:00:00Z"),
            ("Europe/Berlin", "22:00-07:00", "2026-01-11T06:00:00Z", "2026-01-11T06:00:00Z"),
            ("Europe/Berlin", "22:00-07:00", "2026-07-10T20:00:00Z", "2026-07-11T05:00:00Z"),
            // Clocks skip from 02:00 to 03:00 in the night of the 29th of March.
            ("Europe/Berlin", "22:00-07:00", "2026-03-28T22:00:00Z", "2026-03-29T05:00:00Z"),
            ("Europe/Berlin", "22:00-02:30", "2026-03-28T22:00:00Z", "2026-03-29T01:30:00Z"),
            // And show 02:00 to 03:00 twice on the 25th of October.
            ("Europe/Berlin", "01:00-02:30", "2026-10-25T01:10:00Z", "2026-10-25T01:10:00Z"),
            ("Asia/Kolkata", "13:00-15:00", "2026-01-10T08:00:00Z", "2026-01-10T09:30:00Z"),
            ("UTC", "13:00-15:00", "2026-01-10T16:00:00Z", "2026-01-10T16:00:00Z"),
        ] {
            let quiet: QuietHours = quiet.parse().unwrap();
            assert_eq!(quiet.after(&zone.parse().unwrap(), at(now)), at(want), "{now} in {zone}, quiet {quiet}");
        }
    }

    #[test]
    fn hours_and_zones_that_are_none_are_refused() {
        for bad in ["", "22:00", "22:00-22:00", "24:00-07:00", "22-7", "22:60-07:00"] {
            assert!(bad.parse::<QuietHours>().is_err(), "{bad}");
        }
        for bad in ["", "Berlin", "Mars/Olympus"] {
            assert!(bad.parse::<Zone>().is_err(), "{bad}");
        }
        assert_eq!("7:05-09:00".parse::<QuietHours>().unwrap().to_string(), "07:05-09:00");
    }
}
