//! The time zone of a place, from the boundaries of zones (timezone-boundary-builder, by way of `tzf-rs`) and the IANA database.

use std::sync::OnceLock;

use jiff::{civil::DateTime, tz::TimeZone};
use photovault_domain::Position;
use tzf_rs::DefaultFinder;

use super::capture;

/// What the clocks there showed before or behind UTC when they showed `local`, and the zone's name. At sea, where zones are
/// nautical ones that no clock on land shows, there is none.
pub(super) fn offset_at(position: &Position, local: &str) -> Option<(String, String)> {
    let name = name_at(position)?;
    let at: DateTime = local.parse().ok()?;
    let offset = TimeZone::get(name).ok()?.to_ambiguous_timestamp(at).compatible().ok()?;
    let offset_s = TimeZone::get(name).ok()?.to_offset(offset).seconds();
    Some((capture::written(i64::from(offset_s)), name.to_owned()))
}

/// Whether it is in a zone that is not a nautical one.
pub(super) fn is_land(position: &Position) -> bool {
    name_at(position).is_some()
}

fn name_at(position: &Position) -> Option<&'static str> {
    // Loading the boundaries takes a fifth of a second: only who needs them waits, once.
    static FINDER: OnceLock<DefaultFinder> = OnceLock::new();
    let name = FINDER.get_or_init(DefaultFinder::new).get_tz_name(position.longitude, position.latitude);
    (!name.is_empty() && !name.starts_with("Etc/")).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_have_zones_and_the_sea_has_none() {
        for (latitude, longitude, local, want) in [
            (48.2, 16.4, "2019-07-04T12:30:05", Some("+02:00 Europe/Vienna")),
            (48.2, 16.4, "2019-12-04T12:30:05", Some("+01:00 Europe/Vienna")),
            (27.7, 85.3, "2019-07-04T12:30:05", Some("+05:45 Asia/Kathmandu")),
            (-33.45, -70.66, "2019-01-04T12:30:05", Some("-03:00 America/Santiago")),
            (0.0, -30.0, "2019-07-04T12:30:05", None),
            (48.2, 16.4, "no time", None),
        ] {
            let found = offset_at(&Position { latitude, longitude, ..Position::default() }, local);
            assert_eq!(found.map(|(offset, name)| format!("{offset} {name}")).as_deref(), want, "{latitude} {longitude}");
        }
    }
}
