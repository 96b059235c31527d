//! Apple's maker note: what the pictures of a burst and the two files of a Live Photo have in common.

use crate::container::{u16_be, u32_be};

/// What it begins with; the directory follows, big-endian, its places counted from the note's beginning.
const BEGINNING: &[u8] = b"Apple iOS\0\0\x01MM";
/// Bytes of an identifier: a UUID with its dashes, and its end.
const MAX_IDENTIFIER_BYTES: usize = 64;

/// The identifiers, as exiftool's table of Apple tags names them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Apple {
    /// 0x000B, `BurstUUID`.
    pub(super) burst: Option<String>,
    /// 0x0011, `ContentIdentifier`.
    pub(super) content: Option<String>,
}

/// What the note says.
pub(super) fn read(note: &[u8]) -> Apple {
    let Some(directory) = note.strip_prefix(BEGINNING) else { return Apple::default() };
    let entry = |tag: u16| {
        let entries = directory.get(2..)?.chunks_exact(12).take(usize::from(u16_be(directory, 0)?));
        entries.into_iter().find(|entry| u16_be(entry, 0) == Some(tag))
    };
    let text = |tag: u16| {
        let entry = entry(tag)?;
        // Texts alone are of type 2; one that is longer than four bytes stands elsewhere.
        let (2, length @ 5..=MAX_IDENTIFIER_BYTES, at) =
            (u16_be(entry, 2)?, u32_be(entry, 4)? as usize, u32_be(entry, 8)? as usize)
        else {
            return None;
        };
        let text = std::str::from_utf8(note.get(at..at.checked_add(length)?)?).ok()?.trim_end_matches('\0');
        (!text.is_empty() && text.chars().all(|letter| letter.is_ascii_graphic())).then(|| text.to_owned())
    };
    Apple { burst: text(0x000B), content: text(0x0011) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_found_and_cuts_end_well() {
        let entry = |tag: u16, kind: u16, count: u32, value: u32| {
            [&tag.to_be_bytes()[..], &kind.to_be_bytes(), &count.to_be_bytes(), &value.to_be_bytes()].concat()
        };
        let at = BEGINNING.len() as u32 + 2 + 3 * 12 + 4;
        let note = [
            BEGINNING,
            &[0, 3],
            &entry(0x0001, 9, 1, 14),
            &entry(0x000B, 2, 8, at),
            &entry(0x0011, 2, 10, at + 8),
            &[0; 4],
            b"BURST-1\0CONTENT-1\0",
        ]
        .concat();
        let want = Apple { burst: Some("BURST-1".to_owned()), content: Some("CONTENT-1".to_owned()) };
        assert_eq!(read(&note), want);
        for length in 0..note.len() {
            read(&note[..length]);
        }
        assert_eq!(read(b"Nikon\0\x02"), Apple::default());
    }
}
