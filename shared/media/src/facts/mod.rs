//! What a photo's metadata says: Exif, found in the container and read into typed facts.

use photovault_domain::{Facts, Format, Kind};
use serde::{Deserialize, Serialize};

use crate::{
    container::{Source, bmff, jpeg, png, webp},
    cpu::counted,
};

mod typed;
mod value;

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
    /// `IFD0`, `Exif`, `GPS`, `Interop` or `IFD1`.
    pub group: String,
    /// The tag's name in the Exif standard, or its number.
    pub name: String,
    /// Its value, made readable.
    pub value: String,
}

/// Reads a photo's metadata. Never fails: of broken metadata it gives what could be read, and warnings.
pub fn facts(bytes: &[u8], format: Format) -> Read {
    if format.kind() == Kind::Video {
        return Read::default();
    }
    counted(|| {
        std::panic::catch_unwind(|| read(bytes, format))
            .unwrap_or_else(|_| Read { warnings: vec!["The metadata is broken beyond reading.".to_owned()], ..Read::default() })
    })
}

fn read(bytes: &[u8], format: Format) -> Read {
    let Some(block) = exif_block(bytes, format) else { return Read::default() };
    let mut warnings = Vec::new();
    let parsed = exif::Reader::new().continue_on_error(true).read_raw(block).or_else(|error| {
        error.distill_partial_result(|errors| {
            warnings.extend(errors.iter().take(3).map(|error| format!("Part of the Exif metadata is broken: {error}.")));
        })
    });
    match parsed {
        Ok(exif) => Read {
            facts: typed::facts(&exif),
            raw: exif.fields().take(MAX_RAW_TAGS).map(|field| raw_tag(field, &exif)).collect(),
            warnings,
        },
        Err(error) => {
            warnings.push(format!("The Exif metadata cannot be read: {error}."));
            Read { warnings, ..Read::default() }
        }
    }
}

fn exif_block(bytes: &[u8], format: Format) -> Option<Vec<u8>> {
    let mut source = Source::of_bytes(bytes);
    match format {
        Format::Jpeg => jpeg::header(&mut source).ok()?.exif(&mut source),
        Format::Png => png::exif(bytes),
        Format::Webp => webp::exif(bytes),
        Format::Tiff => Some(bytes.to_vec()),
        Format::Heic | Format::Avif => bmff::meta(&mut source).ok()?.exif(&mut source),
        _ => None,
    }
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
