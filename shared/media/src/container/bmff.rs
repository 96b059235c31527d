//! ISO base media boxes (ISO 14496-12) and HEIF's `meta` box (ISO 23008-12): sizes and Exif of the primary picture.

use std::io::{Read, Seek};

use super::{Damage, Source, u16_be, u32_be};
use photovault_domain::limits::MAX_METADATA_BYTES;

/// Boxes on the outermost level: fragmented recordings have two a second.
const MAX_BOXES: usize = 65_536;
/// Extents of one item.
const MAX_EXTENTS: usize = 256;

/// A box and where its body lies.
#[derive(Clone, Copy, Debug)]
struct BoxAt {
    kind: [u8; 4],
    body_at: u64,
    /// Behind the box; may lie behind the end of the file.
    end: u64,
}

/// Whether the outermost level has a box of this kind.
pub(crate) fn has_box<R: Read + Seek>(source: &mut Source<R>, kind: [u8; 4]) -> Result<bool, Damage> {
    Ok(find(source, kind)?.is_some())
}

fn find<R: Read + Seek>(source: &mut Source<R>, kind: [u8; 4]) -> Result<Option<BoxAt>, Damage> {
    let mut at = 0;
    for _ in 0..MAX_BOXES {
        let size_bytes = source.size_bytes();
        let head = source.up_to(at, 16)?;
        let (Some(size), Some(found)) = (u32_be(head, 0), head.get(4..8)) else { return Ok(None) };
        let (size, header) = match size {
            0 => (size_bytes.saturating_sub(at), 8),
            1 => (head.get(8..16).and_then(|wide| wide.first_chunk()).map_or(0, |wide| u64::from_be_bytes(*wide)), 16),
            size => (u64::from(size), 8),
        };
        let found = BoxAt { kind: [found[0], found[1], found[2], found[3]], body_at: at + header, end: at.saturating_add(size) };
        if found.kind == kind {
            return Ok(Some(found));
        }
        if size < header {
            return Err(Damage(format!("the box at byte {at} says that it is {size} bytes long")));
        }
        at = found.end;
    }
    Ok(None)
}

/// What a HEIF file's `meta` box says of its primary picture.
#[derive(Debug, Default)]
pub(crate) struct Meta {
    /// Pixels as stored, before the file's own rotation: `ispe` of the primary item.
    pub(crate) size: Option<(u32, u32)>,
    exif_item: Option<u32>,
    exif_extents: Vec<(u64, u64)>,
    exif_is_inside: bool,
    inner: Vec<u8>,
}

/// Reads the `meta` box.
pub(crate) fn meta<R: Read + Seek>(source: &mut Source<R>) -> Result<Meta, Damage> {
    let Some(place) = find(source, *b"meta")? else {
        return Err(Damage::new("it has no picture in it (no 'meta' box)"));
    };
    let length = place.end.saturating_sub(place.body_at);
    if length > MAX_METADATA_BYTES as u64 {
        return Err(Damage(format!("its description is {length} bytes long; {MAX_METADATA_BYTES} are the limit")));
    }
    let body = source
        .exact(place.body_at, length as usize)
        .map_err(|_| Damage::new("its description ('meta' box) is cut off"))?
        .to_vec();
    let inside: Vec<([u8; 4], &[u8])> = children(body.get(4..).unwrap_or_default()).collect();
    let child = |kind: &[u8; 4]| inside.iter().find(|(found, _)| found == kind).map(|(_, body)| *body);
    let mut meta = Meta::default();
    let primary = child(b"pitm").and_then(|pitm| item_id(pitm, 4, pitm.first() == Some(&0)));
    if let (Some(iprp), Some(primary)) = (child(b"iprp"), primary) {
        meta.size = size_of(iprp, primary);
    }
    meta.exif_item = child(b"iinf").and_then(exif_item);
    if let (Some(iloc), Some(item)) = (child(b"iloc"), meta.exif_item) {
        (meta.exif_is_inside, meta.exif_extents) = extents(iloc, item).unwrap_or_default();
    }
    meta.inner = child(b"idat").unwrap_or_default().to_vec();
    Ok(meta)
}

impl Meta {
    /// The Exif block, from its TIFF header on (ISO 23008-12, A.2.1: four bytes say how far that is).
    pub(crate) fn exif<R: Read + Seek>(&self, source: &mut Source<R>) -> Option<Vec<u8>> {
        let mut block = Vec::new();
        for (at, length) in &self.exif_extents {
            let length = usize::try_from(*length).ok()?;
            if block.len().checked_add(length)? > MAX_METADATA_BYTES {
                return None;
            }
            if self.exif_is_inside {
                let at = usize::try_from(*at).ok()?;
                block.extend(self.inner.get(at..at.checked_add(length)?)?);
            } else {
                block.extend(source.up_to(*at, length).ok()?);
            }
        }
        let skip = 4 + u32_be(&block, 0)? as usize;
        let found = block.get(skip..).filter(|rest| is_tiff(rest)).map(<[u8]>::to_vec);
        // Some writers count wrong or leave the count out: look for the header itself.
        found.or_else(|| block.windows(4).take(64).position(is_tiff).map(|at| block[at..].to_vec()))
    }
}

fn is_tiff(bytes: &[u8]) -> bool {
    bytes.starts_with(b"II*\0") || bytes.starts_with(b"MM\0*")
}

/// The boxes inside a box.
fn children(body: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    let mut rest = body;
    std::iter::from_fn(move || {
        let kind = *rest.get(4..)?.first_chunk::<4>()?;
        let size = match u32_be(rest, 0)? as usize {
            0 => rest.len(),
            size => size,
        };
        let body = rest.get(8..size.max(8).min(rest.len()))?;
        rest = rest.get(size.max(8)..).unwrap_or_default();
        Some((kind, body))
    })
}

fn item_id(bytes: &[u8], at: usize, short: bool) -> Option<u32> {
    if short { u16_be(bytes, at).map(u32::from) } else { u32_be(bytes, at) }
}

fn exif_item(iinf: &[u8]) -> Option<u32> {
    let entries = if iinf.first() == Some(&0) { 6 } else { 8 };
    children(iinf.get(entries..)?).filter(|(kind, _)| kind == b"infe").find_map(|(_, infe)| {
        let short = *infe.first()? == 2;
        let kind_at = if short { 8 } else { 10 };
        (infe.get(kind_at..kind_at + 4)? == b"Exif").then(|| item_id(infe, 4, short))?
    })
}

fn size_of(iprp: &[u8], primary: u32) -> Option<(u32, u32)> {
    let parts: Vec<_> = children(iprp).collect();
    let (_, ipco) = parts.iter().find(|(kind, _)| kind == b"ipco")?;
    let properties: Vec<_> = children(ipco).collect();
    let mut own = parts.iter().filter(|(kind, _)| kind == b"ipma").filter_map(|(_, ipma)| properties_of(ipma, primary)).flatten();
    own.find_map(|index| {
        let (kind, body) = properties.get(index.checked_sub(1)?)?;
        if kind == b"ispe" { Some((u32_be(body, 4)?, u32_be(body, 8)?)) } else { None }
    })
}

/// The property indices (from 1) of an item, from `ipma`.
fn properties_of(ipma: &[u8], item: u32) -> Option<Vec<usize>> {
    let (short_ids, wide_indices) = (*ipma.first()? == 0, ipma.get(3)? & 1 == 1);
    let mut at = 8;
    for _ in 0..u32_be(ipma, 4)? {
        let id = item_id(ipma, at, short_ids)?;
        at += if short_ids { 2 } else { 4 };
        let count = usize::from(*ipma.get(at)?);
        let width = if wide_indices { 2 } else { 1 };
        let list = ipma.get(at + 1..at + 1 + count * width)?;
        at += 1 + list.len();
        if id == item {
            let index = |entry: &[u8]| match *entry {
                [only] => usize::from(only & 0x7F),
                [high, low, ..] => usize::from(u16::from_be_bytes([high & 0x7F, low])),
                [] => 0,
            };
            return Some(list.chunks_exact(width).map(index).collect());
        }
    }
    None
}

/// Where an item's bytes lie, from `iloc`: whether inside `idat`, and the pieces.
fn extents(iloc: &[u8], item: u32) -> Option<(bool, Vec<(u64, u64)>)> {
    let version = *iloc.first()?;
    let sizes = u16_be(iloc, 4)?;
    let nibble = |shift: u16| usize::from(sizes >> shift & 0xF);
    let (offset_size, length_size, base_size) = (nibble(12), nibble(8), nibble(4));
    let index_size = if version == 0 { 0 } else { nibble(0) };
    let mut cursor = Numbers { bytes: iloc, at: 6 };
    let count = cursor.next(if version < 2 { 2 } else { 4 })?;
    for _ in 0..count {
        let id = cursor.next(if version < 2 { 2 } else { 4 })?;
        let method = if version == 0 { 0 } else { cursor.next(2)? & 0xF };
        let _reference = cursor.next(2)?;
        let base = cursor.next(base_size)?;
        let pieces = cursor.next(2)? as usize;
        let mut found = Vec::new();
        for _ in 0..pieces.min(MAX_EXTENTS) {
            let _index = cursor.next(index_size)?;
            found.push((base.checked_add(cursor.next(offset_size)?)?, cursor.next(length_size)?));
        }
        if id == u64::from(item) {
            return (method < 2).then_some((method == 1, found));
        }
    }
    None
}

/// Big-endian numbers of varying width, one after the other.
struct Numbers<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Numbers<'_> {
    fn next(&mut self, width: usize) -> Option<u64> {
        let digits = self.bytes.get(self.at..self.at + width)?;
        self.at += width;
        Some(digits.iter().fold(0, |number, digit| (number << 8) | u64::from(*digit)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxed(kind: [u8; 4], body: &[&[u8]]) -> Vec<u8> {
        let body = body.concat();
        [&(body.len() as u32 + 8).to_be_bytes()[..], &kind, &body].concat()
    }

    fn heif() -> Vec<u8> {
        let ispe = |width: u8, height: u8| boxed(*b"ispe", &[&[0, 0, 0, 0, 0, 0, 0, width, 0, 0, 0, height]]);
        let ipco = boxed(*b"ipco", &[&ispe(1, 1), &ispe(7, 5)]);
        let ipma = boxed(*b"ipma", &[&[0, 0, 0, 0, 0, 0, 0, 2, 0, 1, 1, 0x81, 0, 2, 1, 0x82]]);
        let infe = boxed(*b"infe", &[&[2, 0, 0, 0, 0, 3, 0, 0], b"Exif\0"]);
        let iloc = boxed(*b"iloc", &[&[1, 0, 0, 0, 0x44, 0, 0, 1, 0, 3, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 12]]);
        let parts = [
            boxed(*b"pitm", &[&[0, 0, 0, 0, 0, 2]]),
            boxed(*b"iinf", &[&[0, 0, 0, 0, 0, 1], &infe]),
            boxed(*b"iprp", &[&ipco, &ipma]),
            iloc,
            boxed(*b"idat", &[&[0, 0, 0, 0], b"II*\0abcd"]),
        ];
        [boxed(*b"ftyp", &[b"heic\0\0\0\0mif1"]), boxed(*b"meta", &[&[0; 4], &parts.concat()])].concat()
    }

    #[test]
    fn the_primary_item_tells_the_size() {
        let bytes = heif();
        let mut source = Source::of_bytes(&bytes);
        let meta = meta(&mut source).unwrap();
        assert_eq!(meta.size, Some((7, 5)));
        assert_eq!(meta.exif(&mut source).unwrap(), b"II*\0abcd");
    }

    #[test]
    fn no_cut_panics() {
        let bytes = heif();
        for length in 0..bytes.len() {
            let mut source = Source::of_bytes(&bytes[..length]);
            assert!(meta(&mut source).is_err());
        }
        for at in 0..bytes.len() {
            let mut hurt = bytes.clone();
            hurt[at] = 0xFF;
            let mut source = Source::of_bytes(&hurt);
            if let Ok(meta) = meta(&mut source) {
                meta.exif(&mut source);
            }
        }
    }
}
