//! Canon's CR3: an ISO base media file. Its metadata stand in four TIFF blocks within a box of Canon's, its previews in the
//! first track and in another such box (<https://github.com/lclevy/canon_cr3>).

use std::io::{Read, Seek};

use super::{
    Damage, Source, bmff,
    exif::block_is_adobe_rgb,
    raw::{Raw, largest},
    tiff, u16_be, u32_be,
};
use photovault_domain::limits::MAX_METADATA_BYTES;

/// Marks the box with Canon's metadata, inside `moov`.
const METADATA: [u8; 16] = *b"\x85\xC0\xB6\x87\x82\x0F\x11\xE0\x81\x11\xF4\xCE\x46\x2B\x6A\x48";
/// Marks the box with the preview, on the outermost level.
const PREVIEW: [u8; 16] = *b"\xEA\xF4\x2B\x5E\x1C\x98\x4B\x88\xB9\xFB\xB7\xDC\x40\x6E\x4D\x16";

pub(super) fn read<R: Read + Seek>(source: &mut Source<R>) -> Result<Raw, Damage> {
    let index = index(source)?;
    let mut places = track_samples(&index);
    places.extend(boxed_preview(source));
    let first = canon_block(&index, *b"CMT1").and_then(|block| tiff::first_directory(&mut Source::of_bytes(block)).ok());
    let exif = exif_of(&index);
    Ok(Raw {
        size: first.as_ref().map_or((0, 0), |first| (first.width, first.height)),
        orientation: first.and_then(|first| first.orientation),
        is_adobe_rgb: exif.is_some_and(|block| block_is_adobe_rgb(&block)),
        preview: largest(source, &places),
    })
}

/// The metadata as one Exif block.
pub(super) fn exif<R: Read + Seek>(source: &mut Source<R>) -> Option<Vec<u8>> {
    exif_of(&index(source).ok()?)
}

fn index<R: Read + Seek>(source: &mut Source<R>) -> Result<Vec<u8>, Damage> {
    let Some((at, length)) = bmff::body_of(source, *b"moov")? else {
        return Err(Damage::new("it has no index (no 'moov' box)"));
    };
    super::within(length, MAX_METADATA_BYTES as u64, "bytes of description")?;
    let index = source.exact(at, length as usize).map_err(|_| Damage::new("its index ('moov' box) is cut off"))?.to_vec();
    bmff::check_nesting(&index)?;
    Ok(index)
}

/// A box of Canon's metadata: `CMT1` the first directory, `CMT2` Exif's, `CMT3` the maker's note, `CMT4` GPS.
fn canon_block(index: &[u8], kind: [u8; 4]) -> Option<&[u8]> {
    let canon = bmff::children(index).find_map(|(kind, body)| (kind == *b"uuid").then(|| body.strip_prefix(&METADATA))?)?;
    bmff::children(canon).find(|(found, _)| *found == kind).map(|(_, body)| body)
}

/// Puts the blocks behind one another and the directories of the first under one header, as in any other file.
fn exif_of(index: &[u8]) -> Option<Vec<u8>> {
    let first = canon_block(index, *b"CMT1")?;
    // Every Canon writes little-endian numbers.
    let mut block = first.strip_prefix(b"II*\0").map(|_| first.to_vec())?;
    let mut pointers = Vec::new();
    for (tag, kind) in [(34665_u16, *b"CMT2"), (34853, *b"CMT4")] {
        let Some(part) = canon_block(index, kind).filter(|part| part.starts_with(b"II*\0")) else { continue };
        let base = u32::try_from(block.len()).ok()?;
        pointers.push((tag, base.checked_add(tiff_u32(part, 4)?)?));
        block.extend(moved(part, base)?);
    }
    let at = tiff_u32(first, 4)? as usize;
    let count = usize::from(super::u16_le(first, at)?);
    let entries = first.get(at + 2..at + 2 + count * 12)?.chunks_exact(12).map(<[u8]>::to_vec);
    let pointer = |(tag, place): (u16, u32)| [&tag.to_le_bytes()[..], &[4, 0, 1, 0, 0, 0], &place.to_le_bytes()].concat();
    let mut entries: Vec<Vec<u8>> = entries.chain(pointers.into_iter().map(pointer)).collect();
    entries.sort_by_key(|entry| super::u16_le(entry, 0));
    let place = u32::try_from(block.len()).ok()?;
    block.extend(u16::try_from(entries.len()).ok()?.to_le_bytes());
    block.extend(entries.concat());
    block.extend([0; 4]);
    block.get_mut(4..8)?.copy_from_slice(&place.to_le_bytes());
    Some(block)
}

/// A TIFF block whose places count from `base` bytes before it.
fn moved(part: &[u8], base: u32) -> Option<Vec<u8>> {
    let mut moved = part.to_vec();
    let at = tiff_u32(part, 4)? as usize;
    for number in 0..usize::from(super::u16_le(part, at)?) {
        let entry = at + 2 + number * 12;
        // Bytes a value of each type of TIFF 6.0 takes.
        let width: u64 = match super::u16_le(part, entry + 2)? {
            3 | 8 => 2,
            4 | 9 | 11 => 4,
            5 | 10 | 12 => 8,
            _ => 1,
        };
        // The tag of interoperability is a place itself; Canon's own note keeps what it has.
        let is_place = super::u16_le(part, entry)? == 0xA005;
        if is_place || u64::from(tiff_u32(part, entry + 4)?) * width > 4 {
            let place = tiff_u32(part, entry + 8)?.checked_add(base)?;
            moved.get_mut(entry + 8..entry + 12)?.copy_from_slice(&place.to_le_bytes());
        }
    }
    Some(moved)
}

fn tiff_u32(bytes: &[u8], at: usize) -> Option<u32> {
    super::u32_le(bytes, at)
}

/// The first sample of every track: the full-size preview is that of the first, the sensor's data those of others.
fn track_samples(index: &[u8]) -> Vec<(u64, u64)> {
    let child = |body: &[u8], kind: &[u8; 4]| {
        let found = bmff::children(body).find(|(found, _)| found == kind);
        found.map(|(_, body)| body.to_vec())
    };
    let sample = |track: &[u8]| {
        let table = child(&child(&child(track, b"mdia")?, b"minf")?, b"stbl")?;
        // One size for all, or a list of them.
        let sizes = child(&table, b"stsz")?;
        let length = u32_be(&sizes, 4).filter(|size| *size > 0).or_else(|| u32_be(&sizes, 12))?;
        let wide = child(&table, b"co64").and_then(|places| Some(u64::from_be_bytes(*places.get(8..)?.first_chunk()?)));
        let at = wide.or_else(|| u32_be(&child(&table, b"stco")?, 8).map(u64::from))?;
        Some((at, u64::from(length)))
    };
    bmff::children(index).filter(|(kind, _)| kind == b"trak").filter_map(|(_, track)| sample(track)).collect()
}

/// `PRVW`: after its header six bytes, width, height, two bytes, length, and the JPEG.
fn boxed_preview<R: Read + Seek>(source: &mut Source<R>) -> Option<(u64, u64)> {
    let at = bmff::place_of_uuid(source, PREVIEW).ok()??;
    // Before the box stand eight bytes of Canon's.
    let head = source.exact(at + 8, 24).ok()?;
    let is_preview = head.get(4..8)? == b"PRVW" && u16_be(head, 14)? > 0;
    is_preview.then_some((at + 8 + 24, u64::from(u32_be(head, 20)?)))
}
