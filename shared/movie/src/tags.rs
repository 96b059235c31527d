//! When, where and with what a video was taken, from the tags of its container.

use ffmpeg_next::DictionaryRef;
use photovault_domain::{Camera, Captured, Facts, Position};

/// Characters kept of one tag.
const MAX_TAG_CHARACTERS: usize = 256;
/// What mvhd holds before a clock is set is 1904 or 1970; nobody filmed digitally before this.
const FIRST_YEAR: u32 = 1990;

/// The facts that the tags hold.
pub(crate) fn facts(tags: &DictionaryRef) -> Facts {
    facts_of(|name| tags.get(name).map(str::to_owned))
}

/// Apple's content identifier.
pub(crate) fn content_identifier(tags: &DictionaryRef) -> Option<String> {
    tags.get("com.apple.quicktime.content.identifier").map(clean).filter(|it| !it.is_empty())
}

fn facts_of(tag: impl Fn(&str) -> Option<String>) -> Facts {
    let first = |names: &[&str]| names.iter().find_map(|name| tag(name).map(|text| clean(&text)).filter(|text| !text.is_empty()));
    let camera = Camera {
        make: first(&["com.apple.quicktime.make", "com.android.manufacturer", "make"]),
        model: first(&["com.apple.quicktime.model", "com.android.model", "model"]),
        serial: None,
        software: first(&["com.apple.quicktime.software", "software"]),
    };
    let place = first(&["com.apple.quicktime.location.ISO6709", "location"]);
    Facts {
        captured: captured(&tag),
        camera: (camera != Camera::default()).then_some(camera),
        position: place.and_then(|text| iso_6709(&text)),
        description: first(&["com.apple.quicktime.description", "description", "comment"]),
        artist: first(&["com.apple.quicktime.artist", "artist", "author"]),
        copyright: first(&["com.apple.quicktime.copyright", "copyright"]),
        ..Facts::default()
    }
}

/// Apple's tag has the camera's clock and its zone; the header's time (`mvhd`, Matroska's `DateUTC`) is UTC by its standard.
fn captured(tag: &impl Fn(&str) -> Option<String>) -> Option<Captured> {
    let local = tag("com.apple.quicktime.creationdate").and_then(|text| moment(&text, "QuickTime creationdate"));
    let header = || tag("creation_time").and_then(|text| moment(&text, "container's creation time, UTC"));
    local.or_else(header)
}

/// `2021-05-01T12:00:00+0200`, with or without a fraction; `Z` is UTC.
fn moment(text: &str, source: &str) -> Option<Captured> {
    let text = text.trim();
    let local = text.get(..19)?;
    let shape = local.bytes().zip(*b"0000-00-00T00:00:00").all(|(byte, like)| match like {
        b'0' => byte.is_ascii_digit(),
        b'T' => byte == b'T' || byte == b' ',
        like => byte == like,
    });
    if !shape || local[..4].parse::<u32>().ok()? < FIRST_YEAR {
        return None;
    }
    let rest = &text[19..];
    let digits =
        rest.strip_prefix('.').map(|rest| rest.split(|letter: char| !letter.is_ascii_digit()).next().unwrap_or_default());
    let zone = &rest[digits.map_or(0, |digits| digits.len() + 1)..];
    let offset = match zone.as_bytes() {
        b"Z" => Some("+00:00".to_owned()),
        [b'+' | b'-', h1, h2, m1, m2] | [b'+' | b'-', h1, h2, b':', m1, m2] => {
            let digits = [h1, h2, m1, m2].map(|byte| char::from(*byte));
            digits.iter().all(char::is_ascii_digit).then(|| {
                let [h1, h2, m1, m2] = digits;
                format!("{}{h1}{h2}:{m1}{m2}", &zone[..1])
            })
        }
        _ => None,
    };
    let subsec = digits.map(|digits| digits.trim_end_matches('0').to_owned()).filter(|digits| !digits.is_empty());
    Some(Captured { local: local.replace(' ', "T"), subsec, offset, source: source.to_owned(), ..Captured::default() })
}

/// `+27.5916+086.5640+8850/` (ISO 6709, annex H): degrees, then altitude in metres; a reference system may follow.
fn iso_6709(text: &str) -> Option<Position> {
    let text = text.split("CRS").next()?.trim_end_matches('/');
    let starts: Vec<usize> = text.char_indices().filter(|(_, letter)| matches!(letter, '+' | '-')).map(|(at, _)| at).collect();
    let part = |index: usize| {
        let from = *starts.get(index)?;
        Some(&text[from..starts.get(index + 1).copied().unwrap_or(text.len())])
    };
    let (latitude, longitude) = (degrees(part(0)?, 2)?, degrees(part(1)?, 3)?);
    let is_place = latitude.abs() <= 90.0 && longitude.abs() <= 180.0 && (latitude, longitude) != (0.0, 0.0);
    is_place.then(|| Position {
        latitude,
        longitude,
        altitude_m: part(2).and_then(|text| text.parse().ok()),
        ..Position::default()
    })
}

/// `+DD.D`, `+DDMM.M` or `+DDMMSS.S`, with `whole` digits of degrees.
fn degrees(text: &str, whole: usize) -> Option<f64> {
    let (sign, digits) = (if text.starts_with('-') { -1.0 } else { 1.0 }, text.get(1..)?);
    let integral = digits.split('.').next()?.len();
    let number = |range: &str| range.parse::<f64>().ok();
    let value = match integral.checked_sub(whole)? {
        2 => number(digits.get(..whole)?)? + number(digits.get(whole..)?)? / 60.0,
        4 => {
            let minutes = number(digits.get(whole..whole + 2)?)?;
            number(digits.get(..whole)?)? + minutes / 60.0 + number(digits.get(whole + 2..)?)? / 3600.0
        }
        _ => number(digits)?,
    };
    Some(sign * value)
}

fn clean(text: &str) -> String {
    let visible: String = text.chars().filter(|letter| !letter.is_control()).take(MAX_TAG_CHARACTERS).collect();
    visible.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_creation_time_keeps_its_zone() {
        for (text, want) in [
            ("2021-05-01T12:00:00+0200", Some(("2021-05-01T12:00:00", None, Some("+02:00")))),
            ("2021-05-01T12:00:00-03:30", Some(("2021-05-01T12:00:00", None, Some("-03:30")))),
            ("2021-05-01T12:00:00.250000Z", Some(("2021-05-01T12:00:00", Some("25"), Some("+00:00")))),
            ("2021-05-01 12:00:00", Some(("2021-05-01T12:00:00", None, None))),
            ("1904-01-01T00:00:00.000000Z", None),
            ("yesterday at five o'clock", None),
            ("2021-05-01T12:00:00+02\u{e9}", Some(("2021-05-01T12:00:00", None, None))),
        ] {
            let got = moment(text, "x");
            let got = got.as_ref().map(|it| (it.local.as_str(), it.subsec.as_deref(), it.offset.as_deref()));
            assert_eq!(got, want, "{text}");
        }
    }

    #[test]
    fn a_place_is_read_in_every_form_of_the_standard() {
        for (text, want) in [
            ("+27.5916+086.5640+8850/", Some((27.5916, 86.5640, Some(8850.0)))),
            ("+48.8577+002.295/", Some((48.8577, 2.295, None))),
            ("-3351.36+15112.54/", Some((-33.856, 151.209, None))),
            ("+402646-0795856+365CRSWGS_84/", Some((40.446_11, -79.982_22, Some(365.0)))),
            ("+00.0000+000.0000/", None),
            ("+95.0+010.0/", None),
            ("somewhere", None),
        ] {
            let got = iso_6709(text).map(|it| (it.latitude, it.longitude, it.altitude_m));
            let near = match (got, want) {
                (Some(got), Some(want)) => (got.0 - want.0).abs() < 1e-4 && (got.1 - want.1).abs() < 1e-4 && got.2 == want.2,
                (got, want) => got.is_none() && want.is_none(),
            };
            assert!(near, "{text}: {got:?}");
        }
    }

    #[test]
    fn apples_tags_come_before_the_headers() {
        let tags = [
            ("com.apple.quicktime.creationdate", "2021-05-01T12:00:00+0200"),
            ("creation_time", "2021-05-01T10:00:00.000000Z"),
            ("com.apple.quicktime.model", "iPhone 12\u{0}"),
            ("location", "+01.5+002.5/"),
        ];
        let facts = facts_of(|name| tags.iter().find(|(tag, _)| *tag == name).map(|(_, text)| (*text).to_owned()));
        assert_eq!(facts.captured.unwrap().offset.as_deref(), Some("+02:00"));
        assert_eq!(facts.camera.unwrap().model.as_deref(), Some("iPhone 12"));
        assert!(facts.position.is_some());
    }
}
