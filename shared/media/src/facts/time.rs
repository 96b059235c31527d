//! Times as files write them: Exif's `2019:07:04 12:30:05`, XMP's `2019-07-04T12:30:05.123+02:00`, and what lies between.

use photovault_domain::{Captured, Confidence};

/// Digits after the second that are kept.
const MAX_SUBSEC_DIGITS: usize = 9;

/// The time that a text says; absent if it says none, as cameras write whose clock was never set.
pub(super) fn captured(text: &str, source: &str, confidence: Confidence) -> Option<Captured> {
    let text = text.trim();
    let date = text.get(..10)?;
    let (time, rest) = match text.as_bytes().get(10) {
        Some(b' ' | b'T') => clock(&text[11..])?,
        _ => (None, ""),
    };
    let local = date_and_time(date, time.as_deref().unwrap_or("00:00:00"))?;
    let digits = rest.strip_prefix('.').unwrap_or_default();
    let digits = &digits[..digits.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(digits.len())];
    let behind = rest.strip_prefix('.').map_or(rest, |fraction| &fraction[digits.len()..]);
    Some(Captured {
        local,
        subsec: subsec(digits),
        offset: offset(behind.trim()),
        source: source.to_owned(),
        confidence,
        day_only: time.is_none(),
        ..Captured::default()
    })
}

/// `12:30:05` or `12:30`, and what follows it. A blank time is none.
fn clock(text: &str) -> Option<(Option<String>, &str)> {
    let with_seconds = text.get(..8).filter(|time| time.bytes().filter(|byte| *byte == b':').count() == 2);
    if let Some(time) = with_seconds {
        return Some((Some(time.to_owned()), &text[8..]));
    }
    let minutes = text.get(..5).filter(|time| time.as_bytes()[2] == b':' && !text[5..].starts_with(':'))?;
    Some((Some(format!("{minutes}:00")), &text[5..]))
}

/// Date and time of ten and eight characters, whatever stands between the numbers.
pub(super) fn date_and_time(date: &str, time: &str) -> Option<String> {
    let (date, time) = (date.as_bytes(), time.as_bytes());
    let number = |text: &[u8], at: usize, length: usize| -> Option<u32> {
        let digits = text.get(at..at + length)?;
        let all = digits.iter().all(u8::is_ascii_digit);
        all.then(|| digits.iter().fold(0, |number, digit| number * 10 + u32::from(digit - b'0')))
    };
    let (year, month, day) = (number(date, 0, 4)?, number(date, 5, 2)?, number(date, 8, 2)?);
    let (hour, minute, second) = (number(time, 0, 2)?, number(time, 3, 2)?, number(time, 6, 2)?);
    let is_time = year > 0 && (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second <= 60;
    is_time.then(|| format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"))
}

/// Digits after the second; absent if it is something else.
pub(super) fn subsec(digits: &str) -> Option<String> {
    let digits = digits.trim();
    (!digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit()))
        .then(|| digits[..digits.len().min(MAX_SUBSEC_DIGITS)].to_owned())
}

/// `+02:00`, `-03:30`, `+0200`; `Z` is `+00:00`.
pub(super) fn offset(text: &str) -> Option<String> {
    if text == "Z" {
        return Some("+00:00".to_owned());
    }
    let ([sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] | [sign @ (b'+' | b'-'), h1, h2, m1, m2]) = *text.as_bytes() else {
        return None;
    };
    let is_offset = [h1, h2, m1, m2].iter().all(u8::is_ascii_digit) && (h1, h2) <= (b'1', b'4') && m1 < b'6';
    is_offset.then(|| [sign, h1, h2, b':', m1, m2].into_iter().map(char::from).collect())
}

/// Seconds since 1970-01-01T00:00:00 in the same zone. `local` is one of ours.
pub(super) fn seconds(local: &str) -> Option<i64> {
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

/// The time that is so many seconds after 1970-01-01T00:00:00.
pub(super) fn of_seconds(seconds: i64) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_they_are_written() {
        for (text, want) in [
            ("2019:07:04 12:30:05", "2019-07-04T12:30:05"),
            ("2019-07-04T12:30:05Z", "2019-07-04T12:30:05 +00:00"),
            ("2019:07:04 12:30:05.123+02:00", "2019-07-04T12:30:05 .123 +02:00"),
            ("2019-07-04T12:30-03:30", "2019-07-04T12:30:00 -03:30"),
            ("2019-07-04T12:30:05.1234567890", "2019-07-04T12:30:05 .123456789"),
            ("2019-07-04", "2019-07-04T00:00:00 day"),
            ("2019/07/04 12:30:05", "2019-07-04T12:30:05"),
            ("0000:00:00 00:00:00", ""),
            ("    :  :     :  :  ", ""),
            ("2019:13:04 12:30:05", ""),
            ("2019:07:04 12:30:0é", ""),
            ("2019:07:04 ab", ""),
            ("2019", ""),
            ("", ""),
        ] {
            let said = captured(text, "", Confidence::Low).map(|at| {
                let subsec = at.subsec.map(|digits| format!(" .{digits}")).unwrap_or_default();
                let offset = at.offset.map(|offset| format!(" {offset}")).unwrap_or_default();
                [at.local.as_str(), &subsec, &offset, if at.day_only { " day" } else { "" }].concat()
            });
            assert_eq!(said.unwrap_or_default(), want, "{text}");
        }
    }

    #[test]
    fn offsets_are_checked() {
        for (text, want) in [
            ("+02:00", Some("+02:00")),
            ("-0330", Some("-03:30")),
            ("Z", Some("+00:00")),
            ("+2:00", None),
            ("+15:00", None),
            ("   :  ", None),
        ] {
            assert_eq!(offset(text).as_deref(), want, "{text}");
        }
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
            assert_eq!(seconds(local), Some(want));
            assert_eq!(of_seconds(want), local);
        }
    }
}
