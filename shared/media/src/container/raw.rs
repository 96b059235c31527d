//! Raw photos: which camera's they are, how large, how they are held, and the largest JPEG that the camera put in.
//!
//! Most are TIFF files (TIFF/EP, ISO 12234-2) with the sensor's data in one directory and previews in others. CR3 is an ISO base
//! media file, RAF a header of its own. What each maker does is described by the authors of dcraw, exiftool and `LibRaw`.

use std::io::{Read, Seek};

use super::{
    Damage, Part, Source, cr3, jpeg,
    tiff::{Entry, Order},
    u32_be,
};
use photovault_domain::{
    Format,
    limits::{MAX_DIRECTORIES, MAX_METADATA_BYTES},
};

/// Place of the preview in a Fujifilm header: offset and length, big-endian.
const RAF_PREVIEW_AT: u64 = 84;
/// Bytes of a maker's or camera's name that are looked at.
const NAME_BYTES: usize = 8;

/// What a raw photo says outside of the sensor's data.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Raw {
    /// Pixels, as stored: the sensor's, or the preview's where only that is said.
    pub(crate) size: (u32, u32),
    /// Exif orientation; where the file does not say, the preview's own counts.
    pub(crate) orientation: Option<u8>,
    /// Whether the camera was set to Adobe RGB (DCF 2.0).
    pub(crate) is_adobe_rgb: bool,
    /// The largest preview.
    pub(crate) preview: Option<Preview>,
}

/// An embedded JPEG that can be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Preview {
    pub(crate) at: u64,
    pub(crate) length: u64,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

/// Reads a raw photo of this format.
pub(crate) fn read<R: Read + Seek>(source: &mut Source<R>, format: Format) -> Result<Raw, Damage> {
    let mut raw = match format {
        Format::Raf => {
            let place = raf_preview(source)?;
            Raw { preview: largest(source, &[place]), ..Raw::default() }
        }
        Format::Cr3 => cr3::read(source)?,
        _ => Walk::of(source)?.raw(source),
    };
    if raw.size == (0, 0) {
        raw.size = raw.preview.map_or((0, 0), |preview| (preview.width, preview.height));
    }
    if raw.size == (0, 0) {
        return Err(Damage::new("it does not say how large its picture is, and has no preview"));
    }
    Ok(raw)
}

/// Which raw format a TIFF file is, if it is one: by its version of DNG, or by whose sensor's data are in it.
pub(crate) fn format_of_tiff<R: Read + Seek>(source: &mut Source<R>) -> Option<Format> {
    let walk = Walk::of(source).ok()?;
    if walk.is_dng {
        return Some(Format::Dng);
    }
    let makers: [(&[u8], Format); 5] = [
        (b"NIKON", Format::Nef),
        (b"SONY", Format::Arw),
        (b"PENTAX", Format::Pef),
        (b"RICOH", Format::Pef),
        (b"SAMSUNG", Format::Srw),
    ];
    let maker = walk.maker.to_ascii_uppercase();
    makers.iter().find(|(name, _)| walk.sensor.is_some() && maker.starts_with(name)).map(|(_, format)| *format)
}

/// The Exif block of a raw photo, as a TIFF file of the usual kind.
pub(crate) fn exif<R: Read + Seek>(source: &mut Source<R>, format: Format) -> Option<Vec<u8>> {
    match format {
        Format::Raf => {
            let (at, length) = raf_preview(source).ok()?;
            let mut preview = Part::of(source, at, length);
            jpeg::header(&mut preview).ok()?.exif(&mut preview)
        }
        Format::Cr3 => cr3::exif(source),
        _ => {
            let little = Order::of(source).ok()?.little;
            let mut block = source.up_to(0, MAX_METADATA_BYTES).ok()?.to_vec();
            block.get_mut(..4)?.copy_from_slice(if little { b"II*\0" } else { b"MM\0*" });
            Some(block)
        }
    }
}

fn raf_preview<R: Read + Seek>(source: &mut Source<R>) -> Result<(u64, u64), Damage> {
    let Ok(place) = source.exact(RAF_PREVIEW_AT, 8) else { return Err(Damage::new("its Fujifilm header is cut off")) };
    Ok((u64::from(u32_be(place, 0).unwrap_or(0)), u64::from(u32_be(place, 4).unwrap_or(0))))
}

/// The largest of these parts that is a JPEG of the common kind; the sensor's data are often a JPEG without losses.
pub(super) fn largest<R: Read + Seek>(source: &mut Source<R>, places: &[(u64, u64)]) -> Option<Preview> {
    let mut previews: Vec<Preview> = Vec::new();
    for (at, length) in places.iter().take(MAX_DIRECTORIES as usize) {
        if !source.up_to(*at, 3).is_ok_and(|start| start == b"\xFF\xD8\xFF") {
            continue;
        }
        let mut part = Part::of(source, *at, *length);
        let length = part.size_bytes();
        let Ok(header) = jpeg::header(&mut part) else { continue };
        if header.precision == 8 && header.process & 0b11 != 3 && header.width > 0 && header.height > 0 {
            previews.push(Preview { at: *at, length, width: header.width, height: header.height });
        }
    }
    previews.into_iter().max_by_key(|preview| u64::from(preview.width) * u64::from(preview.height))
}

/// What the directories of a TIFF file say together.
#[derive(Debug, Default)]
struct Walk {
    maker: Vec<u8>,
    is_dng: bool,
    orientation: Option<u8>,
    is_adobe_rgb: bool,
    /// The size of the sensor's picture, where a directory says that it is one.
    sensor: Option<(u32, u32)>,
    /// The size of the largest picture of any kind.
    largest: (u32, u32),
    /// Parts that may be previews.
    places: Vec<(u64, u64)>,
}

impl Walk {
    /// Follows the directories of the chain and those within. A loop ends where it closes.
    fn of<R: Read + Seek>(source: &mut Source<R>) -> Result<Self, Damage> {
        let order = Order::of(source)?;
        let mut walk = Self::default();
        let (mut waiting, mut seen) = (vec![order.first], Vec::new());
        while let Some(at) = waiting.pop() {
            if at == 0 || seen.contains(&at) || seen.len() >= MAX_DIRECTORIES as usize {
                continue;
            }
            let is_first = seen.is_empty();
            seen.push(at);
            match order.entries(source, at) {
                Ok((entries, next)) => {
                    waiting.push(next);
                    if is_first {
                        walk.first(source, order, &entries);
                    }
                    waiting.extend(walk.directory(source, order, &entries));
                }
                Err(damage) if is_first => return Err(damage),
                Err(_) => {}
            }
        }
        Ok(walk)
    }

    fn raw<R: Read + Seek>(self, source: &mut Source<R>) -> Raw {
        Raw {
            size: self.sensor.unwrap_or(self.largest),
            orientation: self.orientation,
            is_adobe_rgb: self.is_adobe_rgb,
            preview: largest(source, &self.places),
        }
    }

    /// What stands in the first directory alone: who made the camera, how it was held, which colours it was set to.
    fn first<R: Read + Seek>(&mut self, source: &mut Source<R>, order: Order, entries: &[Entry]) {
        for entry in entries {
            match entry.tag {
                // Make.
                271 => {
                    let at = u64::from(entry.number);
                    self.maker = source.up_to(at, NAME_BYTES).unwrap_or_default().to_vec();
                }
                274 => self.orientation = entry.orientation(),
                // DNGVersion.
                50706 => self.is_dng = true,
                // Panasonic's JpgFromRaw.
                0x002E => self.places.push((u64::from(entry.number), u64::from(entry.count))),
                // Exif's own directory.
                34665 => self.exif(source, order, u64::from(entry.number)),
                _ => {}
            }
        }
        // Panasonic's borders of the picture on the sensor: top, left, bottom, right.
        let border = |tag| entries.iter().find(|entry| entry.tag == tag).map_or(0, |entry| entry.number);
        let (width, height) = (border(7).saturating_sub(border(5)), border(6).saturating_sub(border(4)));
        if width > 0 && height > 0 && source.up_to(2, 1).is_ok_and(|magic| magic == b"U") {
            self.sensor = Some((width, height));
        }
    }

    fn exif<R: Read + Seek>(&mut self, source: &mut Source<R>, order: Order, at: u64) {
        let Ok((entries, _)) = order.entries(source, at) else { return };
        self.is_adobe_rgb = super::exif::is_adobe_rgb(source, order, &entries);
        // The maker's note.
        if let Some(note) = entries.iter().find(|entry| entry.tag == 37500) {
            self.places.extend(olympus_preview(source, u64::from(note.number)));
        }
    }

    /// One directory of any kind; gives those that it names.
    fn directory<R: Read + Seek>(&mut self, source: &mut Source<R>, order: Order, entries: &[Entry]) -> Vec<u64> {
        let (mut size, mut strip, mut jpeg, mut is_sensor, mut within) = ((0, 0), (0, 0), (0, 0), false, Vec::new());
        for entry in entries {
            let number = u64::from(entry.number);
            match entry.tag {
                256 => size.0 = entry.number,
                257 => size.1 = entry.number,
                // PhotometricInterpretation: a colour filter array, or linear sensor data.
                262 => is_sensor = matches!(entry.number, 32803 | 34892),
                // StripOffsets, StripByteCounts.
                273 if entry.count == 1 => strip.0 = number,
                279 if entry.count == 1 => strip.1 = number,
                // SubIFDs.
                330 => within = order.places(source, entry, MAX_DIRECTORIES),
                // JPEGInterchangeFormat and its length.
                513 => jpeg.0 = number,
                514 => jpeg.1 = number,
                _ => {}
            }
        }
        let area = |(width, height): (u32, u32)| u64::from(width) * u64::from(height);
        if is_sensor && area(size) > self.sensor.map_or(0, area) {
            self.sensor = Some(size);
        }
        if area(size) > area(self.largest) {
            self.largest = size;
        }
        self.places.extend([strip, jpeg].into_iter().filter(|(at, length)| *at > 0 && *length > 0));
        within
    }
}

/// The preview that Olympus keeps in its note: a TIFF-like block whose places count from its beginning, with a directory of
/// camera settings (0x2020) that names the preview (0x0101, 0x0102).
fn olympus_preview<R: Read + Seek>(source: &mut Source<R>, at: u64) -> Option<(u64, u64)> {
    let head = source.exact(at, 12).ok()?;
    if !head.starts_with(b"OLYMPUS\0") && !head.starts_with(b"OM SYSTEM\0") {
        return None;
    }
    // The header of the newer cameras is four bytes longer.
    let first = if head.starts_with(b"OM") { 16 } else { 12 };
    let size_bytes = source.size_bytes();
    let mut note = Part::of(source, at, size_bytes);
    let little = note.up_to(first - 4, 2).ok()? == b"II";
    let order = Order { little, first };
    let number = |entries: &[Entry], tag| entries.iter().find(|entry| entry.tag == tag).map(|entry| u64::from(entry.number));
    let (entries, _) = order.entries(&mut note, first).ok()?;
    let (settings, _) = order.entries(&mut note, number(&entries, 0x2020)?).ok()?;
    Some((at + number(&settings, 0x0101)?, number(&settings, 0x0102)?))
}
