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
}
