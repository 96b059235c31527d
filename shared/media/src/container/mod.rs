//! The outer layers of the formats: where size, Exif and colour profile lie. Nothing here decodes pixels.

pub(crate) mod avi;
pub(crate) mod bmff;
mod cr3;
pub(crate) mod exif;
pub(crate) mod gainmap;
pub(crate) mod gif;
pub(crate) mod heif;
pub(crate) mod jpeg;
pub(crate) mod jxl;
pub(crate) mod matroska;
pub(crate) mod movie;
mod part;
pub(crate) mod png;
pub(crate) mod raw;
pub(crate) mod tiff;
pub(crate) mod webp;

use std::io::{Read, Seek, SeekFrom};

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Damage {
    /// It is damaged, in words that complete "the file is damaged: …".
    Broken(String),
    /// It exceeds a limit, in words that complete "the file …" and name the value and the limit.
    Exceeds(String),
}

impl Damage {
    pub(crate) fn new(words: impl Into<String>) -> Self {
        Self::Broken(words.into())
    }

    /// What is wrong, without saying which of the two it is.
    pub(crate) fn words(&self) -> &str {
        let (Self::Broken(words) | Self::Exceeds(words)) = self;
        words
    }
}

/// `value` if it is within `limit`. `what` names the things counted, with the verb: "has frames".
pub(crate) fn within(value: impl Into<u64>, limit: impl Into<u64>, what: &str) -> Result<(), Damage> {
    let (value, limit) = (value.into(), limit.into());
    if value > limit { Err(Damage::Exceeds(format!("has {value} {what}; the limit is {limit}"))) } else { Ok(()) }
}

/// How much is read at once where more follows.
const WINDOW_BYTES: usize = 16 * 1024;

/// A file seen through a window, so that a walk over its parts reads only their headers.
pub(crate) struct Source<R> {
    reader: R,
    size_bytes: u64,
    window: Vec<u8>,
    window_at: u64,
}

impl<'a> Source<std::io::Cursor<&'a [u8]>> {
    /// A file that is in memory.
    pub(crate) fn of_bytes(bytes: &'a [u8]) -> Self {
        Self::new(std::io::Cursor::new(bytes), bytes.len() as u64)
    }
}

impl<R: Read + Seek> Source<R> {
    pub(crate) fn new(reader: R, size_bytes: u64) -> Self {
        Self { reader, size_bytes, window: Vec::new(), window_at: 0 }
    }

    pub(crate) fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// The bytes from `at` on, `length` of them or as many as there are.
    pub(crate) fn up_to(&mut self, at: u64, length: usize) -> Result<&[u8], Damage> {
        let inside = at.checked_sub(self.window_at).map(|from| from as usize);
        let from = match inside {
            Some(from) if from.checked_add(length).is_some_and(|end| end <= self.window.len()) => from,
            _ => {
                self.fill(at, length.max(WINDOW_BYTES))?;
                0
            }
        };
        let end = (from + length).min(self.window.len());
        Ok(&self.window[from.min(end)..end])
    }

    /// Exactly the `length` bytes from `at` on.
    pub(crate) fn exact(&mut self, at: u64, length: usize) -> Result<&[u8], Damage> {
        let size_bytes = self.size_bytes;
        let bytes = self.up_to(at, length)?;
        if bytes.len() < length {
            return Err(Damage::Broken(format!("it ends at byte {size_bytes}, inside a part that begins at byte {at}")));
        }
        Ok(bytes)
    }

    /// The whole file.
    pub(crate) fn all(&mut self) -> Result<Vec<u8>, Damage> {
        let unreadable = |error: std::io::Error| Damage::Broken(format!("it could not be read: {error}"));
        let mut bytes = Vec::new();
        self.reader.seek(SeekFrom::Start(0)).map_err(unreadable)?;
        self.reader.read_to_end(&mut bytes).map_err(unreadable)?;
        Ok(bytes)
    }

    fn fill(&mut self, at: u64, length: usize) -> Result<(), Damage> {
        let unreadable = |error: std::io::Error| Damage::Broken(format!("it could not be read at byte {at}: {error}"));
        self.window.clear();
        self.window_at = at;
        self.reader.seek(SeekFrom::Start(at)).map_err(unreadable)?;
        self.reader.by_ref().take(length as u64).read_to_end(&mut self.window).map_err(unreadable)?;
        Ok(())
    }
}

pub(crate) use part::Part;

/// The big-endian number at `at`, if it is there.
pub(crate) fn u16_be(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// The big-endian number at `at`, if it is there.
pub(crate) fn u32_be(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// The little-endian number at `at`, if it is there.
pub(crate) fn u16_le(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// The little-endian number at `at`, if it is there.
pub(crate) fn u32_le(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}
