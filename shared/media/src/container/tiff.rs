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
    let little = Order::of(source)?.little;
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
    let order = Order::of(source)?;
    let (entries, next) = order.entries(source, order.first)?;
    let mut directory = Directory { next, ..Directory::default() };
    for entry in entries {
        match entry.tag {
            256 => directory.width = entry.number,
            257 => directory.height = entry.number,
            273 | 324 => directory.strips = entry.count,
            274 => directory.orientation = entry.orientation(),
            34675 => directory.profile = Some((u64::from(entry.number), entry.count as usize)),
            _ => {}
        }
    }
    Ok(directory)
}

/// How a file's numbers are written, and where its first directory lies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Order {
    pub(crate) little: bool,
    pub(crate) first: u64,
}

/// An entry of a directory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) tag: u16,
    pub(crate) count: u32,
    /// Its first value if that is a number of its own, or the place of its values.
    pub(crate) number: u32,
    /// The four bytes that hold its values or their place.
    pub(crate) bytes: [u8; 4],
}

impl Entry {
    /// The value as one of the eight orientations.
    pub(crate) fn orientation(&self) -> Option<u8> {
        u8::try_from(self.number).ok().filter(|value| (1..=8).contains(value))
    }
}

impl Order {
    /// What the header says: TIFF's own, or those of Olympus (`RO`, `RS`) and Panasonic (`U`), who changed the 42.
    pub(crate) fn of<R: Read + Seek>(source: &mut Source<R>) -> Result<Self, Damage> {
        let head: [u8; 8] = *source.exact(0, 8)?.first_chunk().ok_or_else(|| Damage::new("its TIFF header is cut off"))?;
        let little = match &head[..4] {
            b"II*\0" | b"IIRO" | b"IIRS" | b"IIU\0" => true,
            b"MM\0*" | b"MMOR" => false,
            _ => return Err(Damage::new("its TIFF header is not one")),
        };
        Ok(Self { little, first: u64::from(u32_of(little, &head[4..])) })
    }

    /// The entries of the directory at `at`, and where the next one lies; 0 behind the last.
    pub(crate) fn entries<R: Read + Seek>(self, source: &mut Source<R>, at: u64) -> Result<(Vec<Entry>, u64), Damage> {
        let little = self.little;
        let cut = |_| Damage::Broken(format!("its TIFF directory should be at byte {at}, behind the end of the file"));
        let count = usize::from(u16_of(little, source.exact(at, 2).map_err(cut)?));
        let bytes = source.up_to(at + 2, count * 12 + 4)?;
        let (entries, next) = bytes.split_at(bytes.len().min(count * 12));
        let next = if next.len() == 4 { u64::from(u32_of(little, next)) } else { 0 };
        let entry = |entry: &[u8]| Entry {
            tag: u16_of(little, entry),
            count: u32_of(little, &entry[4..]),
            number: match u16_of(little, &entry[2..]) {
                1 => u32::from(entry[8]),
                3 => u32::from(u16_of(little, &entry[8..])),
                _ => u32_of(little, &entry[8..]),
            },
            bytes: [entry[8], entry[9], entry[10], entry[11]],
        };
        Ok((entries.chunks_exact(12).map(entry).collect(), next))
    }

    /// The values of an entry of 32-bit places, `most` of them at most.
    pub(crate) fn places<R: Read + Seek>(self, source: &mut Source<R>, entry: &Entry, most: u32) -> Vec<u64> {
        if entry.count == 1 {
            return vec![u64::from(entry.number)];
        }
        let bytes = source.up_to(u64::from(entry.number), entry.count.min(most) as usize * 4).unwrap_or_default();
        bytes.chunks_exact(4).map(|place| u64::from(u32_of(self.little, place))).collect()
    }
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
