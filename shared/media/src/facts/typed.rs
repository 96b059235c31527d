//! From Exif fields to facts.

use exif::{Exif, Tag};
use photovault_domain::{Camera, Captured, Exposure, Facts, Lens, Position};

use super::value::{field, joined_text, nth, number, text};

/// Everything that is understood.
pub(super) fn facts(exif: &Exif) -> Facts {
    let unsigned = |tag| field(exif, tag).and_then(|field| field.value.get_uint(0));
    Facts {
        orientation: unsigned(Tag::Orientation)
            .and_then(|value| u8::try_from(value).ok())
            .filter(|value| (1..=8).contains(value)),
        captured: captured(exif),
        camera: some(Camera {
            make: text(exif, Tag::Make),
            model: text(exif, Tag::Model),
            serial: text(exif, Tag::BodySerialNumber),
            software: text(exif, Tag::Software),
        }),
        lens: some(Lens { make: text(exif, Tag::LensMake), model: text(exif, Tag::LensModel) }),
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
        description: text(exif, Tag::ImageDescription),
        artist: text(exif, Tag::Artist),
        copyright: joined_text(exif, Tag::Copyright),
    }
}

/// Absent if nothing is in it.
fn some<T: Default + PartialEq>(facet: T) -> Option<T> {
    (facet != T::default()).then_some(facet)
}

fn captured(exif: &Exif) -> Option<Captured> {
    [
        (Tag::DateTimeOriginal, Tag::SubSecTimeOriginal, Tag::OffsetTimeOriginal, "Exif DateTimeOriginal"),
        (Tag::DateTimeDigitized, Tag::SubSecTimeDigitized, Tag::OffsetTimeDigitized, "Exif DateTimeDigitized"),
        (Tag::DateTime, Tag::SubSecTime, Tag::OffsetTime, "Exif DateTime"),
    ]
    .into_iter()
    .find_map(|(time, subsec, offset, source)| {
        Some(Captured {
            local: local_time(&text(exif, time)?)?,
            subsec: text(exif, subsec).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_digit())),
            offset: text(exif, offset).and_then(|offset| utc_offset(&offset)),
            source: source.to_owned(),
        })
    })
}

/// `2019:07:04 12:30:05` to `2019-07-04T12:30:05`; cameras whose clock was never set write zeros or blanks.
fn local_time(text: &str) -> Option<String> {
    let bytes = text.as_bytes().get(..19)?;
    let number = |at: usize, length: usize| -> Option<u32> {
        let digits = &bytes[at..at + length];
        digits
            .iter()
            .all(u8::is_ascii_digit)
            .then(|| digits.iter().fold(0, |number, digit| number * 10 + u32::from(digit - b'0')))
    };
    let (year, month, day) = (number(0, 4)?, number(5, 2)?, number(8, 2)?);
    let (hour, minute, second) = (number(11, 2)?, number(14, 2)?, number(17, 2)?);
    let is_time = year > 0 && (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second <= 60;
    is_time.then(|| format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"))
}

/// `+02:00`, `-03:30`; `Z` is `+00:00`.
fn utc_offset(text: &str) -> Option<String> {
    if text == "Z" {
        return Some("+00:00".to_owned());
    }
    let [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] = *text.as_bytes() else { return None };
    let is_offset = [h1, h2, m1, m2].iter().all(u8::is_ascii_digit) && (h1, h2) <= (b'1', b'4') && m1 < b'6';
    is_offset.then(|| [sign, h1, h2, b':', m1, m2].into_iter().map(char::from).collect())
}

fn position(exif: &Exif) -> Option<Position> {
    let latitude = degrees(exif, Tag::GPSLatitude, Tag::GPSLatitudeRef, "S", 90.0)?;
    let longitude = degrees(exif, Tag::GPSLongitude, Tag::GPSLongitudeRef, "W", 180.0)?;
    // Zeros and nothing else: a receiver that had no fix. On the equator or a meridian other tags stand beside it.
    let other_tags =
        [Tag::GPSTimeStamp, Tag::GPSDateStamp, Tag::GPSAltitude, Tag::GPSSatellites, Tag::GPSDOP, Tag::GPSProcessingMethod];
    if latitude == 0.0 && longitude == 0.0 && !other_tags.iter().any(|tag| field(exif, *tag).is_some()) {
        return None;
    }
    let below_sea = field(exif, Tag::GPSAltitudeRef).and_then(|field| field.value.get_uint(0)) == Some(1);
    let altitude_m = number(exif, Tag::GPSAltitude).map(|metres| if below_sea { -metres } else { metres });
    Some(Position { latitude, longitude, altitude_m })
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
    use exif::{Field, In, Rational, Value};

    use super::*;

    #[test]
    fn times_are_checked() {
        for (text, want) in [
            ("2019:07:04 12:30:05", Some("2019-07-04T12:30:05")),
            ("2019-07-04T12:30:05", Some("2019-07-04T12:30:05")),
            ("2019:07:04 12:30:05.123+02:00", Some("2019-07-04T12:30:05")),
            ("0000:00:00 00:00:00", None),
            ("    :  :     :  :  ", None),
            ("2019:13:04 12:30:05", None),
            ("2019:07:04", None),
            ("2019:07:04 12:30:0é", None),
        ] {
            assert_eq!(local_time(text).as_deref(), want, "{text}");
        }
    }

    #[test]
    fn offsets_are_checked() {
        for (text, want) in [
            ("+02:00", Some("+02:00")),
            ("-03:30", Some("-03:30")),
            ("Z", Some("+00:00")),
            ("+2:00", None),
            ("+15:00", None),
            ("   :  ", None),
        ] {
            assert_eq!(utc_offset(text).as_deref(), want, "{text}");
        }
    }

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
        let there = Position { latitude: 0.0, longitude: 0.0, altitude_m: Some(-2.5) };
        assert_eq!(facts_of(&fields).position, Some(there));
        fields[0].1 = fractions(&[(0, 0), (0, 0), (0, 0)]);
        assert_eq!(facts_of(&fields).position, None, "0/0 is not a number");
    }

    #[test]
    fn blanks_and_impossible_numbers_are_left_out() {
        let facts = facts_of(&[
            (Tag::Make, words("Acme   \0\0rest")),
            (Tag::Model, words("      ")),
            (Tag::Orientation, Value::Short(vec![9])),
            (Tag::ExposureTime, fractions(&[(1, 0)])),
            (Tag::FNumber, fractions(&[(28, 10)])),
            (Tag::Flash, Value::Short(vec![0x19])),
            (Tag::DateTimeOriginal, words("2019:07:04 12:30:05")),
            (Tag::SubSecTimeOriginal, words("12 ")),
            (Tag::OffsetTimeOriginal, words("+02:00")),
        ]);
        assert_eq!(facts.camera, Some(Camera { make: Some("Acme".to_owned()), ..Camera::default() }));
        assert_eq!(facts.orientation, None);
        let exposure = facts.exposure.unwrap();
        assert_eq!((exposure.time_s, exposure.f_number, exposure.flash_fired), (None, Some(2.8), Some(true)));
        let captured = facts.captured.unwrap();
        assert_eq!((captured.local.as_str(), captured.source.as_str()), ("2019-07-04T12:30:05", "Exif DateTimeOriginal"));
        assert_eq!((captured.subsec.as_deref(), captured.offset.as_deref()), (Some("12"), Some("+02:00")));
    }
}
