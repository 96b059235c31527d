//! WebP's RIFF chunks (RFC 9649).

use std::io::{Read, Seek};

use super::{Damage, Source, u16_le, u32_le, within};
use photovault_domain::limits::{MAX_FRAME_PIXELS, MAX_FRAMES, MAX_METADATA_BYTES, MAX_PARTS};

/// Reads width and height from the first chunk: `VP8X`, `VP8 ` or `VP8L`.
pub(crate) fn size<R: Read + Seek>(source: &mut Source<R>) -> Result<(u32, u32), Damage> {
    let Ok(head) = source.exact(12, 18) else { return Err(Damage::new("its WebP header is cut off")) };
    let body = &head[8..];
    let u14 = |at| u32::from(u16_le(body, at).unwrap_or(0) & 0x3FFF);
    let u24 = |at: usize| u32::from_le_bytes([body[at], body[at + 1], body[at + 2], 0]);
    match &head[..4] {
        b"VP8X" => Ok((u24(4) + 1, u24(7) + 1)),
        b"VP8 " if body[3..6] == [0x9D, 0x01, 0x2A] => Ok((u14(6), u14(8))),
        b"VP8L" if body[0] == 0x2F => {
            let bits = u32_le(body, 1).unwrap_or(0);
            Ok(((bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1))
        }
        _ => Err(Damage::new("its WebP header does not begin a picture")),
    }
}

/// Holds chunks, frames and metadata against their limits.
pub(crate) fn check<R: Read + Seek>(source: &mut Source<R>) -> Result<(), Damage> {
    let (width, height) = size(source)?;
    let (mut at, mut frames) = (12, 0_u64);
    for _ in 0..MAX_PARTS {
        let head = source.up_to(at, 8)?;
        let (Some(kind), Some(length)) = (head.get(..4), u32_le(head, 4)) else {
            within(frames, MAX_FRAMES, "frames")?;
            return within(frames * u64::from(width) * u64::from(height), MAX_FRAME_PIXELS, "pixels in all its frames");
        };
        match kind {
            b"ANMF" => frames += 1,
            b"EXIF" | b"XMP " | b"ICCP" => within(length, MAX_METADATA_BYTES as u64, "bytes in one piece of metadata")?,
            _ => {}
        }
        at += 8 + u64::from(length) + u64::from(length & 1);
    }
    within(MAX_PARTS + 1, MAX_PARTS, "chunks or more")
}

/// The Exif block of the `EXIF` chunk.
pub(crate) fn exif(bytes: &[u8]) -> Option<Vec<u8>> {
    chunk(bytes, *b"EXIF").map(|data| data.strip_prefix(b"Exif\0\0").unwrap_or(data).to_vec())
}

/// The XMP packet of the `XMP ` chunk.
pub(crate) fn xmp(bytes: &[u8]) -> Option<Vec<u8>> {
    chunk(bytes, *b"XMP ").map(<[u8]>::to_vec)
}

/// The ICC profile of the `ICCP` chunk.
pub(crate) fn profile(bytes: &[u8]) -> Option<Vec<u8>> {
    chunk(bytes, *b"ICCP").map(<[u8]>::to_vec)
}

fn chunk(bytes: &[u8], kind: [u8; 4]) -> Option<&[u8]> {
    let mut rest = bytes.get(12..)?;
    for _ in 0..MAX_PARTS {
        let length = u32_le(rest, 4)? as usize;
        let data = rest.get(8..8_usize.checked_add(length)?.min(rest.len()))?;
        if rest.starts_with(&kind) && data.len() <= MAX_METADATA_BYTES {
            return Some(data);
        }
        rest = rest.get(8 + length + (length & 1)..)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn webp(kind: [u8; 4], body: &[u8]) -> Vec<u8> {
        let mut bytes = b"RIFF\0\0\0\0WEBP".to_vec();
        bytes.extend(kind);
        bytes.extend((body.len() as u32).to_le_bytes());
        bytes.extend(body);
        bytes.resize(bytes.len() + 10, 0);
        bytes
    }

    #[test]
    fn all_three_headers_tell_the_size() {
        for (kind, body, want) in [
            (b"VP8X", &[0_u8, 0, 0, 0, 6, 0, 0, 4, 0, 0][..], (7, 5)),
            (b"VP8 ", &[0, 0, 0, 0x9D, 1, 0x2A, 7, 0x40, 5, 0], (7, 5)),
            (b"VP8L", &[0x2F, 6, 0, 1, 0, 0, 0, 0, 0, 0], (7, 5)),
        ] {
            assert_eq!(size(&mut Source::of_bytes(&webp(*kind, body))), Ok(want));
        }
        assert!(size(&mut Source::of_bytes(&webp(*b"VP8 ", &[0; 10]))).is_err());
    }

    #[test]
    fn frames_count_with_their_pixels() {
        let animation = |side: u8, frames: usize| {
            let mut bytes = webp(*b"VP8X", &[2, 0, 0, 0, 0xFF, side, 0, 0xFF, side, 0]);
            bytes.truncate(30);
            bytes.extend(b"ANMF\x02\0\0\0ab".repeat(frames));
            bytes
        };
        let check = |bytes: &[u8]| check(&mut Source::of_bytes(bytes)).map_err(|damage| damage.words().to_owned());
        assert_eq!(check(&animation(0, 10_000)), Ok(()));
        assert_eq!(check(&animation(0, 10_001)), Err("has 10001 frames; the limit is 10000".to_owned()));
        let flood = check(&animation(15, 200)).unwrap_err();
        assert_eq!(flood, "has 3355443200 pixels in all its frames; the limit is 2000000000");
    }

    #[test]
    fn metadata_chunks_are_found_behind_others() {
        let mut bytes = webp(*b"VP8X", &[0; 10]);
        bytes.truncate(30);
        bytes.extend(b"odd \x03\0\0\0abc\0EXIF\x04\0\0\0II*\0");
        assert_eq!(exif(&bytes).unwrap(), b"II*\0");
        assert_eq!(profile(&bytes), None);
        bytes.extend(b"XMP \x03\0\0\0<x>\0");
        assert_eq!(xmp(&bytes).unwrap(), b"<x>");
    }
}
