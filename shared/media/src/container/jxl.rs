//! JPEG XL (ISO/IEC 18181): where the codestream lies, how large its picture is, and the Exif block beside it.

use std::io::{Read, Seek};

use super::{Damage, Source, bmff, u32_be};
use photovault_domain::limits::MAX_METADATA_BYTES;

/// Bytes of the codestream that its size may take: two of signature, and at most 67 bits.
const HEADER_BYTES: usize = 12;
/// Widths by heights, for the codes of `ratio` from 1 on.
const RATIOS: [(u64, u64); 7] = [(1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1)];

/// Reads width and height from the codestream's header (18181-1, `SizeHeader`).
pub(crate) fn size<R: Read + Seek>(source: &mut Source<R>) -> Result<(u32, u32), Damage> {
    let at = codestream_at(source)?;
    let head = source.up_to(at, HEADER_BYTES)?;
    if !head.starts_with(b"\xFF\x0A") {
        return Err(Damage::new("its JPEG XL codestream does not begin as one"));
    }
    Bits { bytes: &head[2..], at: 0 }.size().ok_or_else(|| Damage::new("its JPEG XL header is cut off"))
}

/// The Exif block of the container, from its TIFF header on.
pub(crate) fn exif<R: Read + Seek>(source: &mut Source<R>) -> Option<Vec<u8>> {
    let (at, length) = bmff::body_of(source, *b"Exif").ok()??;
    let length = usize::try_from(length).ok().filter(|length| *length <= MAX_METADATA_BYTES)?;
    let block = source.exact(at, length).ok()?;
    // Four bytes say how far behind them the header lies.
    block.get(4 + u32_be(block, 0)? as usize..).map(<[u8]>::to_vec)
}

/// A file is a bare codestream, or boxes of which one holds it, or its first part behind a number.
fn codestream_at<R: Read + Seek>(source: &mut Source<R>) -> Result<u64, Damage> {
    if source.up_to(0, 2)? == b"\xFF\x0A" {
        return Ok(0);
    }
    if let Some((at, _)) = bmff::body_of(source, *b"jxlc")? {
        return Ok(at);
    }
    let part = bmff::body_of(source, *b"jxlp")?;
    part.map(|(at, _)| at + 4).ok_or_else(|| Damage::new("it has no picture in it (no 'jxlc' box)"))
}

/// Bits from the lowest of each byte on.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn size(&mut self) -> Option<(u32, u32)> {
        let is_small = self.take(1)? == 1;
        let height = self.side(is_small)?;
        let width = match self.take(3)? as usize {
            0 => self.side(is_small)?,
            code => {
                let (across, down) = RATIOS[code - 1];
                height * across / down
            }
        };
        Some((u32::try_from(width).unwrap_or(u32::MAX), u32::try_from(height).unwrap_or(u32::MAX)))
    }

    fn side(&mut self, is_small: bool) -> Option<u64> {
        if is_small {
            return Some((self.take(5)? + 1) * 8);
        }
        let width = [9, 13, 18, 30][self.take(2)? as usize];
        Some(self.take(width)? + 1)
    }

    fn take(&mut self, count: usize) -> Option<u64> {
        let mut number = 0;
        for bit in 0..count {
            let byte = self.bytes.get(self.at / 8)?;
            number |= u64::from(byte >> (self.at % 8) & 1) << bit;
            self.at += 1;
        }
        Some(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A header of these numbers, each with its count of bits.
    fn header(parts: &[(u64, usize)]) -> Vec<u8> {
        let bits: Vec<u64> = parts.iter().flat_map(|(number, count)| (0..*count).map(move |bit| number >> bit & 1)).collect();
        let bytes = bits.chunks(8).map(|byte| byte.iter().enumerate().fold(0, |all, (at, bit)| all | (*bit as u8) << at));
        [vec![0xFF, 0x0A], bytes.collect(), vec![0; 8]].concat()
    }

    #[test]
    fn sizes_are_read_from_bare_streams_and_from_boxes() {
        for (parts, want) in [
            (vec![(1, 1), (3, 5), (0, 3), (7, 5)], (64, 32)),
            (vec![(1, 1), (3, 5), (7, 3)], (64, 32)),
            (vec![(0, 1), (1, 2), (2999, 13), (3, 3)], (4000, 3000)),
            (vec![(0, 1), (0, 2), (99, 9), (0, 3), (3, 2), (1_000_000, 30)], (1_000_001, 100)),
        ] {
            let bare = header(&parts);
            let boxed = [b"\0\0\0\x0CJXL \r\n\x87\n\0\0\0\0jxlc".as_slice(), &bare].concat();
            let in_parts = [b"\0\0\0\x0CJXL \r\n\x87\n\0\0\0\0jxlp\0\0\0\0".as_slice(), &bare].concat();
            for bytes in [bare, boxed, in_parts] {
                assert_eq!(size(&mut Source::of_bytes(&bytes)), Ok(want));
            }
        }
    }

    #[test]
    fn what_is_cut_off_is_damage() {
        let bytes = header(&[(0, 1), (3, 2), (1_000_000, 30), (0, 3), (3, 2), (9, 30)]);
        for length in 0..9 {
            assert!(size(&mut Source::of_bytes(&bytes[..length])).is_err(), "{length} bytes");
        }
        assert!(size(&mut Source::of_bytes(b"\0\0\0\x0CJXL \r\n\x87\n")).is_err());
    }
}
