//! TIFF's directories (TIFF 6.0): the picture's size, what kind of file it is, and the orientation of an Exif block.

use std::io::{Read, Seek};

use super::{Damage, Source, within};
use photovault_domain::limits::{MAX_FRAMES, MAX_METADATA_BYTES, MAX_PARTS};

/// The entries of the first directory that matter before decoding.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Directory {
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// Tag 0x0112, if it is one of the eight.
    pub(crate) orientation: Option<u8>,
    /// Whether it says that it is a DNG.
    pub(crate) is_dng: bool,
    /// Place and length of an embedded ICC profile.
    pub(crate) profile: Option<(u64, usize)>,
    /// How many strips or tiles the picture is stored in.
    strips: u32,
    /// Where the next directory lies; 0 behind the last.
    next: u64,
}

/// Holds strips, profile and the number of pages against their limits. A loop of pages ends where it closes.
pub(crate) fn check<R: Read + Seek>(source: &mut Source<R>) -> Result<(), Damage> {
    let first = first_directory(source)?;
    within(first.profile.map_or(0, |(_, length)| length as u64), MAX_METADATA_BYTES as u64, "bytes of colour profile")?;
    within(first.strips, MAX_PARTS, "strips or tiles")?;
    let little = source.exact(0, 1)? == b"I";
    let (mut next, mut seen) = (first.next, std::collections::BTreeSet::new());
    while next != 0 && seen.insert(next) {
        within(seen.len() as u64 + 1, MAX_FRAMES, "pages or more")?;
        next = match source.exact(next, 2).map(|count| u16_of(little, count)) {
            Ok(count) => source.exact(next + 2 + u64::from(count) * 12, 4).map_or(0, |at| u64::from(u32_of(little, at))),
            Err(_) => 0,
        };
    }
    Ok(())
}

/// Reads the first directory of a TIFF file, or of an Exif block.
pub(crate) fn first_directory<R: Read + Seek>(source: &mut Source<R>) -> Result<Directory, Damage> {
    let head: [u8; 8] = *source.exact(0, 8)?.first_chunk().ok_or_else(|| Damage::new("its TIFF header is cut off"))?;
    let little = match &head[..4] {
        b"II*\0" => true,
        b"MM\0*" => false,
        _ => return Err(Damage::new("its TIFF header is not one")),
    };
    let (u16_of, u32_of) = (|bytes: &[u8]| u16_of(little, bytes), |bytes: &[u8]| u32_of(little, bytes));
    let at = u64::from(u32_of(&head[4..]));
    let cut = |_| Damage::Broken(format!("its TIFF directory should be at byte {at}, behind the end of the file"));
    let count = usize::from(u16_of(source.exact(at, 2).map_err(cut)?));
    let entries = source.up_to(at + 2, count * 12 + 4)?;
    let mut directory = Directory::default();
    let (entries, next) = entries.split_at(entries.len().min(count * 12));
    directory.next = if next.len() == 4 { u64::from(u32_of(next)) } else { 0 };
    for entry in entries.chunks_exact(12) {
        let number = match u16_of(&entry[2..]) {
            1 => u32::from(entry[8]),
            3 => u32::from(u16_of(&entry[8..])),
            _ => u32_of(&entry[8..]),
        };
        match u16_of(entry) {
            256 => directory.width = number,
            257 => directory.height = number,
            273 | 324 => directory.strips = u32_of(&entry[4..]),
            274 => directory.orientation = u8::try_from(number).ok().filter(|value| (1..=8).contains(value)),
            34675 => directory.profile = Some((u64::from(number), u32_of(&entry[4..]) as usize)),
            50706 => directory.is_dng = true,
            _ => {}
        }
    }
    Ok(directory)
}

fn u16_of(little: bool, bytes: &[u8]) -> u16 {
    let bytes = [bytes[0], bytes[1]];
    if little { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) }
}

fn u32_of(little: bool, bytes: &[u8]) -> u32 {
    let bytes = [bytes[0], bytes[1], bytes[2], bytes[3]];
    if little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_byte_orders_are_read() {
        let little = b"II*\0\x08\0\0\0\x03\0\x00\x01\x03\0\x01\0\0\0\x07\0\0\0\x01\x01\x04\0\x01\0\0\0\x05\0\0\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0";
        let big = b"MM\0*\0\0\0\x08\0\x03\x01\x00\0\x03\0\0\0\x01\0\x07\0\0\x01\x01\0\x04\0\0\0\x01\0\0\0\x05\x01\x12\0\x03\0\0\0\x01\0\x06\0\0";
        for bytes in [&little[..], &big[..]] {
            let directory = first_directory(&mut Source::of_bytes(bytes)).unwrap();
            assert_eq!((directory.width, directory.height, directory.orientation), (7, 5, Some(6)));
        }
    }

    #[test]
    fn pages_and_strips_are_limited_and_loops_end() {
        let page = |next: u32| [&[1, 0][..], &[0x11, 1, 4, 0, 1, 0, 0, 0, 0, 0, 0, 0], &next.to_le_bytes()].concat();
        let pages = |count: u32, last: u32| {
            let places = (1..count).map(|n| 8 + n * 18).chain([last]);
            [b"II*\0\x08\0\0\0".to_vec(), places.flat_map(page).collect()].concat()
        };
        let check = |bytes: &[u8]| check(&mut Source::of_bytes(bytes)).map_err(|damage| damage.words().to_owned());
        assert_eq!(check(&pages(10_000, 0)), Ok(()));
        assert_eq!(check(&pages(3, 8)), Ok(()), "a loop");
        assert_eq!(check(&pages(3, 0xFFFF)), Ok(()), "a page behind the end");
        assert_eq!(check(&pages(10_002, 0)), Err("has 10001 pages or more; the limit is 10000".to_owned()));
        let mut strips = pages(1, 0);
        strips[14..18].copy_from_slice(&70_000_u32.to_le_bytes());
        assert_eq!(check(&strips), Err("has 70000 strips or tiles; the limit is 65536".to_owned()));
    }

    #[test]
    fn a_directory_behind_the_end_is_damage() {
        assert!(first_directory(&mut Source::of_bytes(b"II*\0\xFF\0\0\0")).unwrap_err().words().contains("255"));
        assert!(first_directory(&mut Source::of_bytes(b"II*\0")).is_err());
    }
}
