//! What an Exif block says about colours (Exif 3.0, DCF 2.0).

use std::io::{Read, Seek};

use super::{
    Source,
    tiff::{Entry, Order},
};

/// Whether the entries of an Exif directory say Adobe RGB: by DCF's interoperability index `R03`, or by the number that some
/// cameras write as colour space.
pub(super) fn is_adobe_rgb<R: Read + Seek>(source: &mut Source<R>, order: Order, entries: &[Entry]) -> bool {
    let entry = |entries: &[Entry], tag| entries.iter().find(|entry| entry.tag == tag).copied();
    // ColorSpace: 1 is sRGB, 0xFFFF is "uncalibrated", 2 is in no standard.
    match entry(entries, 0xA001).map(|space| space.number) {
        Some(2) => return true,
        Some(0xFFFF) => {}
        _ => return false,
    }
    let Some(interoperability) = entry(entries, 0xA005) else { return false };
    let Ok((inside, _)) = order.entries(source, u64::from(interoperability.number)) else { return false };
    entry(&inside, 1).is_some_and(|index| index.bytes.starts_with(b"R03"))
}

/// The same of a whole Exif block.
pub(crate) fn block_is_adobe_rgb(block: &[u8]) -> bool {
    let mut source = Source::of_bytes(block);
    let Ok(order) = Order::of(&mut source) else { return false };
    let Ok((first, _)) = order.entries(&mut source, order.first) else { return false };
    let Some(pointer) = first.iter().find(|entry| entry.tag == 34665) else { return false };
    let Ok((entries, _)) = order.entries(&mut source, u64::from(pointer.number)) else { return false };
    is_adobe_rgb(&mut source, order, &entries)
}

/// The thumbnail of an Exif block: the JPEG that its second directory names.
pub(crate) fn thumbnail(block: &[u8]) -> Option<&[u8]> {
    let mut source = Source::of_bytes(block);
    let order = Order::of(&mut source).ok()?;
    let (_, second) = order.entries(&mut source, order.first).ok()?;
    if second == 0 {
        return None;
    }
    let (entries, _) = order.entries(&mut source, second).ok()?;
    let number = |tag| entries.iter().find(|entry| entry.tag == tag).map(|entry| entry.number as usize);
    // JPEGInterchangeFormat and its length.
    let jpeg = block.get(number(513)?..)?;
    let jpeg = &jpeg[..number(514)?.min(jpeg.len())];
    jpeg.starts_with(b"\xFF\xD8").then_some(jpeg)
}
