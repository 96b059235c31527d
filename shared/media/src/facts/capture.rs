//! Which of the times that were found is the capture time, and what zone its clock was in.

use photovault_domain::{Captured, Confidence, Facts, Position, local_seconds};

use super::zone;

/// The source of the time that satellites told.
pub(super) const SATELLITES: &str = "GPS";
/// Times kept of one photo.
const MAX_TIMES: usize = 16;
/// How far the satellites' time may be from the camera's, beyond whole quarters of an hour: a fix is some minutes old at times.
const MAX_DRIFT_S: i64 = 5 * 60;
/// Zones lie in quarters of an hour, from twelve hours behind UTC to fourteen before it.
const QUARTER_S: i64 = 15 * 60;
const ZONES_S: std::ops::RangeInclusive<i64> = -12 * 3600..=14 * 3600;
/// Days on which clocks begin that were never set.
const FIRST_DAYS: &[&str] = &["1970-01-01", "1980-01-01", "1904-01-01", "2000-01-01T00:00", "2001-01-01T00:00"];

/// Chooses the capture time among the facts' times: the most trusted, and of several the one that was found first. Run again with more
/// times, it chooses again.
pub(super) fn settle(facts: &mut Facts) {
    let mut seen = Vec::new();
    facts.times.retain(|at| {
        let is_new = !seen.contains(at);
        seen.push(at.clone());
        is_new
    });
    for at in &mut facts.times {
        if FIRST_DAYS.iter().any(|day| at.local.starts_with(day)) {
            doubt(at, "the clock was never set");
        }
    }
    facts.times.sort_by_key(|at| std::cmp::Reverse(at.confidence));
    facts.times.truncate(MAX_TIMES);
    facts.captured = facts.times.first().map(|at| with_offset(at, &facts.times, facts.position.as_ref()));
}

/// Trusts a time less, for this reason.
pub(super) fn doubt(at: &mut Captured, reason: &str) {
    at.confidence = Confidence::Low;
    at.doubt = Some(reason.to_owned());
}

/// The time with its zone, where another source knows it: the satellites, the place, or the same moment as another program wrote it,
/// which at times is the zone of the computer and not of the camera.
fn with_offset(chosen: &Captured, times: &[Captured], position: Option<&Position>) -> Captured {
    if chosen.offset.is_some() || chosen.day_only || chosen.doubt.is_some() {
        return chosen.clone();
    }
    let of_satellites = || {
        let told = times.iter().find(|other| other.source == SATELLITES)?;
        Some((between(&chosen.local, &told.local)?, "GPS time".to_owned()))
    };
    let of_place = || {
        let (offset, name) = zone::offset_at(position?, &chosen.local)?;
        Some((offset, format!("time zone of the place ({name})")))
    };
    let of_same = || {
        let other = times.iter().find(|other| other.local == chosen.local && other.offset.is_some())?;
        Some((other.offset.clone()?, other.source.clone()))
    };
    match of_satellites().or_else(of_place).or_else(of_same) {
        Some((offset, source)) => Captured { offset: Some(offset), offset_source: Some(source), ..chosen.clone() },
        None => chosen.clone(),
    }
}

/// The zone in which it is `local` when it is `utc`, if there is one.
fn between(local: &str, utc: &str) -> Option<String> {
    let apart_s = local_seconds(local)? - local_seconds(utc)?;
    let offset_s = (apart_s + QUARTER_S / 2).div_euclid(QUARTER_S) * QUARTER_S;
    ((apart_s - offset_s).abs() <= MAX_DRIFT_S && ZONES_S.contains(&offset_s)).then(|| written(offset_s))
}

/// `+HH:MM`.
pub(super) fn written(offset_s: i64) -> String {
    let (sign, minutes) = (if offset_s < 0 { '-' } else { '+' }, offset_s.abs() / 60);
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(local: &str, offset: Option<&str>, source: &str, confidence: Confidence) -> Captured {
        Captured {
            local: local.to_owned(),
            offset: offset.map(str::to_owned),
            source: source.to_owned(),
            confidence,
            ..Captured::default()
        }
    }

    fn chosen(times: &[Captured], position: Option<Position>) -> Captured {
        let mut facts = Facts { times: times.to_vec(), position, ..Facts::default() };
        settle(&mut facts);
        let once = facts.clone();
        settle(&mut facts);
        assert_eq!(facts, once, "settled is settled");
        facts.captured.unwrap()
    }

    #[test]
    fn the_most_trusted_wins_and_of_equals_the_first() {
        let own = at("2019-07-04T12:30:05", None, "Exif DateTimeOriginal", Confidence::High);
        let xmp = at("2020-01-02T00:00:00", Some("+01:00"), "XMP exif:DateTimeOriginal", Confidence::High);
        let edit = at("2021-07-04T12:30:05", None, "Exif DateTime", Confidence::Low);
        assert_eq!(chosen(&[edit.clone(), own.clone(), xmp.clone()], None), own);
        assert_eq!(chosen(&[edit.clone(), xmp.clone(), own.clone()], None), xmp);
        let unset = at("1980-01-01T00:00:07", None, "Exif DateTimeOriginal", Confidence::High);
        let named = at("2019-07-04T12:30:05", None, "file name (Android)", Confidence::Medium);
        assert_eq!(chosen(&[unset.clone(), named.clone()], None), named);
        let only = chosen(&[unset], None);
        assert_eq!((only.confidence, only.doubt.as_deref()), (Confidence::Low, Some("the clock was never set")));
    }

    #[test]
    fn satellites_tell_the_zone_in_quarters_of_an_hour() {
        for (local, utc, want) in [
            ("2019-07-04T12:30:05", "2019-07-04T10:29:50", Some("+02:00")),
            ("2019-07-04T12:30:05", "2019-07-04T06:44:00", Some("+05:45")),
            ("2019-07-04T00:30:05", "2019-07-04T04:32:00", Some("-04:00")),
            ("2019-07-04T12:30:05", "2019-07-04T12:30:05", Some("+00:00")),
            ("2019-07-04T12:30:05", "2019-07-04T12:22:35", None),
            ("2019-07-04T12:30:05", "2019-07-03T12:30:05", None),
        ] {
            let own = at(local, None, "Exif DateTimeOriginal", Confidence::High);
            let told = chosen(&[own, at(utc, Some("+00:00"), SATELLITES, Confidence::Medium)], None);
            assert_eq!(told.offset.as_deref(), want, "{local} {utc}");
            assert_eq!(told.offset_source.is_some(), want.is_some());
        }
    }

    #[test]
    fn the_place_tells_the_zone_where_nothing_else_does() {
        let own = at("2019-07-04T12:30:05", None, "Exif DateTimeOriginal", Confidence::High);
        let vienna = Position { latitude: 48.2, longitude: 16.4, ..Position::default() };
        let told = chosen(std::slice::from_ref(&own), Some(vienna));
        assert_eq!(told.offset.as_deref(), Some("+02:00"));
        assert_eq!(told.offset_source.as_deref(), Some("time zone of the place (Europe/Vienna)"));
        assert_eq!(chosen(&[own], None).offset, None, "it floats");
    }

    #[test]
    fn another_source_of_the_same_moment_tells_the_zone() {
        let own = at("2019-07-04T12:30:05", None, "Exif DateTimeOriginal", Confidence::High);
        let xmp = at("2019-07-04T12:30:05", Some("+02:00"), "XMP photoshop:DateCreated", Confidence::Medium);
        let told = chosen(&[own, xmp], None);
        assert_eq!((told.offset.as_deref(), told.offset_source.as_deref()), (Some("+02:00"), Some("XMP photoshop:DateCreated")));
    }
}
