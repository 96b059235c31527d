//! Finds the gain map of a photo: a second picture of factors, by which a screen of high dynamic range brightens the first.

use photovault_domain::{Format, GainMap, limits::MAX_ITEMS};

use super::{
    Source, bmff, jpeg,
    tiff::{Entry, Order},
};

/// A gain map, and where its picture lies if that is a JPEG of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) kind: GainMap,
    pub(crate) picture: Option<(usize, usize)>,
}

/// The namespace of Ultra HDR's XMP.
const ULTRA_HDR: &[u8] = b"http://ns.adobe.com/hdr-gain-map/1.0/";
/// The namespace of Apple's XMP, in the JPEG files that iOS makes.
const APPLE: &[u8] = b"http://ns.apple.com/HDRGainMap/1.0/";
/// What begins a segment of ISO 21496-1 (annex C.2).
const ISO: &[u8] = b"urn:iso:std:iso:ts:21496:-1\0";
/// What marks Apple's auxiliary picture in HEIC.
const APPLE_AUXILIARY: &[u8] = b"urn:com:apple:photo:2020:aux:hdrgainmap";

/// The gain map of a photo, if it has one.
pub(crate) fn find(bytes: &[u8], format: Format) -> Option<Found> {
    match format {
        Format::Jpeg => in_jpeg(bytes),
        Format::Heic | Format::Avif => in_heif(bytes).map(|kind| Found { kind, picture: None }),
        _ => None,
    }
}

/// Told by the picture of factors itself, which the index of multiple pictures (CIPA DC-007) leads to.
fn in_jpeg(bytes: &[u8]) -> Option<Found> {
    second_pictures(bytes)?.into_iter().find_map(|(at, length)| {
        let kind = kind_of(bytes.get(at..at + length)?)?;
        Some(Found { kind, picture: Some((at, length)) })
    })
}

fn kind_of(picture: &[u8]) -> Option<GainMap> {
    let mut source = Source::of_bytes(picture);
    let header = jpeg::header(&mut source).ok()?;
    let packets = header.bodies(&mut source, 0xE1, jpeg::XMP);
    let speaks_of = |namespace: &[u8]| packets.iter().any(|packet| packet.windows(namespace.len()).any(|part| part == namespace));
    // Ultra HDR's files of 2024 have ISO's segment as well.
    if speaks_of(ULTRA_HDR) {
        Some(GainMap::UltraHdr)
    } else if header.places(&mut source, 0xE2, ISO).next().is_some() {
        Some(GainMap::Iso)
    } else if speaks_of(APPLE) {
        Some(GainMap::Apple)
    } else {
        None
    }
}

/// The pictures behind the first one, by the index `MPF`.
fn second_pictures(bytes: &[u8]) -> Option<Vec<(usize, usize)>> {
    let mut source = Source::of_bytes(bytes);
    let header = jpeg::header(&mut source).ok()?;
    let (base, length) = header.places(&mut source, 0xE2, b"MPF\0").next()?;
    // Its places count from its own header on.
    let base = usize::try_from(base).ok()?;
    let index = bytes.get(base..base + length)?;
    let mut inside = Source::of_bytes(index);
    let order = Order::of(&mut inside).ok()?;
    let (entries, _) = order.entries(&mut inside, order.first).ok()?;
    let list: &Entry = entries.iter().find(|entry| entry.tag == 0xB002)?;
    let list = index.get(list.number as usize..)?;
    let number = |bytes: &[u8]| {
        let bytes = [bytes[0], bytes[1], bytes[2], bytes[3]];
        if order.little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) }
    };
    // Attributes, length, place, and two numbers of pictures that belong to it: 16 bytes. The first is the picture itself.
    let count = entries.iter().find(|entry| entry.tag == 0xB001)?.number.min(MAX_ITEMS) as usize;
    let pictures = list.chunks_exact(16).take(count).skip(1);
    Some(
        pictures
            .filter_map(|entry| {
                let at = base.checked_add(number(&entry[8..]) as usize)?;
                let length = (number(&entry[4..]) as usize).min(bytes.len().checked_sub(at)?);
                Some((at, length))
            })
            .collect(),
    )
}

fn in_heif(bytes: &[u8]) -> Option<GainMap> {
    let description = bmff::description(&mut Source::of_bytes(bytes)).ok()?;
    let inside = description.get(4..)?;
    let child = |body: &[u8], kind: [u8; 4]| {
        let found = bmff::children(body).find(|(found, _)| *found == kind);
        found.map(|(_, body)| body.to_vec())
    };
    // ISO's own way: an item of kind 'tmap' that derives the bright picture from the two.
    if child(inside, *b"iinf").is_some_and(|iinf| bmff::items(&iinf).any(|item| item.kind == *b"tmap")) {
        return Some(GainMap::Iso);
    }
    let properties = child(&child(inside, *b"iprp")?, *b"ipco")?;
    let is_apples = bmff::children(&properties)
        .any(|(kind, body)| kind == *b"auxC" && body.get(4..).is_some_and(|urn| urn.starts_with(APPLE_AUXILIARY)));
    is_apples.then_some(GainMap::Apple)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(marker: u8, body: &[u8]) -> Vec<u8> {
        [&[0xFF, marker][..], &(body.len() as u16 + 2).to_be_bytes(), body].concat()
    }

    fn picture(segments: &[Vec<u8>]) -> Vec<u8> {
        let frame = segment(0xC0, &[8, 0, 5, 0, 7, 1, 1, 0x11, 0]);
        [b"\xFF\xD8".as_slice(), &segments.concat(), &frame, b"\xFF\xDA\0\x02\x11\xFF\xD9"].concat()
    }

    /// Two pictures in one file; the place of the second counts from the index's header.
    fn pair(second: &[u8], little: bool) -> Vec<u8> {
        let index = |first_bytes: u32, at: u32| {
            let short = |number: u16| if little { number.to_le_bytes() } else { number.to_be_bytes() };
            let long = |number: u32| if little { number.to_le_bytes() } else { number.to_be_bytes() };
            let entry = |tag: u16, kind: u16, count: u32, value: u32| {
                [&short(tag)[..], &short(kind), &long(count), &long(value)].concat()
            };
            let list = [[0x2003_0000, first_bytes, 0, 0], [0, second.len() as u32, at, 0]];
            [
                b"MPF\0".as_slice(),
                if little { b"II*\0" } else { b"MM\0*" },
                &long(8),
                &short(2),
                &entry(0xB001, 4, 1, 2),
                &entry(0xB002, 7, 32, 38),
                &[0; 4],
                &list.as_flattened().iter().flat_map(|number| long(*number)).collect::<Vec<_>>(),
            ]
            .concat()
        };
        let first_bytes = picture(&[segment(0xE2, &index(0, 0))]).len() as u32;
        // The header of the index lies behind the first marker, its own four bytes, and its name.
        let first = picture(&[segment(0xE2, &index(first_bytes, first_bytes - 10))]);
        [&first, second].concat()
    }

    #[test]
    fn the_second_picture_says_what_it_is() {
        let ultra = segment(0xE1, &[b"http://ns.adobe.com/xap/1.0/\0xmlns:hdrgm=\"", ULTRA_HDR, b"\""].concat());
        let iso = segment(0xE2, &[ISO, b"\0\0\0\0"].concat());
        let apple = segment(0xE1, &[b"http://ns.adobe.com/xap/1.0/\0\"", APPLE].concat());
        for (segments, want) in [
            (vec![ultra.clone()], Some(GainMap::UltraHdr)),
            (vec![iso.clone()], Some(GainMap::Iso)),
            (vec![iso, ultra], Some(GainMap::UltraHdr)),
            (vec![apple], Some(GainMap::Apple)),
            (vec![], None),
        ] {
            let second = picture(&segments);
            for little in [true, false] {
                let bytes = pair(&second, little);
                let found = find(&bytes, Format::Jpeg);
                assert_eq!(found.map(|found| found.kind), want);
                if let Some(Found { picture: Some((at, length)), .. }) = found {
                    assert_eq!(bytes[at..at + length], second);
                }
                for cut in 0..bytes.len() {
                    find(&bytes[..cut], Format::Jpeg);
                }
            }
        }
    }

    #[test]
    fn heif_says_it_in_its_description() {
        let boxed = |kind: &[u8; 4], body: &[u8]| [&(body.len() as u32 + 8).to_be_bytes()[..], kind, body].concat();
        let file = |inside: &[u8]| boxed(b"meta", &[&[0; 4], inside].concat());
        let auxiliary = boxed(b"auxC", &[&[0; 4], APPLE_AUXILIARY, b"\0"].concat());
        let apples = file(&boxed(b"iprp", &boxed(b"ipco", &auxiliary)));
        let entry = boxed(b"infe", b"\x02\0\0\0\0\x01\0\0tmap\0");
        let isos = file(&boxed(b"iinf", &[b"\0\0\0\0\0\x01".as_slice(), &entry].concat()));
        assert_eq!(find(&apples, Format::Heic).map(|found| found.kind), Some(GainMap::Apple));
        assert_eq!(find(&isos, Format::Heic).map(|found| found.kind), Some(GainMap::Iso));
        assert_eq!(find(&file(&boxed(b"iprp", &boxed(b"ipco", &[]))), Format::Heic), None);
        assert_eq!(find(&apples, Format::Png), None);
    }
}
