//! What an upload tells beside its bytes: the file's name, and when it came.

use photovault_domain::{Captured, Confidence, Facts, UtcMs, local_of_seconds, local_seconds};

use super::{capture, names};

/// Seconds that the clock of the fastest zone is ahead of UTC: no local time of an hour ago can be later than that.
const FASTEST_ZONE_S: i64 = 14 * 3600;

/// One arrival of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// What its uploader called it, folders included.
    pub name: String,
    /// When it came.
    pub at: UtcMs,
}

/// The facts with what the arrivals tell: times that the name says, the time of the first upload, which a capture time cannot be after.
pub fn with_arrivals(mut facts: Facts, arrivals: &[Arrival]) -> Facts {
    facts.screenshot |= arrivals.iter().any(|arrival| names::is_screenshot(&arrival.name));
    facts.times.extend(arrivals.iter().find_map(|arrival| names::captured(&arrival.name)));
    if let Some(first) = arrivals.iter().map(|arrival| arrival.at).min() {
        let came_s = first.0.div_euclid(1000);
        for at in &mut facts.times {
            if local_seconds(&at.local).is_some_and(|seconds| seconds - FASTEST_ZONE_S > came_s) {
                capture::doubt(at, "it is later than the upload");
            }
        }
        facts.times.push(Captured {
            local: local_of_seconds(came_s),
            offset: Some("+00:00".to_owned()),
            source: Captured::UPLOAD.to_owned(),
            confidence: Confidence::Low,
            ..Captured::default()
        });
    }
    capture::settle(&mut facts);
    facts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(times: &[Captured], name: &str) -> Facts {
        let arrival = Arrival { name: name.to_owned(), at: UtcMs(1_700_000_000_000) };
        with_arrivals(Facts { times: times.to_vec(), ..Facts::default() }, &[arrival])
    }

    fn own(local: &str) -> Captured {
        Captured {
            confidence: Confidence::High,
            source: "Exif DateTimeOriginal".into(),
            local: local.into(),
            ..Captured::default()
        }
    }

    #[test]
    fn a_name_is_better_than_nothing_and_an_upload_is_the_last_resort() {
        let source = |times: &[Captured], name: &str| told(times, name).captured.unwrap().source;
        assert_eq!(source(&[own("2019-07-04T12:30:05")], "IMG_20200704_123005.jpg"), "Exif DateTimeOriginal");
        assert_eq!(source(&[], "IMG_20200704_123005.jpg"), "file name (Android)");
        assert_eq!(source(&[], "IMG-20200704-WA0012.jpg"), "file name (WhatsApp)");
        assert_eq!(source(&[], "beach.jpg"), "upload");
        assert_eq!(told(&[], "beach.jpg").captured.unwrap().local, "2023-11-14T22:13:20");
        assert_eq!(told(&[], "IMG_20200704_123005.jpg").times.len(), 2, "what was not chosen is kept");
    }

    #[test]
    fn no_photo_is_taken_after_its_upload() {
        let facts = told(&[own("2033-01-01T12:00:00")], "IMG_20200704_123005.jpg");
        assert_eq!(facts.captured.unwrap().source, "file name (Android)");
        let doubted = facts.times.iter().find(|at| at.source == "Exif DateTimeOriginal").unwrap();
        assert_eq!(doubted.doubt.as_deref(), Some("it is later than the upload"));
        assert_eq!(told(&[own("2023-11-15T11:00:00")], "x.jpg").captured.unwrap().doubt, None, "it may be in another zone");
    }

    #[test]
    fn screens_are_told_by_their_name() {
        assert!(told(&[], "Screenshot_20230704-123005.png").screenshot && !told(&[], "beach.png").screenshot);
    }
}
