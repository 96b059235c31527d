//! GIF's blocks (GIF89a): the canvas, and how many frames are drawn on it. Nothing is unpacked.

use std::io::{Read, Seek};

use super::{Damage, Source, u16_le, within};
use photovault_domain::limits::{MAX_FRAME_PIXELS, MAX_FRAMES, MAX_METADATA_BYTES, MAX_PARTS, MAX_PIXELS};

/// The canvas.
pub(crate) fn size<R: Read + Seek>(source: &mut Source<R>) -> Result<(u32, u32), Damage> {
    let Ok(head) = source.exact(0, 13) else { return Err(Damage::new("its GIF header is cut off")) };
    let side = |at| u16_le(head, at).map_or(0, u32::from);
    Ok((side(6), side(8)))
}

/// Holds all frames against their limits. A file that ends early has the frames that are there.
pub(crate) fn check<R: Read + Seek>(source: &mut Source<R>) -> Result<(), Damage> {
    let (width, height) = size(source)?;
    let canvas = u64::from(width) * u64::from(height);
    let mut at = 13 + colour_table(source.exact(10, 1)?[0]);
    let (mut frames, mut pixels) = (0_u64, 0_u64);
    while let Some(kind) = byte(source, at)? {
        match kind {
            // An extension: its label, then its data.
            0x21 => at = behind_blocks(source, at + 2)?,
            0x2C => {
                let descriptor = source.up_to(at + 1, 9)?;
                let (Some(width), Some(height), Some(flags)) =
                    (u16_le(descriptor, 4), u16_le(descriptor, 6), descriptor.get(8).copied())
                else {
                    break;
                };
                let own = u64::from(width) * u64::from(height);
                within(own, MAX_PIXELS, "pixels in one frame")?;
                frames += 1;
                pixels += own.max(canvas);
                at = behind_blocks(source, at + 11 + colour_table(flags))?;
            }
            _ => break,
        }
    }
    within(frames, MAX_FRAMES, "frames")?;
    within(pixels, MAX_FRAME_PIXELS, "pixels in all its frames")
}

/// The XMP packet before the first frame. It stands there as it is, and 257 bytes behind it lead whoever takes its letters for lengths
/// to its end (XMP part 3, 1.1.2).
pub(crate) fn xmp<R: Read + Seek>(source: &mut Source<R>) -> Option<Vec<u8>> {
    let mut at = 13 + colour_table(source.exact(10, 1).ok()?[0]);
    for _ in 0..MAX_PARTS {
        let head = source.exact(at, 14).ok()?;
        let is_xmp = head.ends_with(b"\xFF\x0BXMP DataXMP");
        if head[0] != 0x21 {
            return None;
        }
        let end = behind_blocks(source, at + 2).ok()?;
        if is_xmp {
            let length = usize::try_from(end.checked_sub(at + 14 + 258)?).ok().filter(|length| *length <= MAX_METADATA_BYTES)?;
            return Some(source.exact(at + 14, length).ok()?.to_vec());
        }
        at = end;
    }
    None
}

/// Bytes of the colour table that these flags announce.
fn colour_table(flags: u8) -> u64 {
    if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) }
}

fn behind_blocks<R: Read + Seek>(source: &mut Source<R>, mut at: u64) -> Result<u64, Damage> {
    while let Some(length) = byte(source, at)? {
        at += 1 + u64::from(length);
        if length == 0 {
            break;
        }
    }
    Ok(at)
}

fn byte<R: Read + Seek>(source: &mut Source<R>, at: u64) -> Result<Option<u8>, Damage> {
    Ok(source.up_to(at, 1)?.first().copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A GIF of so many frames of one byte of data each.
    fn gif(side: u16, frames: usize) -> Vec<u8> {
        let side = side.to_le_bytes();
        let mut bytes = [b"GIF89a", &side[..], &side, &[0x80, 0, 0], &[0; 6]].concat();
        for _ in 0..frames {
            bytes.extend([0x21, 0xF9, 4, 0, 0, 0, 0, 0]);
            bytes.extend([&[0x2C, 0, 0, 0, 0][..], &side, &side, &[0, 2, 1, 0, 0]].concat());
        }
        bytes.push(0x3B);
        bytes
    }

    #[test]
    fn frames_count_with_their_pixels() {
        let check = |bytes: &[u8]| check(&mut Source::of_bytes(bytes));
        assert_eq!(check(&gif(100, 300)), Ok(()));
        let flood = check(&gif(4000, 300)).unwrap_err();
        assert_eq!(flood, Damage::Exceeds("has 4800000000 pixels in all its frames; the limit is 2000000000".to_owned()));
        assert!(check(&gif(1, 10_001)).unwrap_err().words().starts_with("has 10001 frames"));
        let whole = gif(4000, 3);
        for length in 13..whole.len() {
            assert_eq!(check(&whole[..length]), Ok(()), "{length} bytes");
        }
    }

    #[test]
    fn xmp_stands_before_the_frames() {
        let trailer: Vec<u8> = [1].into_iter().chain((0..=255).rev()).chain([0]).collect();
        let packet = b"<x:xmpmeta/>";
        let bytes = [
            b"GIF89a\x07\0\x05\0\0\0\0",
            &[0x21, 0xFE, 2, b'h', b'i', 0][..],
            b"\x21\xFF\x0BXMP DataXMP",
            packet,
            &trailer,
            b"\x2C",
        ];
        let bytes = bytes.concat();
        assert_eq!(xmp(&mut Source::of_bytes(&bytes)).unwrap(), packet);
        for length in 0..bytes.len() {
            xmp(&mut Source::of_bytes(&bytes[..length]));
        }
    }
}
