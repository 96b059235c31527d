//! What a file's name tells: when it was taken, and whether it shows a screen.

use photovault_domain::{Captured, Confidence};

use super::time;

/// Who names files so, what such a name begins with, and how far its time is to be trusted. The first that fits counts.
const PATTERNS: &[Pattern] = &[
    // Pixel phones write UTC.
    Pattern { start: "PXL_", source: "file name (Pixel)", confidence: Confidence::Medium, is_utc: true },
    Pattern { start: "IMG-", source: "file name (WhatsApp)", confidence: Confidence::Low, is_utc: false },
    Pattern { start: "VID-", source: "file name (WhatsApp)", confidence: Confidence::Low, is_utc: false },
    Pattern { start: "WhatsApp ", source: "file name (WhatsApp)", confidence: Confidence::Low, is_utc: false },
    Pattern { start: "signal-", source: "file name (Signal)", confidence: Confidence::Low, is_utc: false },
    Pattern { start: "photo_", source: "file name (Telegram)", confidence: Confidence::Low, is_utc: false },
    Pattern { start: "Screenshot", source: "file name (screenshot)", confidence: Confidence::Medium, is_utc: false },
    Pattern { start: "Screen Shot", source: "file name (screenshot)", confidence: Confidence::Medium, is_utc: false },
    Pattern { start: "Bildschirmfoto", source: "file name (screenshot)", confidence: Confidence::Medium, is_utc: false },
    Pattern { start: "IMG_", source: "file name (Android)", confidence: Confidence::Medium, is_utc: false },
    Pattern { start: "VID_", source: "file name (Android)", confidence: Confidence::Medium, is_utc: false },
    Pattern { start: "MVIMG_", source: "file name (Android)", confidence: Confidence::Medium, is_utc: false },
    Pattern { start: "PANO_", source: "file name (Android)", confidence: Confidence::Medium, is_utc: false },
    // Samsung's phones begin with the year.
    Pattern { start: "19", source: "file name (date first)", confidence: Confidence::Medium, is_utc: false },
    Pattern { start: "20", source: "file name (date first)", confidence: Confidence::Medium, is_utc: false },
    Pattern { start: "", source: "file name", confidence: Confidence::Low, is_utc: false },
];

struct Pattern {
    start: &'static str,
    source: &'static str,
    confidence: Confidence,
    is_utc: bool,
}

/// The time in a name. Folders before it do not count.
pub(super) fn captured(name: &str) -> Option<Captured> {
    let name = last_part(name);
    let pattern = PATTERNS.iter().find(|pattern| starts_with(name, pattern.start))?;
    let (local, subsec) = time_in(name)?;
    let confidence = if local.day_only { Confidence::Low } else { pattern.confidence };
    let offset = pattern.is_utc.then(|| "+00:00".to_owned());
    Some(Captured { subsec, offset, source: pattern.source.to_owned(), confidence, ..local })
}

/// Whether phones and computers call screenshots so.
pub(super) fn is_screenshot(name: &str) -> bool {
    let name = last_part(name);
    let mut patterns = PATTERNS.iter().filter(|pattern| pattern.source.ends_with("(screenshot)"));
    patterns.any(|pattern| starts_with(name, pattern.start))
}

fn last_part(name: &str) -> &str {
    name.rsplit(['/', '\\']).next().unwrap_or(name)
}

fn starts_with(name: &str, start: &str) -> bool {
    name.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start))
}

/// The first run of digits that is a date, with the time behind it: `20190704_123005123`, `2019-07-04 at 12.30.05`, `2019-07-04-12-30-05-123`.
fn time_in(name: &str) -> Option<(Captured, Option<String>)> {
    let runs: Vec<&str> = name.split(|letter: char| !letter.is_ascii_digit()).filter(|run| !run.is_empty()).collect();
    for (index, run) in runs.iter().enumerate() {
        let next = |ahead: usize, length: usize| runs.get(index + ahead).copied().filter(|run| run.len() == length);
        // A date in one run, or in three; the time behind it in one run, or in three.
        let (date, behind) = match run.len() {
            8 | 14 | 17 => (run.get(..8)?.to_owned(), 1),
            4 if next(1, 2).is_some() && next(2, 2).is_some() => ([*run, next(1, 2)?, next(2, 2)?].concat(), 3),
            _ => continue,
        };
        let date = [&date[..4], &date[4..6], &date[6..]].join("-");
        let clock = match run.len() {
            14 | 17 => Some((run[8..].to_owned(), None)),
            _ => match runs.get(index + behind).copied() {
                Some(clock) if matches!(clock.len(), 6 | 9) => Some((clock.to_owned(), next(behind + 1, 3))),
                Some(hour) if hour.len() == 2 => {
                    let parts = next(behind + 1, 2).zip(next(behind + 2, 2));
                    parts.map(|(minute, second)| ([hour, minute, second].concat(), next(behind + 3, 3)))
                }
                _ => None,
            },
        };
        let with_clock = clock.and_then(|(clock, fraction)| {
            let time = [&clock[..2], &clock[2..4], &clock[4..6]].join(":");
            let fraction = if clock.len() > 6 { Some(&clock[6..]) } else { fraction };
            let local = time::captured(&format!("{date}T{time}"), "", Confidence::Low)?;
            Some((local, fraction.map(str::to_owned)))
        });
        let found = with_clock.or_else(|| Some((time::captured(&date, "", Confidence::Low)?, None)));
        // A number before the date, such as that of a camera's file, is passed over; so is what lies outside of a century of photos.
        if let Some(found) = found.filter(|(local, _)| ("1900".."2100").contains(&local.local.as_str())) {
            return Some(found);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_phones_and_messengers_are_known() {
        use Confidence::{Low, Medium};
        for (name, want) in [
            ("PXL_20230704_123005123.jpg", Some(("2023-07-04T12:30:05", Some("123"), "file name (Pixel)", Medium))),
            ("camera/PXL_20230704_123005123.MP.jpg", Some(("2023-07-04T12:30:05", Some("123"), "file name (Pixel)", Medium))),
            ("IMG-20230704-WA0012.jpg", Some(("2023-07-04T00:00:00", None, "file name (WhatsApp)", Low))),
            ("WhatsApp Image 2023-07-04 at 12.30.05.jpeg", Some(("2023-07-04T12:30:05", None, "file name (WhatsApp)", Low))),
            ("signal-2023-07-04-12-30-05-123.jpg", Some(("2023-07-04T12:30:05", Some("123"), "file name (Signal)", Low))),
            ("signal-2023-07-04-123005.jpg", Some(("2023-07-04T12:30:05", None, "file name (Signal)", Low))),
            ("photo_2023-07-04_12-30-05.jpg", Some(("2023-07-04T12:30:05", None, "file name (Telegram)", Low))),
            ("IMG_20230704_123005.jpg", Some(("2023-07-04T12:30:05", None, "file name (Android)", Medium))),
            ("20230704_123005.jpg", Some(("2023-07-04T12:30:05", None, "file name (date first)", Medium))),
            ("Screenshot_20230704-123005.png", Some(("2023-07-04T12:30:05", None, "file name (screenshot)", Medium))),
            (
                "Screenshot_2023-07-04-12-30-05-123_com.app.png",
                Some(("2023-07-04T12:30:05", Some("123"), "file name (screenshot)", Medium)),
            ),
            ("Screenshot 2023-07-04 at 12.30.05.png", Some(("2023-07-04T12:30:05", None, "file name (screenshot)", Medium))),
            ("Screenshot from 2023-07-04 12-30-05.png", Some(("2023-07-04T12:30:05", None, "file name (screenshot)", Medium))),
            ("holiday 20230704123005.jpg", Some(("2023-07-04T12:30:05", None, "file name", Low))),
            ("2023-07-04.jpg", Some(("2023-07-04T00:00:00", None, "file name (date first)", Low))),
            ("IMG_0042.jpg", None),
            ("DSC01234.JPG", None),
            ("99999999_123456.jpg", None),
            ("20231304_123005.jpg", None),
            ("é٣٣.jpg", None),
            ("", None),
        ] {
            let found = captured(name);
            let said = found.as_ref().map(|at| (at.local.as_str(), at.subsec.as_deref(), at.source.as_str(), at.confidence));
            assert_eq!(said, want, "{name}");
        }
        assert_eq!(captured("PXL_20230704_123005123.jpg").unwrap().offset.as_deref(), Some("+00:00"));
        assert!(captured("IMG-20230704-WA0012.jpg").unwrap().day_only);
    }

    #[test]
    fn screenshots_are_called_so() {
        assert!(is_screenshot("phone/Screenshot_20230704-123005.png") && is_screenshot("Bildschirmfoto 2023-07-04.png"));
        assert!(!is_screenshot("Screenshots/IMG_1.jpg") && !is_screenshot("my screenshot.png"));
    }
}
