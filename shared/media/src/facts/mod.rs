//! What a photo's file says of it: Exif, XMP, IPTC and PNG texts, found in the container and read into typed facts.

use std::{io::Seek, panic::AssertUnwindSafe};

use photovault_domain::{Camera, Facts, Format, Kind};
use serde::{Deserialize, Serialize};

use crate::{container::Source, cpu::counted};
use blocks::Blocks;

mod apple;
mod arrival;
mod blocks;
mod capture;
mod iptc;
mod kept;
mod merge;
mod motion;
mod names;
mod place;
mod screens;
mod sidecar;
mod text;
mod time;
mod towns;
mod typed;
mod value;
pub(crate) mod xmp;
mod zone;

pub use arrival::{Arrival, with_arrivals};
pub use place::located;
pub use sidecar::with_sidecar;

/// Raw tags kept of one file.
const MAX_RAW_TAGS: usize = 2048;

/// What was read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Read {
    /// The facts that are understood.
    pub facts: Facts,
    /// Every tag, as text.
    pub raw: Vec<RawTag>,
    /// What was broken, in sentences for the owner.
    pub warnings: Vec<String>,
}

/// One tag as it stands in the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RawTag {
    /// `IFD0`, `Exif`, `GPS`, `Interop`, `IFD1`, `XMP` or `PNG`.
    pub group: String,
    /// The tag's name in its standard, or its number.
    pub name: String,
    /// Its value, made readable.
    pub value: String,
}

/// Reads the metadata of a photo of `size_bytes`. Never fails: of broken metadata it gives what could be read, and warnings.
///
/// It reads only the parts in which metadata stand; of a [`Sparse`](crate::Sparse) file that lacks one, what it gives is to be
/// thrown away.
pub fn facts(file: impl std::io::Read + Seek, size_bytes: u64, format: Format) -> Read {
    if format.kind() == Kind::Video {
        return Read::default();
    }
    counted(|| {
        std::panic::catch_unwind(AssertUnwindSafe(|| read(&mut Source::new(file, size_bytes), format)))
            .unwrap_or_else(|_| Read { warnings: vec!["The metadata is broken beyond reading.".to_owned()], ..Read::default() })
    })
}

fn read<R: std::io::Read + Seek>(source: &mut Source<R>, format: Format) -> Read {
    let mut read = Read::default();
    let mut blocks = blocks::of(source, format);
    if let Some(block) = blocks.exif.take() {
        read_exif(block, &mut blocks, &mut read);
    }
    let mut clue = None;
    for packet in &blocks.xmp {
        let (properties, trouble) = xmp::read(packet);
        read.warnings.extend(trouble.map(|trouble| format!("Part of the XMP metadata is broken: {trouble}.")));
        merge::add(&mut read.facts, xmp::facts(&properties));
        clue = clue.or_else(|| xmp::motion(&properties));
        let tags = properties.readable().map(|(name, text)| raw("XMP", name, &text));
        read.raw.extend(tags.take(MAX_RAW_TAGS));
    }
    let mut record = blocks.iptc.as_deref().map(iptc::facts).unwrap_or_default();
    if !read.facts.keywords.is_empty() {
        // They are the same ones, and the older standard does not always say in which characters (MWG guidelines 2.0, 3.3).
        record.keywords.clear();
    }
    merge::add(&mut read.facts, record);
    merge::add(&mut read.facts, text::facts(&blocks.texts));
    read.raw.extend(blocks.texts.iter().map(|(key, text)| raw("PNG", key, text)));
    read.raw.truncate(MAX_RAW_TAGS);

    let made_by = |make: &str| {
        let by = |camera: &Camera| camera.make.as_deref().is_some_and(|known| known.eq_ignore_ascii_case(make));
        read.facts.camera.as_ref().is_some_and(by)
    };
    // Where it cannot be read, there is none to be shown.
    read.facts.motion = motion::find(source, format, clue.as_ref(), made_by("samsung")).unwrap_or_default();
    if let Some(size) = blocks.size {
        screens::judge(&mut read.facts, format, size);
    }
    capture::settle(&mut read.facts);
    read
}

/// Reads the Exif block; the XMP and IPTC in it (as TIFF has them) join the other blocks.
fn read_exif(block: Vec<u8>, blocks: &mut Blocks, read: &mut Read) {
    let warnings = &mut read.warnings;
    let parsed = exif::Reader::new().continue_on_error(true).read_raw(block).or_else(|error| {
        error.distill_partial_result(|errors| {
            warnings.extend(errors.iter().take(3).map(|error| format!("Part of the Exif metadata is broken: {error}.")));
        })
    });
    match parsed {
        Ok(exif) => {
            read.facts = typed::facts(&exif);
            read.raw = exif.fields().take(MAX_RAW_TAGS).map(|field| raw_tag(field, &exif)).collect();
            blocks.xmp.extend(typed::xmp(&exif));
            blocks.iptc = blocks.iptc.take().or_else(|| typed::iptc(&exif));
        }
        Err(error) => warnings.push(format!("The Exif metadata cannot be read: {error}.")),
    }
}

/// Absent if nothing is in it.
fn some<T: Default + PartialEq>(facet: T) -> Option<T> {
    (facet != T::default()).then_some(facet)
}

fn raw(group: &str, name: &str, text: &str) -> RawTag {
    RawTag { group: group.to_owned(), name: kept::word(name), value: value::cut(text) }
}

fn raw_tag(field: &exif::Field, exif: &exif::Exif) -> RawTag {
    use exif::{Context, In};
    let group = match (field.tag.context(), field.ifd_num) {
        (_, In::THUMBNAIL) => "IFD1",
        (Context::Exif, _) => "Exif",
        (Context::Gps, _) => "GPS",
        (Context::Interop, _) => "Interop",
        _ => "IFD0",
    };
    RawTag { group: group.to_owned(), name: field.tag.to_string(), value: value::readable(field, exif) }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::Sparse;

    /// A JPEG of three megabytes with a video behind its picture.
    fn motion_photo() -> Vec<u8> {
        let video = [&b"\0\0\0\x18ftypmp42\0\0\0\0isommp42"[..], &vec![7; 1_000_000]].concat();
        let xmp = format!(
            "http://ns.adobe.com/xap/1.0/\0<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description \
             xmlns:GCamera='http://ns.google.com/photos/1.0/camera/' GCamera:MicroVideo='1' GCamera:MicroVideoOffset='{}'/></rdf:RDF>",
            video.len()
        );
        let segment = |marker: u8, body: &[u8]| [&[0xFF, marker][..], &(body.len() as u16 + 2).to_be_bytes(), body].concat();
        let resources = b"Photoshop 3.0\08BIM\x04\x04\0\0\0\0\0\x08\x1C\x02\x05\0\x03abc";
        let parts =
            [segment(0xE1, xmp.as_bytes()), segment(0xED, resources), segment(0xC0, &[8, 0, 8, 0, 8, 3]), segment(0xDA, &[])];
        [vec![0xFF, 0xD8], parts.concat(), vec![0x12; 2_000_000], video].concat()
    }

    #[test]
    fn only_the_parts_with_metadata_travel() {
        let bytes = motion_photo();
        let size_bytes = bytes.len() as u64;
        let whole = facts(Cursor::new(&bytes), size_bytes, Format::Jpeg);
        assert_eq!(whole.facts.title.as_deref(), Some("abc"));
        assert_eq!(whole.facts.motion.as_ref().map(|motion| motion.length), Some(1_000_024));
        let (mut file, mut trips, mut travelled) = (Sparse::new(size_bytes), 0, 0);
        while let Some(range) = file.missing() {
            (trips, travelled) = (trips + 1, travelled + range.end - range.start);
            file.add(range.start, bytes[range.start as usize..range.end as usize].to_vec());
            let read = facts(&mut file, size_bytes, Format::Jpeg);
            assert!(file.missing().is_some() || read == whole);
        }
        assert_eq!((trips, travelled), (2, 2 * 128 * 1024));
    }

    #[test]
    fn a_broken_packet_is_told_and_the_rest_is_read() {
        let bytes = motion_photo();
        let cut = bytes.windows(9).position(|part| part == b"</rdf:RDF").unwrap();
        let hurt = [&bytes[..cut], b"</rdf:XYZ", &bytes[cut + 9..]].concat();
        let read = facts(Cursor::new(&hurt), hurt.len() as u64, Format::Jpeg);
        assert!(read.warnings[0].starts_with("Part of the XMP metadata is broken: "), "{:?}", read.warnings);
        assert!(read.facts.motion.is_some() && read.facts.title.is_some());
    }
}
