//! From Exif fields to facts.

use exif::{Context, Exif, Tag, Value};
use photovault_domain::{Camera, Captured, Confidence, Exposure, Facts, Lens, Position};

use super::{
    apple, iptc as iim, kept, some, time,
    value::{bytes, comment, field, joined_text, nth, number, text, text_or_blank, wide_text},
};

/// Tags of other standards in the first directory: Adobe's XMP, IPTC and Photoshop resources (TIFF notes), and Windows' own.
const XMP: Tag = Tag(Context::Tiff, 700);
const IPTC: Tag = Tag(Context::Tiff, 33_723);
const RESOURCES: Tag = Tag(Context::Tiff, 34_377);
const RATING: Tag = Tag(Context::Tiff, 0x4746);
const XP_TITLE: Tag = Tag(Context::Tiff, 0x9C9B);
const XP_COMMENT: Tag = Tag(Context::Tiff, 0x9C9C);
const XP_AUTHOR: Tag = Tag(Context::Tiff, 0x9C9D);
const XP_KEYWORDS: Tag = Tag(Context::Tiff, 0x9C9E);
/// `CustomRendered` of a panorama, as Apple's phones write.
const RENDERED_PANORAMA: u32 = 6;

/// Everything that is understood.
pub(super) fn facts(exif: &Exif) -> Facts {
    let unsigned = |tag| field(exif, tag).and_then(|field| field.value.get_uint(0));
    let word = |tag| text(exif, tag).map(|text| kept::word(&text));
    let apple = bytes(exif, Tag::MakerNote).map(apple::read).unwrap_or_default();
    let mut keywords = Vec::new();
    kept::add_keywords(&mut keywords, wide_text(exif, XP_KEYWORDS).unwrap_or_default().split(';'));
    Facts {
        orientation: unsigned(Tag::Orientation)
            .and_then(|value| u8::try_from(value).ok())
            .filter(|value| (1..=8).contains(value)),
        times: times(exif),
        camera: some(Camera {
            make: word(Tag::Make),
            model: word(Tag::Model),
            serial: word(Tag::BodySerialNumber),
            software: word(Tag::Software),
        }),
        lens: some(Lens { make: word(Tag::LensMake), model: word(Tag::LensModel) }),
        exposure: some(Exposure {
            time_s: number(exif, Tag::ExposureTime),
            f_number: number(exif, Tag::FNumber),
            iso: number(exif, Tag::PhotographicSensitivity),
            bias_ev: number(exif, Tag::ExposureBiasValue),
            focal_mm: number(exif, Tag::FocalLength),
            focal_35mm_mm: number(exif, Tag::FocalLengthIn35mmFilm),
            flash_fired: unsigned(Tag::Flash).map(|flash| flash & 1 == 1),
        }),
        position: position(exif),
        title: wide_text(exif, XP_TITLE).map(|text| kept::text(&text)),
        description: written(exif, Tag::ImageDescription, XP_COMMENT),
        artist: written(exif, Tag::Artist, XP_AUTHOR),
        copyright: joined_text(exif, Tag::Copyright).map(|text| kept::text(&text)),
        keywords,
        rating: unsigned(RATING).and_then(|stars| i8::try_from(stars).ok()).filter(|stars| *stars <= 5),
        live: apple.content,
        burst: apple.burst,
        panorama: (unsigned(Tag::CustomRendered) == Some(RENDERED_PANORAMA)).then(|| "wide".to_owned()),
        screenshot: comment(exif, Tag::UserComment).as_deref() == Some("Screenshot"),
        ..Facts::default()
    }
}

/// The standard's text, or Windows' own where that is blank or missing.
fn written(exif: &Exif, standard: Tag, windows: Tag) -> Option<String> {
    let full = text(exif, standard).or_else(|| wide_text(exif, windows));
    full.or_else(|| text_or_blank(exif, standard)).map(|text| kept::text(&text))
}

/// The XMP packet, as TIFF has it.
pub(super) fn xmp(exif: &Exif) -> Option<Vec<u8>> {
    bytes(exif, XMP).map(<[u8]>::to_vec)
}

/// The IPTC record, as TIFF has it: by itself, or among Photoshop's resources.
pub(super) fn iptc(exif: &Exif) -> Option<Vec<u8>> {
    // Many programs say that the record is of numbers of four bytes: their order in the file is that of the record all the same.
    let own = field(exif, IPTC).and_then(|field| match &field.value {
        Value::Byte(bytes) | Value::Undefined(bytes, _) => Some(bytes.clone()),
        Value::Long(numbers) if exif.little_endian() => Some(numbers.iter().flat_map(|number| number.to_le_bytes()).collect()),
        Value::Long(numbers) => Some(numbers.iter().flat_map(|number| number.to_be_bytes()).collect()),
        _ => None,
    });
    own.or_else(|| bytes(exif, RESOURCES).and_then(iim::of_resources).map(<[u8]>::to_vec))
}

fn times(exif: &Exif) -> Vec<Captured> {
    let own = [
        (Tag::DateTimeOriginal, Tag::SubSecTimeOriginal, Tag::OffsetTimeOriginal, "Exif DateTimeOriginal", Confidence::High),
        (
            Tag::DateTimeDigitized,
            Tag::SubSecTimeDigitized,
            Tag::OffsetTimeDigitized,
            "Exif DateTimeDigitized",
            Confidence::Medium,
        ),
        (Tag::DateTime, Tag::SubSecTime, Tag::OffsetTime, "Exif DateTime", Confidence::Low),
    ];
    let own = own.into_iter().filter_map(|(tag, subsec, offset, source, confidence)| {
        // A day without a time is not what Exif means.
        let at = time::captured(&text(exif, tag)?, source, confidence).filter(|at| !at.day_only)?;
        let subsec = text(exif, subsec).and_then(|digits| time::subsec(&digits)).or(at.subsec);
        let offset = text(exif, offset).and_then(|offset| time::offset(&offset)).or(at.offset);
        Some(Captured { subsec, offset, ..at })
    });
    own.chain(satellites(exif)).collect()
}

/// The time that the satellites told, in UTC.
fn satellites(exif: &Exif) -> Option<Captured> {
    let date = text(exif, Tag::GPSDateStamp)?;
    let clock = &field(exif, Tag::GPSTimeStamp)?.value;
    let part = |index| nth(clock, index).filter(|number| (0.0..=60.0).contains(number)).map(|number| number as u32);
    let clock = format!("{:02}:{:02}:{:02}", part(0)?, part(1)?, part(2)?);
    let local = time::date_and_time(&date, &clock)?;
    // No receiver in a camera is older.
    (local.as_str() >= "1990").then(|| Captured {
        local,
        offset: Some("+00:00".to_owned()),
        source: super::capture::SATELLITES.to_owned(),
        confidence: Confidence::Medium,
        ..Captured::default()
    })
}

fn position(exif: &Exif) -> Option<Position> {
    let latitude = degrees(exif, Tag::GPSLatitude, Tag::GPSLatitudeRef, "S", 90.0)?;
    let longitude = degrees(exif, Tag::GPSLongitude, Tag::GPSLongitudeRef, "W", 180.0)?;
    // Zeros and nothing else: a receiver that had no fix. On the equator or a meridian other tags stand beside it.
    let own = [Tag::GPSVersionID, Tag::GPSLatitude, Tag::GPSLatitudeRef, Tag::GPSLongitude, Tag::GPSLongitudeRef];
    let others = || exif.fields().any(|field| field.tag.context() == Context::Gps && !own.contains(&field.tag));
    if latitude == 0.0 && longitude == 0.0 && !others() {
        return None;
    }
    let below_sea = field(exif, Tag::GPSAltitudeRef).and_then(|field| field.value.get_uint(0)) == Some(1);
    let altitude_m = number(exif, Tag::GPSAltitude).map(|metres| if below_sea { -metres } else { metres });
    let direction_deg = number(exif, Tag::GPSImgDirection).filter(|degrees| (0.0..=360.0).contains(degrees));
    // Metres a second in a kilometre, mile and nautical mile an hour.
    let unit_m_s = match text(exif, Tag::GPSSpeedRef).as_deref() {
        Some("M") => 0.447_04,
        Some("N") => 1852.0 / 3600.0,
        _ => 1.0 / 3.6,
    };
    let speed_m_s = number(exif, Tag::GPSSpeed).map(|speed| speed * unit_m_s);
    Some(Position { latitude, longitude, altitude_m, direction_deg, speed_m_s })
}

fn degrees(exif: &Exif, tag: Tag, reference: Tag, negative: &str, limit: f64) -> Option<f64> {
    let value = &field(exif, tag)?.value;
    let part = |index| nth(value, index);
    let degrees = part(0)? + part(1).unwrap_or(0.0) / 60.0 + part(2).unwrap_or(0.0) / 3600.0;
    let is_negative = text(exif, reference).is_some_and(|letter| letter.to_uppercase().starts_with(negative));
    (degrees.abs() <= limit).then_some(if is_negative { -degrees } else { degrees })
}

#[cfg(test)]
mod tests {
    use exif::{Field, In, Rational};

    use super::*;

    fn block(fields: &[(Tag, Value)]) -> Vec<u8> {
        let fields: Vec<Field> =
            fields.iter().map(|(tag, value)| Field { tag: *tag, ifd_num: In::PRIMARY, value: value.clone() }).collect();
        let mut writer = exif::experimental::Writer::new();
        for field in &fields {
            writer.push_field(field);
        }
        let mut bytes = std::io::Cursor::new(Vec::new());
        writer.write(&mut bytes, false).unwrap();
        bytes.into_inner()
    }

    fn facts_of(fields: &[(Tag, Value)]) -> Facts {
        facts(&exif::Reader::new().read_raw(block(fields)).unwrap())
    }

    fn words(text: &str) -> Value {
        Value::Ascii(vec![text.as_bytes().to_vec()])
    }

    fn fractions(parts: &[(u32, u32)]) -> Value {
        Value::Rational(parts.iter().map(|(num, denom)| Rational { num: *num, denom: *denom }).collect())
    }

    fn place(latitude: (u32, &str), longitude: (u32, &str)) -> Vec<(Tag, Value)> {
        vec![
            (Tag::GPSLatitudeRef, words(latitude.1)),
            (Tag::GPSLatitude, fractions(&[(latitude.0, 1), (30, 1), (0, 1)])),
            (Tag::GPSLongitudeRef, words(longitude.1)),
            (Tag::GPSLongitude, fractions(&[(longitude.0, 1), (15, 1), (0, 1)])),
        ]
    }

    #[test]
    fn positions_have_signs() {
        for (latitude, longitude, want) in [
            ((48, "N"), (16, "E"), (48.5, 16.25)),
            ((33, "S"), (70, "W"), (-33.5, -70.25)),
            ((33, "s"), (70, ""), (-33.5, 70.25)),
        ] {
            let position = facts_of(&place(latitude, longitude)).position.unwrap();
            assert_eq!((position.latitude, position.longitude, position.altitude_m), (want.0, want.1, None));
        }
        assert_eq!(facts_of(&place((91, "N"), (0, "E"))).position, None, "no latitude is above 90 degrees");
    }

    #[test]
    fn nowhere_is_not_the_gulf_of_guinea() {
        let zeros = fractions(&[(0, 1), (0, 1), (0, 1)]);
        let mut fields = vec![(Tag::GPSLatitude, zeros.clone()), (Tag::GPSLongitude, zeros.clone())];
        assert_eq!(facts_of(&fields).position, None);
        fields.push((Tag::GPSAltitudeRef, Value::Byte(vec![1])));
        fields.push((Tag::GPSAltitude, fractions(&[(25, 10)])));
        let there = Position { latitude: 0.0, longitude: 0.0, altitude_m: Some(-2.5), ..Position::default() };
        assert_eq!(facts_of(&fields).position, Some(there));
        fields[0].1 = fractions(&[(0, 0), (0, 0), (0, 0)]);
        assert_eq!(facts_of(&fields).position, None, "0/0 is not a number");
    }

    #[test]
    fn blanks_and_impossible_numbers_are_left_out() {
        let facts = facts_of(&[
            (Tag::Make, words("Acme   \0\0rest")),
            (Tag::Model, words("      ")),
            (Tag::ImageDescription, words("      ")),
            (Tag::Orientation, Value::Short(vec![9])),
            (Tag::ExposureTime, fractions(&[(1, 0)])),
            (Tag::FNumber, fractions(&[(28, 10)])),
            (Tag::Flash, Value::Short(vec![0x19])),
            (Tag::DateTimeOriginal, words("2019:07:04 12:30:05")),
            (Tag::SubSecTimeOriginal, words("12 ")),
            (Tag::OffsetTimeOriginal, words("+02:00")),
        ]);
        assert_eq!(facts.camera, Some(Camera { make: Some("Acme".to_owned()), ..Camera::default() }));
        assert_eq!((facts.orientation, facts.description.as_deref()), (None, Some("")));
        let exposure = facts.exposure.unwrap();
        assert_eq!((exposure.time_s, exposure.f_number, exposure.flash_fired), (None, Some(2.8), Some(true)));
        let captured = &facts.times[0];
        assert_eq!((captured.local.as_str(), captured.source.as_str()), ("2019-07-04T12:30:05", "Exif DateTimeOriginal"));
        assert_eq!((captured.subsec.as_deref(), captured.offset.as_deref()), (Some("12"), Some("+02:00")));
    }

    #[test]
    fn satellites_tell_direction_speed_and_time() {
        let mut fields = place((48, "N"), (16, "E"));
        fields.extend([
            (Tag::GPSImgDirection, fractions(&[(1763, 10)])),
            (Tag::GPSSpeedRef, words("K")),
            (Tag::GPSSpeed, fractions(&[(36, 1)])),
            (Tag::GPSDateStamp, words("2019:07:04")),
            (Tag::GPSTimeStamp, fractions(&[(10, 1), (30, 1), (59, 10)])),
        ]);
        let found = facts_of(&fields);
        let position = found.position.unwrap();
        assert_eq!((position.direction_deg, position.speed_m_s), (Some(176.3), Some(10.0)));
        assert_eq!((found.times[0].local.as_str(), found.times[0].offset.as_deref()), ("2019-07-04T10:30:05", Some("+00:00")));
        fields[7].1 = words("1970:01:01");
        assert!(facts_of(&fields).times.is_empty(), "a receiver that never saw a satellite");
    }

    #[test]
    fn windows_own_tags_fill_gaps() {
        let wide = |text: &str| Value::Byte(text.encode_utf16().flat_map(u16::to_le_bytes).collect());
        let found = facts_of(&[
            (XP_TITLE, wide("Strand")),
            (XP_COMMENT, wide("words")),
            (XP_KEYWORDS, wide("sea;sand; sea")),
            (Tag::ImageDescription, words("  ")),
            (RATING, Value::Short(vec![4])),
        ]);
        assert_eq!(
            (found.title.as_deref(), found.description.as_deref(), found.rating),
            (Some("Strand"), Some("words"), Some(4))
        );
        assert_eq!(found.keywords, ["sea", "sand"]);
    }

    #[test]
    fn phones_mark_screenshots_and_panoramas() {
        let comment = Value::Undefined(b"ASCII\0\0\0Screenshot".to_vec(), 0);
        let found = facts_of(&[(Tag::UserComment, comment), (Tag::CustomRendered, Value::Short(vec![6]))]);
        assert_eq!((found.screenshot, found.panorama.as_deref()), (true, Some("wide")));
    }

    #[test]
    fn a_record_of_long_numbers_keeps_its_order() {
        let record = b"\x1C\x02\x05\0\x03abc";
        let numbers = record.as_chunks().0.iter().map(|bytes| u32::from_be_bytes(*bytes)).collect();
        let exif = exif::Reader::new().read_raw(block(&[(IPTC, Value::Long(numbers))])).unwrap();
        assert_eq!(iptc(&exif).unwrap(), record);
    }
}
