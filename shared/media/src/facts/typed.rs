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
}
