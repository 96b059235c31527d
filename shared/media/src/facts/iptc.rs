//! IPTC's Information Interchange Model 4.2, and the Photoshop resources that it stands in.

use std::borrow::Cow;

use photovault_domain::{Captured, Confidence, Facts, Place, limits::MAX_PARTS};

use super::{kept, some, time, value::windows_1252};
use crate::container::{u16_be, u32_be};

/// The resource that holds an IIM record (Photoshop file formats, "image resource IDs").
const IPTC_RESOURCE: u16 = 0x0404;
/// What `1:90` says where the texts are UTF-8.
const UTF_8: &[u8] = b"\x1B%G";

/// The IIM record in a list of Photoshop resources.
pub(super) fn of_resources(mut resources: &[u8]) -> Option<&[u8]> {
    for _ in 0..MAX_PARTS {
        // Each: a signature, a number, a name of even length with its length before it, a length, and data of even length.
        let rest = resources.strip_prefix(b"8BIM")?;
        let name = usize::from(*rest.get(2)?);
        let length_at = 2 + (name | 1) + 1;
        let length = u32_be(rest, length_at)? as usize;
        let data = rest.get(length_at + 4..)?;
        if u16_be(rest, 0)? == IPTC_RESOURCE {
            return Some(&data[..length.min(data.len())]);
        }
        resources = data.get(length.checked_add(length & 1)?..)?;
    }
    None
}

/// Everything that is understood.
pub(super) fn facts(record: &[u8]) -> Facts {
    let sets: Vec<(u8, u8, &[u8])> = data_sets(record).collect();
    let is_utf_8 = sets.iter().any(|(record, set, data)| (*record, *set) == (1, 90) && *data == UTF_8);
    let texts = |wanted: u8| {
        let own = sets.iter().filter(move |(record, set, _)| (*record, *set) == (2, wanted));
        own.map(move |(.., data)| decoded(data, is_utf_8)).filter(|text| !text.is_empty())
    };
    let text = |set: u8| texts(set).next().map(|text| kept::text(&text));
    let word = |set: u8| texts(set).next().map(|text| kept::word(&text));
    let mut keywords = Vec::new();
    let all: Vec<Cow<str>> = texts(25).collect();
    kept::add_keywords(&mut keywords, all.iter().map(AsRef::as_ref));
    let times = [((55, 60), "IPTC DateCreated"), ((62, 63), "IPTC DigitalCreationDate")];
    Facts {
        times: times.into_iter().filter_map(|((date, clock), source)| captured(&word(date)?, word(clock), source)).collect(),
        title: text(5),
        description: text(120),
        artist: some(texts(80).collect::<Vec<_>>().join(", ")).map(|names| kept::text(&names)),
        copyright: text(116),
        keywords,
        place: some(Place { location: word(92), city: word(90), region: word(95), country: word(101) }),
        ..Facts::default()
    }
}

/// Record, number and data of every data set.
fn data_sets(record: &[u8]) -> impl Iterator<Item = (u8, u8, &[u8])> {
    let mut rest = record;
    let next = move || {
        // Some programs put zeros between the sets.
        while let [0, behind @ ..] = rest {
            rest = behind;
        }
        let [0x1C, number, set, ..] = *rest else { return None };
        let size = u16_be(rest, 3)?;
        // From 32 KiB on, the size is that of a longer number which follows.
        let (length, data_at): (usize, usize) = match size & 0x8000 {
            0 => (usize::from(size), 5),
            _ => match size & 0x7FFF {
                4 => (u32_be(rest, 5)? as usize, 9),
                _ => return None,
            },
        };
        let data = rest.get(data_at..data_at.checked_add(length)?)?;
        rest = &rest[data_at + length..];
        Some((number, set, data))
    };
    std::iter::from_fn(next).take(MAX_PARTS as usize)
}

/// UTF-8 where the record says so, or where it is that all the same; else Windows-1252, of which Latin-1 is a part.
fn decoded(data: &[u8], is_utf_8: bool) -> Cow<'_, str> {
    let data = data.trim_ascii();
    let data = &data[..data.iter().position(|byte| *byte == 0).unwrap_or(data.len())];
    match std::str::from_utf8(data) {
        Ok(text) => text.into(),
        Err(_) if is_utf_8 => String::from_utf8_lossy(data),
        Err(_) => data.iter().map(|byte| windows_1252(*byte)).collect(),
    }
}

/// `20190704` and `123005+0200`.
fn captured(date: &str, clock: Option<String>, source: &str) -> Option<Captured> {
    let date = [date.get(..4)?, date.get(4..6)?, date.get(6..8)?].join("-");
    let clock = clock.and_then(|clock| {
        let time = [clock.get(..2)?, clock.get(2..4)?, clock.get(4..6)?].join(":");
        Some(["T", &time, clock.get(6..).unwrap_or_default()].concat())
    });
    let with_clock = clock.and_then(|clock| time::captured(&[&date, clock.as_str()].concat(), source, Confidence::Medium));
    with_clock.or_else(|| time::captured(&date, source, Confidence::Medium))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(record: u8, number: u8, data: &[u8]) -> Vec<u8> {
        [&[0x1C, record, number][..], &(data.len() as u16).to_be_bytes(), data].concat()
    }

    #[test]
    fn records_are_found_among_resources() {
        let resource = |number: u16, name: &[u8], data: &[u8]| {
            let mut bytes = [b"8BIM", &number.to_be_bytes()[..], &[name.len() as u8], name].concat();
            bytes.resize(bytes.len() + (name.len() + 1) % 2, 0);
            bytes.extend((data.len() as u32).to_be_bytes());
            bytes.extend(data);
            bytes.resize(bytes.len() + data.len() % 2, 0);
            bytes
        };
        let all =
            [resource(0x03ED, b"", b"abc"), resource(0x0425, b"odd", b"x"), resource(IPTC_RESOURCE, b"", b"record")].concat();
        assert_eq!(of_resources(&all), Some(&b"record"[..]));
        assert_eq!(of_resources(&all[..all.len() - 3]), Some(&b"rec"[..]));
        for length in 0..all.len() {
            of_resources(&all[..length]);
        }
    }

    #[test]
    fn captions_keywords_and_places_are_read() {
        let record = [
            set(2, 25, b"sea"),
            set(2, 25, b"Stra\xDFe"),
            set(2, 120, b"A caption "),
            set(2, 80, b"Ann"),
            set(2, 90, b"Wien"),
            set(2, 101, b"Austria"),
            set(2, 55, b"20190704"),
            set(2, 60, b"123005+0200"),
        ];
        let found = facts(&record.concat());
        assert_eq!(
            (found.keywords, found.description.as_deref()),
            (vec!["sea".to_owned(), "Straße".to_owned()], Some("A caption"))
        );
        let place = Place { city: Some("Wien".to_owned()), country: Some("Austria".to_owned()), ..Place::default() };
        assert_eq!((found.place, found.artist.as_deref()), (Some(place), Some("Ann")));
        assert_eq!((found.times[0].local.as_str(), found.times[0].offset.as_deref()), ("2019-07-04T12:30:05", Some("+02:00")));
        let day = facts(&set(2, 55, b"20190704"));
        assert!(day.times[0].day_only);
        assert!(facts(&set(2, 55, b"00000000")).times.is_empty());
    }

    #[test]
    fn the_character_set_is_heeded() {
        let broken = [set(1, 90, UTF_8), set(2, 5, b"a\xFFb")].concat();
        assert_eq!(facts(&broken).title.as_deref(), Some("a\u{FFFD}b"));
        assert_eq!(facts(&set(2, 5, "é".as_bytes())).title.as_deref(), Some("é"));
        assert_eq!(facts(&set(2, 5, b"\x93e\xE9\x94")).title.as_deref(), Some("“eé”"));
    }

    #[test]
    fn long_and_broken_sets_end_well() {
        let long = [&b"\x1C\x02\x78\x80\x04\0\0\0\x05"[..], b"words"].concat();
        assert_eq!(facts(&long).description.as_deref(), Some("words"));
        for length in 0..long.len() {
            facts(&long[..length]);
        }
        assert_eq!(facts(b"\x1C\x02\x78\xFF\xFFxx"), Facts::default());
    }
}
