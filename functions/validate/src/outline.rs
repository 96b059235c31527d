//! The outline of a video while it passes: its head, and the headers of the boxes behind it, at their places.
//!
//! A camera writes a video's index behind its pictures, so whether a file was cut off is told by boxes gigabytes apart.
//! The index itself (the `moov` box) is kept whole, within its limit: what it holds is looked into. The outline is a sparse file: everything between is a hole and takes no storage.

use std::{
    fs::File,
    io::{Seek as _, SeekFrom, Write as _},
    ops::Range,
};

use photovault_domain::limits::MAX_INDEX_BYTES;

/// A box's header: size, type, and the size again in 64 bits where it needs them (ISO/IEC 14496-12, 4.2).
const HEADER_BYTES: usize = 16;

/// A sparse copy of a video.
#[derive(Debug)]
pub(crate) struct Outline {
    file: File,
    passed: u64,
    next_box: u64,
    header: Vec<u8>,
    /// Where the index lies, once its header has passed.
    index: Option<Range<u64>>,
}

impl Outline {
    /// Begins with the video's head, all of which is kept.
    pub(crate) fn begin(head: &[u8]) -> std::io::Result<Self> {
        let mut outline =
            Self { file: tempfile::tempfile()?, passed: 0, next_box: 0, header: Vec::with_capacity(HEADER_BYTES), index: None };
        outline.file.write_all(head)?;
        outline.pass(head)?;
        Ok(outline)
    }

    /// Keeps of the next bytes what belongs to a box's header or to the index.
    pub(crate) fn pass(&mut self, chunk: &[u8]) -> std::io::Result<()> {
        let end = self.passed + chunk.len() as u64;
        while self.next_box + (self.header.len() as u64) < end {
            let from = usize::try_from(self.next_box + self.header.len() as u64 - self.passed).unwrap_or(chunk.len());
            let to = chunk.len().min(from + HEADER_BYTES - self.header.len());
            self.header.extend_from_slice(&chunk[from..to]);
            if self.header.len() < HEADER_BYTES {
                break;
            }
            self.keep_header()?;
        }
        if let Some(index) = &self.index {
            let (from, to) = (index.start.clamp(self.passed, end), index.end.clamp(self.passed, end));
            self.file.seek(SeekFrom::Start(from))?;
            self.file.write_all(&chunk[(from - self.passed) as usize..(to - self.passed) as usize])?;
        }
        self.passed = end;
        Ok(())
    }

    /// The outline, as long as the video.
    pub(crate) fn finish(mut self) -> std::io::Result<File> {
        while !self.header.is_empty() {
            self.keep_header()?;
        }
        self.file.set_len(self.passed)?;
        Ok(self.file)
    }

    fn keep_header(&mut self) -> std::io::Result<()> {
        self.file.seek(SeekFrom::Start(self.next_box))?;
        self.file.write_all(&self.header)?;
        let number = |bytes: &[u8]| bytes.iter().fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
        let size = match number(self.header.get(..4).unwrap_or_default()) {
            1 => number(self.header.get(8..).unwrap_or_default()),
            size => size,
        };
        if self.index.is_none() && self.header.get(4..8) == Some(b"moov") && size <= MAX_INDEX_BYTES as u64 {
            self.index = Some(self.next_box..self.next_box.saturating_add(size));
        }
        // A box may be as small as eight bytes: what was read beyond it is the next box's header.
        let own = usize::try_from(size).unwrap_or(usize::MAX).min(self.header.len());
        self.header.drain(..own);
        // A box of size 0 reaches to the end, and one smaller than its own header is damage: no header follows either.
        if size < 8 {
            self.header.clear();
        }
        self.next_box = if size < 8 { u64::MAX / 2 } else { self.next_box.saturating_add(size).min(u64::MAX / 2) };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn video(index_last: bool) -> Vec<u8> {
        let part =
            |kind: &[u8; 4], body: usize| [&u32::try_from(body + 8).unwrap().to_be_bytes()[..], kind, &vec![7; body]].concat();
        let wide = [&1_u32.to_be_bytes()[..], b"mdat", &(16 + 5000_u64).to_be_bytes(), &[7; 5000]].concat();
        let (index, free) = (part(b"moov", 900), part(b"free", 0));
        let ftyp = [&20_u32.to_be_bytes()[..], b"ftypisom", &[0; 8]].concat();
        if index_last { [ftyp, wide, free, index].concat() } else { [ftyp, index, free, wide].concat() }
    }

    #[test]
    fn an_outline_is_judged_like_the_video_itself() {
        for bytes in [video(true), video(false), video(true)[..5500].to_vec(), video(true)[..10].to_vec()] {
            let want = photovault_media::inspect(std::io::Cursor::new(&bytes), bytes.len() as u64);
            for step in [1, 7, 100, 10_000] {
                let head = bytes.len().min(64);
                let mut outline = Outline::begin(&bytes[..head]).unwrap();
                for chunk in bytes[head..].chunks(step) {
                    outline.pass(chunk).unwrap();
                }
                let mut file = outline.finish().unwrap();
                file.rewind().unwrap();
                assert_eq!(photovault_media::inspect(&file, bytes.len() as u64), want, "in steps of {step}");
                let mut copied = Vec::new();
                file.rewind().unwrap();
                file.read_to_end(&mut copied).unwrap();
                assert_eq!(copied.len(), bytes.len());
            }
        }
    }
}
