//! A file of which only pieces are in memory: metadata stands in a small part of a photo, and the rest need not travel.

use std::{
    collections::BTreeMap,
    io::{Error, ErrorKind, Read, Result, Seek, SeekFrom},
    ops::Range,
};

/// The least that is asked for at once: one trip is dearer than some bytes more.
const READ_AHEAD_BYTES: u64 = 128 * 1024;

/// Pieces of a file. A read of bytes that are not here fails, and [`Sparse::missing`] says what to add before the next try.
#[derive(Debug)]
pub struct Sparse {
    size_bytes: u64,
    pieces: BTreeMap<u64, Vec<u8>>,
    at: u64,
    missing: Option<Range<u64>>,
}

impl Sparse {
    /// A file of this size, none of it here yet; its beginning is missing.
    pub fn new(size_bytes: u64) -> Self {
        Self { size_bytes, pieces: BTreeMap::new(), at: 0, missing: Some(0..READ_AHEAD_BYTES.min(size_bytes)) }
    }

    /// What the last reads wanted and did not find, and what surely follows it.
    pub fn missing(&self) -> Option<Range<u64>> {
        self.missing.clone()
    }

    /// Adds the bytes from `at` on. Reading begins anew.
    pub fn add(&mut self, at: u64, bytes: Vec<u8>) {
        let covered = |start: &u64, piece: &mut Vec<u8>| at <= *start && start + piece.len() as u64 <= at + bytes.len() as u64;
        self.pieces.retain(|start, piece| !covered(start, piece));
        self.pieces.insert(at, bytes);
        self.at = 0;
        self.missing = None;
    }

    /// The bytes from the position on, as far as one piece goes.
    fn here(&self) -> Option<&[u8]> {
        let (begin, piece) = self.pieces.range(..=self.at).next_back()?;
        piece.get((self.at - begin) as usize..).filter(|rest| !rest.is_empty())
    }

    /// Remembers that `length` bytes are wanted from the position on, up to the next piece that is here.
    fn miss(&mut self, length: u64) -> Error {
        let next_piece = self.pieces.range(self.at..).next().map_or(self.size_bytes, |(at, _)| *at);
        let end = self.at.saturating_add(length.max(READ_AHEAD_BYTES)).min(self.size_bytes);
        self.missing = Some(self.at..end.min(next_piece.max(self.at + 1)));
        Error::new(ErrorKind::WouldBlock, "these bytes are not here yet")
    }
}

impl Read for Sparse {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        if self.at >= self.size_bytes || buffer.is_empty() {
            return Ok(0);
        }
        let Some(here) = self.here() else { return Err(self.miss(buffer.len() as u64)) };
        let read = here.len().min(buffer.len());
        buffer[..read].copy_from_slice(&here[..read]);
        self.at += read as u64;
        Ok(read)
    }

    /// Asks for all that is left at once, where a reader grows its buffer step by step.
    fn read_to_end(&mut self, buffer: &mut Vec<u8>) -> Result<usize> {
        let before = buffer.len();
        while self.at < self.size_bytes {
            let Some(here) = self.here() else { return Err(self.miss(self.size_bytes)) };
            let read = here.len() as u64;
            buffer.extend_from_slice(here);
            self.at += read;
        }
        Ok(buffer.len() - before)
    }
}

impl Seek for Sparse {
    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.size_bytes.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or_else(|| Error::new(ErrorKind::InvalidInput, "a seek before the file's beginning"))?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads with `read` until nothing is missing; gives what was read and the trips that it took.
    fn fetched<T>(file: &[u8], mut read: impl FnMut(&mut Sparse) -> Result<T>) -> (T, Vec<Range<u64>>) {
        let mut sparse = Sparse::new(file.len() as u64);
        let mut trips = Vec::new();
        loop {
            if let Some(range) = sparse.missing() {
                sparse.add(range.start, file[range.start as usize..range.end as usize].to_vec());
                trips.push(range);
            }
            let answer = read(&mut sparse);
            if sparse.missing().is_none() {
                return (answer.expect("all that it asked for is there"), trips);
            }
        }
    }

    #[test]
    fn what_is_read_is_what_the_file_holds() {
        let file: Vec<u8> = (0..1_000_000_u32).map(|n| (n / 7) as u8).collect();
        let part = |at: u64, length: usize| {
            fetched(&file, |sparse| {
                sparse.seek(SeekFrom::Start(at))?;
                let mut bytes = vec![0; length];
                sparse.read_exact(&mut bytes).map(|()| bytes)
            })
        };
        for (at, length, trips) in [(0, 10, 1), (100_000, 100_000, 2), (900_000, 100_000, 2), (131_071, 2, 2)] {
            let (bytes, taken) = part(at, length);
            assert_eq!(bytes, file[at as usize..at as usize + length], "{length} bytes at {at}");
            assert_eq!(taken.len(), trips, "{length} bytes at {at}: {taken:?}");
        }
        let (all, taken) = fetched(&file, |sparse| {
            let mut all = Vec::new();
            sparse.read_to_end(&mut all).map(|_| all)
        });
        assert_eq!((all == file, taken), (true, vec![0..131_072, 131_072..1_000_000]));
    }

    #[test]
    fn the_end_is_the_end() {
        let (bytes, trips) = fetched(b"abc", |sparse| {
            sparse.seek(SeekFrom::End(-1))?;
            let mut rest = Vec::new();
            sparse.read_to_end(&mut rest).map(|_| rest)
        });
        assert_eq!(bytes, b"c");
        assert!(trips.iter().eq([&(0..3)]));
    }
}
