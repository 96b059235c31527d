//! A PNG's texts by the keys that its standard gives (W3C PNG, third edition, 11.3.3.1).

use photovault_domain::{Camera, Captured, Confidence, Facts};

use super::{kept, some, time};

/// Everything that is understood.
pub(super) fn facts(texts: &[(String, String)]) -> Facts {
    let text = |key: &str| {
        let found = texts.iter().find(|(known, text)| known.eq_ignore_ascii_case(key) && !text.is_empty());
        found.map(|(_, text)| kept::text(text))
    };
    Facts {
        times: text("Creation Time").and_then(|text| captured(&text)).into_iter().collect(),
        camera: some(Camera { software: text("Software"), ..Camera::default() }),
        title: text("Title"),
        description: text("Description").or_else(|| text("Comment")),
        artist: text("Author"),
        copyright: text("Copyright"),
        ..Facts::default()
    }
}

/// In the form of RFC 1123 (`Thu, 04 Jul 2019 12:30:05 +0200`), as the standard wants it, or as dates are written elsewhere.
fn captured(text: &str) -> Option<Captured> {
    let source = "PNG Creation Time";
    if let Some(at) = time::captured(text, source, Confidence::Medium) {
        return Some(at);
    }
    let words: Vec<&str> = text.rsplit(", ").next()?.split_whitespace().collect();
    let [day, month, year, clock, rest @ ..] = words.as_slice() else { return None };
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = 1 + months.iter().position(|name| month.get(..3) == Some(name))?;
    let zone = match rest.first() {
        Some(&"GMT" | &"UTC") => "Z",
        Some(zone) => zone,
        None => "",
    };
    time::captured(&format!("{year}-{month:02}-{day:0>2}T{clock}{zone}"), source, Confidence::Medium)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn creation_times_come_in_many_forms() {
        for (text, want) in [
            ("Thu, 04 Jul 2019 12:30:05 +0200", Some(("2019-07-04T12:30:05", Some("+02:00")))),
            ("4 July 2019 12:30:05 GMT", Some(("2019-07-04T12:30:05", Some("+00:00")))),
            ("2019-07-04T12:30:05", Some(("2019-07-04T12:30:05", None))),
            ("2019:07:04 12:30:05", Some(("2019-07-04T12:30:05", None))),
            ("some day in July", None),
            ("é, é é é é", None),
        ] {
            let found = captured(text);
            assert_eq!(found.as_ref().map(|at| (at.local.as_str(), at.offset.as_deref())), want, "{text}");
        }
    }

    #[test]
    fn the_standards_keys_are_read() {
        let texts = [("title", "A beach"), ("Author", "Ann"), ("Comment", "words"), ("Title", "another")];
        let found = facts(&texts.map(|(key, text)| (key.to_owned(), text.to_owned())));
        assert_eq!((found.title.as_deref(), found.artist.as_deref()), (Some("A beach"), Some("Ann")));
        assert_eq!((found.description.as_deref(), found.times.len()), (Some("words"), 0));
    }
}
