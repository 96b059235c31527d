//! A part of a file, read as a file of its own: the JPEG in a raw photo, the second picture in a JPEG.

use std::io::{Error, Read, Result, Seek, SeekFrom};

use super::Source;

/// `length` bytes of a file from `at` on, or as many as there are.
pub(crate) struct Part<'a, R> {
    source: &'a mut Source<R>,
    at: u64,
    length: u64,
    position: u64,
}

impl<'a, R: Read + Seek> Part<'a, R> {
    /// The part as a file.
    pub(crate) fn of(source: &'a mut Source<R>, at: u64, length: u64) -> Source<Self> {
        let length = length.min(source.size_bytes().saturating_sub(at));
        Source::new(Self { source, at, length, position: 0 }, length)
    }
}

impl<R: Read + Seek> Read for Part<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let left = self.length.saturating_sub(self.position);
        let wanted = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let found =
            self.source.up_to(self.at + self.position, wanted).map_err(|damage| Error::other(damage.words().to_owned()))?;
        buffer[..found.len()].copy_from_slice(found);
        self.position += found.len() as u64;
        Ok(found.len())
    }
}

impl<R: Read + Seek> Seek for Part<'_, R> {
    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        let to = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.length.checked_add_signed(by),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
        };
        self.position = to.ok_or_else(|| Error::other("before the beginning"))?;
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_ends_where_it_ends() {
        let mut whole = Source::of_bytes(b"0123456789");
        let mut part = Part::of(&mut whole, 3, 4);
        assert_eq!(part.size_bytes(), 4);
        assert_eq!(part.up_to(1, 10).unwrap(), b"456");
        assert_eq!(part.up_to(9, 1).unwrap(), b"");
        assert_eq!(part.all().unwrap(), b"3456");
        assert_eq!(Part::of(&mut whole, 8, 100).size_bytes(), 2);
    }
}
