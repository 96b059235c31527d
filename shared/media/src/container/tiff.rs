//! TIFF's directories (TIFF 6.0): the picture's size, what kind of file it is, and the orientation of an Exif block.

use std::io::{Read, Seek};

use super::{Damage, Source};

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
}

/// Reads the first directory of a TIFF file, or of an Exif block.
pub(crate) fn first_directory<R: Read + Seek>(source: &mut Source<R>) -> Result<Directory, Damage> {
    let head: [u8; 8] = *source.exact(0, 8)?.first_chunk().ok_or_else(|| Damage::new("its TIFF header is cut off"))?;
    let little = match &head[..4] {
        b"II*\0" => true,
        b"MM\0*" => false,
        _ => return Err(Damage::new("its TIFF header is not one")),
    };
    let u16_of =
        |bytes: &[u8]| if little { u16::from_le_bytes([bytes[0], bytes[1]]) } else { u16::from_be_bytes([bytes[0], bytes[1]]) };
    let u32_of = |bytes: &[u8]| {
        let bytes = [bytes[0], bytes[1], bytes[2], bytes[3]];
        if little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) }
    };
    let at = u64::from(u32_of(&head[4..]));
    let cut = |_| Damage(format!("its TIFF directory should be at byte {at}, behind the end of the file"));
    let count = usize::from(u16_of(source.exact(at, 2).map_err(cut)?));
    let entries = source.up_to(at + 2, count * 12)?;
    let mut directory = Directory::default();
    for entry in entries.chunks_exact(12) {
        let number = match u16_of(&entry[2..]) {
            1 => u32::from(entry[8]),
            3 => u32::from(u16_of(&entry[8..])),
            _ => u32_of(&entry[8..]),
        };
        match u16_of(entry) {
            256 => directory.width = number,
            257 => directory.height = number,
            274 => directory.orientation = u8::try_from(number).ok().filter(|value| (1..=8).contains(value)),
            34675 => directory.profile = Some((u64::from(number), u32_of(&entry[4..]) as usize)),
            50706 => directory.is_dng = true,
            _ => {}
        }
    }
    Ok(directory)
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
    fn a_directory_behind_the_end_is_damage() {
        assert!(first_directory(&mut Source::of_bytes(b"II*\0\xFF\0\0\0")).unwrap_err().0.contains("255"));
        assert!(first_directory(&mut Source::of_bytes(b"II*\0")).is_err());
    }
}
