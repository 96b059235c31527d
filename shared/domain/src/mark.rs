//! Marks of persons whom a recogniser keeps, and what splits make of them.
//!
//! A person has the mark of the face that founded them, and those whom a split took from them have that mark with the split's behind it,
//! `<face>:<split>`; after another split, `<face>:<split>:<split>`. So a mark says whom it was of before, and means them again where the split is
//! taken back, without any row being written.

use sha2::Digest as _;

use crate::{PeopleEdit, people::RECOGNISED};

/// What a split's mark begins with. Rekognition's names of persons may have it, and the marks of its faces have not.
const SPLIT: char = ':';
/// Splits of one mark at most, the latest: Rekognition's names of persons have 128 characters, and a face's mark 36.
const MOST_SPLITS: usize = 8;

impl PeopleEdit {
    /// The mark of a split. The same words have the same one, whenever they are said.
    pub fn split(&self) -> Option<String> {
        let Self::Apart { shown, from } = self else { return None };
        let words = shown.iter().chain([from]).map(|shown| format!("{} {}\n", shown.media, shown.word));
        Some(hex::encode(&sha2::Sha256::digest(words.collect::<String>())[..4]))
    }
}

/// The splits among what was said, each once.
pub fn splits_in(said: &[PeopleEdit]) -> Vec<String> {
    let mut splits: Vec<String> = Vec::new();
    for split in said.iter().filter_map(PeopleEdit::split) {
        if !splits.contains(&split) {
            splits.push(split);
        }
    }
    splits
}

/// The splits of a mark, in their order.
pub fn splits_of(mark: &str) -> impl Iterator<Item = &str> {
    mark.split(SPLIT).skip(1)
}

/// Whose mark it was before any split.
pub fn origin_of(mark: &str) -> &str {
    mark.split(SPLIT).next().unwrap_or_default()
}

/// Whether a mark is that one, or became of it by splits.
pub fn is_mark_of(mark: &str, before: &str) -> bool {
    mark.strip_prefix(before).is_some_and(|splits| splits.is_empty() || splits.starts_with(SPLIT))
}

/// What a mark means where these splits hold, in the order in which they were said; with `parted`, after that split too.
pub fn mark_by(holding: &[String], mark: &str, parted: Option<&str>) -> String {
    let is_in = |split: &&String| parted == Some(split.as_str()) || splits_of(mark).any(|own| own == *split);
    let own: Vec<&String> = holding.iter().filter(is_in).collect();
    let latest = own.iter().skip(own.len().saturating_sub(MOST_SPLITS));
    latest.fold(origin_of(mark).to_owned(), |mark, split| format!("{mark}{SPLIT}{split}"))
}

/// The words that a mark stood for on a photo, from the first to the present one.
pub fn words_of(mark: &str) -> impl Iterator<Item = String> {
    let ends = mark.match_indices(SPLIT).map(|(at, _)| at).chain([mark.len()]);
    ends.map(|end| format!("{RECOGNISED}{}", &mark[..end]))
}

/// The mark that a word stands for; `None` of names.
pub fn mark_in(word: &str) -> Option<&str> {
    word.strip_prefix(RECOGNISED)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MediaId, Sha256, Shown, UserId};

    #[test]
    fn marks_tell_their_splits_and_lose_those_that_do_not_hold() {
        let holding = |splits: &[&str]| splits.iter().map(ToString::to_string).collect::<Vec<_>>();
        let said = holding(&["a", "b"]);
        for (mark, parted, want) in [
            ("f", None, "f"),
            ("f", Some("a"), "f:a"),
            ("f:a", Some("a"), "f:a"),
            ("f:a", Some("b"), "f:a:b"),
            ("f:b", Some("a"), "f:a:b"),
            ("f:x", None, "f"),
            ("f:a:x", None, "f:a"),
        ] {
            assert_eq!(mark_by(&said, mark, parted), want, "{mark} {parted:?}");
        }
        let many = holding(&["1", "2", "3", "4", "5", "6", "7", "8", "9"]);
        assert_eq!(mark_by(&many, "f:1:2:3:4:5:6:7:8", Some("9")), "f:2:3:4:5:6:7:8:9");
        assert_eq!(words_of("f:a:b").collect::<Vec<_>>(), ["#f", "#f:a", "#f:a:b"]);
        assert_eq!((origin_of("f:a"), mark_in("#f:a"), mark_in("ben")), ("f", Some("f:a"), None));
        assert!(is_mark_of("f:a", "f") && is_mark_of("f", "f") && !is_mark_of("fg", "f") && !is_mark_of("f", "f:a"));
    }

    #[test]
    fn the_same_words_are_the_same_split() {
        let user: UserId = "ann".parse().unwrap();
        let shown = |number: u8| Shown { media: MediaId::of_bytes(&user, &Sha256::from_digest([number; 32])), word: "#f".into() };
        let apart = |goes: u8, stays: u8| PeopleEdit::Apart { shown: vec![shown(goes)], from: shown(stays) }.split().unwrap();
        assert!(apart(1, 2) == apart(1, 2) && apart(1, 2) != apart(2, 1) && apart(1, 2).len() == 8);
        let edit = PeopleEdit::Apart { shown: vec![shown(1)], from: shown(2) };
        assert_eq!(splits_in(&[edit.clone(), PeopleEdit::Same(shown(1), shown(2)), edit]), [apart(1, 2)]);
    }
}
