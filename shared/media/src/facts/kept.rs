//! Texts as they are kept: within limits, so that an item with all of them fits into the catalog.

use photovault_domain::limits::{MAX_KEYWORDS, MAX_TEXT_BYTES, MAX_WORD_BYTES};

/// A title, caption, author or right.
pub(super) fn text(text: &str) -> String {
    cut(text, MAX_TEXT_BYTES)
}

/// A keyword, label, place or name.
pub(super) fn word(text: &str) -> String {
    cut(text, MAX_WORD_BYTES)
}

/// Adds keywords that are not there yet, as many as are kept.
pub(super) fn add_keywords<'a>(keywords: &mut Vec<String>, more: impl IntoIterator<Item = &'a str>) {
    for keyword in more.into_iter().map(|keyword| word(keyword.trim())) {
        if keywords.len() < MAX_KEYWORDS && !keyword.is_empty() && !keywords.contains(&keyword) {
            keywords.push(keyword);
        }
    }
}

fn cut(text: &str, most_bytes: usize) -> String {
    text[..text.floor_char_boundary(most_bytes)].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_is_cut_between_letters() {
        assert_eq!(word(&"é".repeat(200)), "é".repeat(128));
        assert_eq!(word(&["x", &"é".repeat(200)].concat()).len(), 255);
        assert_eq!(text("short"), "short");
        let mut keywords = vec!["sea".to_owned()];
        add_keywords(&mut keywords, [" sea ", "", "sand"]);
        assert_eq!(keywords, ["sea", "sand"]);
        let many: Vec<String> = (0..1000).map(|n| n.to_string()).collect();
        add_keywords(&mut keywords, many.iter().map(String::as_str));
        assert_eq!(keywords.len(), MAX_KEYWORDS);
    }
}
