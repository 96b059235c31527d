//! ISO base media boxes (ISO 14496-12) and HEIF's `meta` box (ISO 23008-12): sizes and Exif of the primary picture.

use std::io::{Read, Seek};

use super::{Damage, Source, u16_be, u32_be, within};
use photovault_domain::limits::{MAX_EXTENTS, MAX_METADATA_BYTES, MAX_NESTING, MAX_PARTS};

/// Boxes that hold boxes, and how many bytes of their own stand before them.
const CONTAINERS: &[([u8; 4], usize)] = &[
    (*b"moov", 0),
    (*b"trak", 0),
    (*b"mdia", 0),
    (*b"minf", 0),
    (*b"stbl", 0),
    (*b"dinf", 0),
    (*b"edts", 0),
    (*b"udta", 0),
    (*b"mvex", 0),
    (*b"moof", 0),
    (*b"traf", 0),
    (*b"tref", 0),
    (*b"gmhd", 0),
    (*b"sinf", 0),
    (*b"schi", 0),
    (*b"ilst", 0),
    (*b"iprp", 0),
    (*b"ipco", 0),
    (*b"grpl", 0),
    (*b"iref", 4),
    (*b"meta", 4),
];

/// A box and where its body lies.
#[derive(Clone, Copy, Debug)]
struct BoxAt {
    kind: [u8; 4],
    body_at: u64,
    /// Behind the box; may lie behind the end of the file.
    end: u64,
}

/// Place and length of the body of the first box of this kind on the outermost level, as far as it lies in the file.
pub(crate) fn body_of<R: Read + Seek>(source: &mut Source<R>, kind: [u8; 4]) -> Result<Option<(u64, u64)>, Damage> {
    let end = source.size_bytes();
    Ok(find(source, kind)?.map(|found| (found.body_at, found.end.min(end).saturating_sub(found.body_at))))
}

/// Holds the boxes inside a box against the limits for their depth and number.
pub(crate) fn check_nesting(body: &[u8]) -> Result<(), Damage> {
    let (mut seen, mut level, mut bodies) = (0_u32, 1_u32, vec![body]);
    while !bodies.is_empty() {
        within(level, MAX_NESTING, "levels of boxes nested")?;
        let mut below = Vec::new();
        for (kind, body) in bodies.into_iter().flat_map(children) {
            seen += 1;
            within(seen, MAX_PARTS, "boxes in its index")?;
            if let Some((_, own)) = CONTAINERS.iter().find(|(container, _)| *container == kind) {
                below.push(body.get(*own..).unwrap_or_default());
            }
        }
        (level, bodies) = (level + 1, below);
    }
    Ok(())
}

/// Place of the body, behind its identifier, of the first `uuid` box of this identifier on the outermost level.
pub(super) fn place_of_uuid<R: Read + Seek>(source: &mut Source<R>, uuid: [u8; 16]) -> Result<Option<u64>, Damage> {
    let is_it =
        |source: &mut Source<R>, found: &BoxAt| Ok(found.kind == *b"uuid" && source.up_to(found.body_at, uuid.len())? == uuid);
    Ok(find_by(source, is_it)?.map(|found| found.body_at + uuid.len() as u64))
}

fn find<R: Read + Seek>(source: &mut Source<R>, kind: [u8; 4]) -> Result<Option<BoxAt>, Damage> {
    find_by(source, |_, found| Ok(found.kind == kind))
}

fn find_by<R: Read + Seek>(
    source: &mut Source<R>,
    is_it: impl Fn(&mut Source<R>, &BoxAt) -> Result<bool, Damage>,
) -> Result<Option<BoxAt>, Damage> {
    let mut at = 0;
    for _ in 0..MAX_PARTS {
        let size_bytes = source.size_bytes();
        let head = source.up_to(at, 16)?;
        let (Some(size), Some(found)) = (u32_be(head, 0), head.get(4..8)) else { return Ok(None) };
        let (size, header) = match size {
            0 => (size_bytes.saturating_sub(at), 8),
            1 => (head.get(8..16).and_then(|wide| wide.first_chunk()).map_or(0, |wide| u64::from_be_bytes(*wide)), 16),
            size => (u64::from(size), 8),
        };
        let found = BoxAt { kind: [found[0], found[1], found[2], found[3]], body_at: at + header, end: at.saturating_add(size) };
        if is_it(source, &found)? {
            return Ok(Some(found));
        }
        if size < header {
            return Err(Damage::Broken(format!("the box at byte {at} says that it is {size} bytes long")));
        }
        at = found.end;
    }
    within(MAX_PARTS + 1, MAX_PARTS, "boxes or more").map(|()| None)
}

/// What a HEIF file's `meta` box says of its primary picture.
#[derive(Debug, Default)]
pub(crate) struct Meta {
    /// Pixels as stored, before the file's own rotation: `ispe` of the primary item.
    pub(crate) size: Option<(u32, u32)>,
    exif: Option<Pieces>,
    xmp: Option<Pieces>,
    inner: Vec<u8>,
}

/// Where an item's bytes lie.
#[derive(Debug)]
struct Pieces {
    /// Inside `idat`, and not in the file as a whole.
    inside: bool,
    /// Places and lengths.
    extents: Vec<(u64, u64)>,
}

/// The body of the `meta` box.
pub(crate) fn description<R: Read + Seek>(source: &mut Source<R>) -> Result<Vec<u8>, Damage> {
    let Some(place) = find(source, *b"meta")? else {
        return Err(Damage::new("it has no picture in it (no 'meta' box)"));
    };
    let length = place.end.saturating_sub(place.body_at);
    within(length, MAX_METADATA_BYTES as u64, "bytes of description")?;
    let body = source.exact(place.body_at, length as usize);
    Ok(body.map_err(|_| Damage::new("its description ('meta' box) is cut off"))?.to_vec())
}

/// Reads the `meta` box.
pub(crate) fn meta<R: Read + Seek>(source: &mut Source<R>) -> Result<Meta, Damage> {
    Ok(Meta::of(&description(source)?))
}

impl Meta {
    /// What the body of a `meta` box says.
    pub(crate) fn of(body: &[u8]) -> Self {
        let inside: Vec<([u8; 4], &[u8])> = children(body.get(4..).unwrap_or_default()).collect();
        let child = |kind: &[u8; 4]| inside.iter().find(|(found, _)| found == kind).map(|(_, body)| *body);
        let mut meta = Meta::default();
        let primary = child(b"pitm").and_then(|pitm| item_id(pitm, 4, pitm.first() == Some(&0)));
        if let (Some(iprp), Some(primary)) = (child(b"iprp"), primary) {
            meta.size = size_of(iprp, primary);
        }
        let pieces = |is_wanted: fn(&ItemInfo) -> bool| {
            let item = child(b"iinf").and_then(|iinf| items(iinf).find(|item| is_wanted(item)))?;
            child(b"iloc").and_then(|iloc| extents(iloc, item.id))
        };
        meta.exif = pieces(|item| item.kind == *b"Exif");
        meta.xmp = pieces(is_xmp);
        meta.inner = child(b"idat").unwrap_or_default().to_vec();
        meta
    }

    /// The Exif block, from its TIFF header on (ISO 23008-12, A.2.1: four bytes say how far that is).
    pub(crate) fn exif<R: Read + Seek>(&self, source: &mut Source<R>) -> Option<Vec<u8>> {
        let block = self.bytes_of(source, self.exif.as_ref()?)?;
        let skip = 4 + u32_be(&block, 0)? as usize;
        let found = block.get(skip..).filter(|rest| is_tiff(rest)).map(<[u8]>::to_vec);
        // Some writers count wrong or leave the count out: look for the header itself.
        found.or_else(|| block.windows(4).take(64).position(is_tiff).map(|at| block[at..].to_vec()))
    }

    /// The XMP packet.
    pub(crate) fn xmp<R: Read + Seek>(&self, source: &mut Source<R>) -> Option<Vec<u8>> {
        self.bytes_of(source, self.xmp.as_ref()?)
    }

    fn bytes_of<R: Read + Seek>(&self, source: &mut Source<R>, pieces: &Pieces) -> Option<Vec<u8>> {
        let mut block = Vec::new();
        for (at, length) in &pieces.extents {
            let length = usize::try_from(*length).ok()?;
            if block.len().checked_add(length)? > MAX_METADATA_BYTES {
                return None;
            }
            if pieces.inside {
                let at = usize::try_from(*at).ok()?;
                block.extend(self.inner.get(at..at.checked_add(length)?)?);
            } else {
                block.extend(source.up_to(*at, length).ok()?);
            }
        }
        Some(block)
    }
}

fn is_tiff(bytes: &[u8]) -> bool {
    bytes.starts_with(b"II*\0") || bytes.starts_with(b"MM\0*")
}

/// The boxes inside a box.
pub(super) fn children(body: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
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

/// An item's entry in `iinf`.
pub(super) struct ItemInfo<'a> {
    pub(super) id: u32,
    pub(super) kind: [u8; 4],
    /// Its name and, of a `mime` item, its media type, each ended by a NUL.
    words: &'a [u8],
}

fn is_xmp(item: &ItemInfo) -> bool {
    item.kind == *b"mime" && item.words.split(|byte| *byte == 0).nth(1) == Some(b"application/rdf+xml")
}

/// The entries of `iinf` that name a kind.
pub(super) fn items(iinf: &[u8]) -> impl Iterator<Item = ItemInfo<'_>> {
    let entries = if iinf.first() == Some(&0) { 6 } else { 8 };
    children(iinf.get(entries..).unwrap_or_default()).filter(|(kind, _)| kind == b"infe").filter_map(|(_, infe)| {
        let short = *infe.first()? == 2;
        let kind_at = if short { 8 } else { 10 };
        let (kind, words) = infe.get(kind_at..)?.split_first_chunk()?;
        Some(ItemInfo { id: item_id(infe, 4, short)?, kind: *kind, words })
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

/// Where an item's bytes lie, from `iloc`.
fn extents(iloc: &[u8], item: u32) -> Option<Pieces> {
    let (mut table, count) = Numbers::of_iloc(iloc)?;
    for _ in 0..count {
        let found = table.item()?;
        let extents = table.extents(&found)?;
        if found.id == item {
            return (found.method < 2).then_some(Pieces { inside: found.method == 1, extents });
        }
    }
    None
}

/// An item's entry in `iloc`, before its pieces.
pub(super) struct Item {
    pub(super) id: u32,
    /// 0: in the file; 1: in `idat`; 2: in another item.
    pub(super) method: u64,
    base: u64,
    pub(super) pieces: u64,
}

/// The table `iloc` (ISO 14496-12, 8.11.3): big-endian numbers of varying width, one after the other.
pub(super) struct Numbers<'a> {
    bytes: &'a [u8],
    at: usize,
    version: u8,
    sizes: u16,
}

impl<'a> Numbers<'a> {
    /// The table from its first item on, and how many it says it has.
    pub(super) fn of_iloc(iloc: &'a [u8]) -> Option<(Self, u64)> {
        let mut table = Self { bytes: iloc, at: 6, version: *iloc.first()?, sizes: u16_be(iloc, 4)? };
        let count = table.next(table.id_width())?;
        Some((table, count))
    }

    fn id_width(&self) -> usize {
        if self.version < 2 { 2 } else { 4 }
    }

    fn width(&self, shift: u16) -> usize {
        usize::from(self.sizes >> shift & 0xF)
    }

    pub(super) fn item(&mut self) -> Option<Item> {
        let id = self.next(self.id_width())? as u32;
        let method = if self.version == 0 { 0 } else { self.next(2)? & 0xF };
        let _reference = self.next(2)?;
        Some(Item { id, method, base: self.next(self.width(4))?, pieces: self.next(2)? })
    }

    /// The item's pieces: places and lengths.
    pub(super) fn extents(&mut self, item: &Item) -> Option<Vec<(u64, u64)>> {
        let index_width = if self.version == 0 { 0 } else { self.width(0) };
        let mut found = Vec::new();
        for _ in 0..item.pieces.min(MAX_EXTENTS.into()) {
            let _index = self.next(index_width)?;
            let at = item.base.checked_add(self.next(self.width(12))?)?;
            found.push((at, self.next(self.width(8))?));
        }
        Some(found)
    }

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
        let mime = boxed(*b"infe", &[&[2, 0, 0, 0, 0, 4, 0, 0], b"mime\0application/rdf+xml\0"]);
        let item = |id: u8, at: u8, length: u8| [0, id, 0, 1, 0, 0, 0, 1, 0, 0, 0, at, 0, 0, 0, length];
        let iloc = boxed(*b"iloc", &[&[1, 0, 0, 0, 0x44, 0, 0, 2], &item(3, 0, 12), &item(4, 12, 3)]);
        let parts = [
            boxed(*b"pitm", &[&[0, 0, 0, 0, 0, 2]]),
            boxed(*b"iinf", &[&[0, 0, 0, 0, 0, 2], &infe, &mime]),
            boxed(*b"iprp", &[&ipco, &ipma]),
            iloc,
            boxed(*b"idat", &[&[0, 0, 0, 0], b"II*\0abcd<x>"]),
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
        assert_eq!(meta.xmp(&mut source).unwrap(), b"<x>");
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
