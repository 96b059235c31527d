//! Keeps the gain map of an Ultra HDR photo in its large derivative (<https://developer.android.com/media/platform/hdr-image-format>):
//! the factors are made as small and as upright as the picture, and described as they were.

use photovault_domain::{GainMap, fit};

use super::{RenderedFile, encode, full::push_segment, jpeg};
use crate::{
    container::{Source, gainmap::Found, jpeg as segments},
    facts::xmp::{self, Value},
};

/// Quality of the factors' JPEG: they are soft, and steps in them are seen as bands.
const QUALITY: u8 = 90;
/// How factors become light. Those without a default value must be there.
const TERMS: [(&str, bool); 8] = [
    ("GainMapMin", false),
    ("GainMapMax", true),
    ("Gamma", false),
    ("OffsetSDR", false),
    ("OffsetHDR", false),
    ("HDRCapacityMin", false),
    ("HDRCapacityMax", true),
    ("BaseRenditionIsHDR", false),
];

/// Adds the gain map to the large derivative, if it is of a kind that can be kept.
pub(super) fn keep(large: &mut RenderedFile, found: Found, photo: &[u8], orientation: u8) -> Option<()> {
    let (GainMap::UltraHdr, Some((at, length))) = (found.kind, found.picture) else { return None };
    let map = photo.get(at..at + length)?;
    let terms = terms(map)?;
    let frame = jpeg::decode(map).ok()?;
    // A quarter of the side, as cameras write it.
    let size = fit(frame.full, large.width.max(large.height) / 4);
    let picture = frame.picture.shrink(size).ok()?.upright(orientation).ok()?;
    let bare = encode::jpeg(&picture, QUALITY).ok()?;
    let mut map = bare[..2].to_vec();
    push_segment(&mut map, 0xE1, &packet(&terms, ""));
    map.extend_from_slice(&bare[2..]);
    large.bytes = together(&large.bytes, &map);
    Some(())
}

/// The terms of a gain map's XMP, as attributes, if they are all that is needed.
fn terms(map: &[u8]) -> Option<String> {
    let mut source = Source::of_bytes(map);
    let packets = segments::header(&mut source).ok()?.xmp(&mut source);
    let (properties, _) = xmp::read(packets.first()?);
    let mut terms = String::new();
    for (name, is_needed) in TERMS {
        match properties.value(&format!("hdrgm:{name}")) {
            Some(Value::Text(text)) if name == "BaseRenditionIsHDR" => (text == "False").then_some(())?,
            Some(Value::Text(number)) if number.parse::<f64>().is_ok() => terms.extend([" hdrgm:", name, "=\"", number, "\""]),
            None if !is_needed => {}
            // A list has a number for each channel.
            _ => return None,
        }
    }
    Some(terms)
}

/// An XMP packet with these terms, and elements inside.
fn packet(terms: &str, inside: &str) -> Vec<u8> {
    let text = format!(
        "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\
         <rdf:Description xmlns:Container=\"http://ns.google.com/photos/1.0/container/\" \
         xmlns:Item=\"http://ns.google.com/photos/1.0/container/item/\" xmlns:hdrgm=\"http://ns.adobe.com/hdr-gain-map/1.0/\" \
         hdrgm:Version=\"1.0\"{terms}>{inside}</rdf:Description></rdf:RDF></x:xmpmeta>"
    );
    [segments::XMP, text.as_bytes()].concat()
}

/// Both pictures in one file, with the two indices that readers go by: XMP's and that of multiple pictures (CIPA DC-007).
fn together(picture: &[u8], map: &[u8]) -> Vec<u8> {
    let item = |semantic: &str, length: &str| {
        format!(
            "<rdf:li rdf:parseType=\"Resource\"><Container:Item Item:Semantic=\"{semantic}\" Item:Mime=\"image/jpeg\"{length}/></rdf:li>"
        )
    };
    let items = item("Primary", "") + &item("GainMap", &format!(" Item:Length=\"{}\"", map.len()));
    let xmp = packet("", &format!("<Container:Directory><rdf:Seq>{items}</rdf:Seq></Container:Directory>"));
    let mut file = picture[..2].to_vec();
    push_segment(&mut file, 0xE1, &xmp);
    let index_at = file.len() + 8;
    let picture_bytes = file.len() + 4 + index(0, 0, 0).len() + picture.len() - 2;
    push_segment(&mut file, 0xE2, &index(picture_bytes, map.len(), picture_bytes - index_at));
    file.extend_from_slice(&picture[2..]);
    file.extend_from_slice(map);
    file
}

/// `MPF`: version, number of pictures, and their attributes, lengths and places, which count from the index's header.
fn index(picture_bytes: usize, map_bytes: usize, map_at: usize) -> Vec<u8> {
    const PRIMARY: usize = 0x0003_0000;
    let long = |number: usize| (number as u32).to_be_bytes();
    let entry = |tag: u16, kind: u16, count: usize, value: [u8; 4]| {
        [&tag.to_be_bytes()[..], &kind.to_be_bytes(), &long(count), &value].concat()
    };
    let entries = [entry(0xB000, 7, 4, *b"0100"), entry(0xB001, 4, 1, long(2)), entry(0xB002, 7, 32, long(50))].concat();
    let pictures = [PRIMARY, picture_bytes, 0, 0, 0, map_bytes, map_at, 0].map(long).concat();
    [b"MPF\0MM\0*\0\0\0\x08\0\x03".as_slice(), &entries, &[0; 4], &pictures].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_lies_where_it_says() {
        let index = index(1, 2, 3);
        assert_eq!(index.len(), 4 + 50 + 32);
        assert_eq!(&index[4 + 50..4 + 58], b"\0\x03\0\0\0\0\0\x01");
    }

    #[test]
    fn terms_are_numbers_or_nothing() {
        let map = |attributes: &str, elements: &str| {
            let mut file = b"\xFF\xD8".to_vec();
            push_segment(&mut file, 0xE1, &packet(attributes, elements));
            push_segment(&mut file, 0xC0, &[8, 0, 5, 0, 7, 1, 1, 0x11, 0]);
            [file, b"\xFF\xDA\0\x02".to_vec()].concat()
        };
        let sound = " hdrgm:GainMapMax=\"2.5\" hdrgm:HDRCapacityMax=\"2.5\" hdrgm:Gamma=\"1\"";
        let kept = " hdrgm:GainMapMax=\"2.5\" hdrgm:Gamma=\"1\" hdrgm:HDRCapacityMax=\"2.5\"";
        assert_eq!(terms(&map(sound, "")).as_deref(), Some(kept));
        let max = "<hdrgm:GainMapMax>2.5</hdrgm:GainMapMax>";
        assert_eq!(terms(&map(&sound[23..], max)).as_deref(), Some(kept), "the same in an element");
        for (attributes, elements) in [
            (" hdrgm:GainMapMax=\"2.5\"", ""),
            (" hdrgm:GainMapMax=\"a&amp;b\" hdrgm:HDRCapacityMax=\"1\"", ""),
            (&format!("{sound} hdrgm:BaseRenditionIsHDR=\"True\""), ""),
            (sound, "<hdrgm:GainMapMin><rdf:Seq><rdf:li>1</rdf:li></rdf:Seq></hdrgm:GainMapMin>"),
        ] {
            assert_eq!(terms(&map(attributes, elements)), None, "{attributes} {elements}");
        }
    }
}
