//! What a photo's metadata says: Exif, found in the container and read into typed facts.

use std::{io::Seek, panic::AssertUnwindSafe};

use photovault_domain::{Facts, Format, Kind};
use serde::{Deserialize, Serialize};

use crate::{
    container::{Source, bmff, jpeg, jxl, png, raw, webp},
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
    let Some(block) = exif_block(source, format) else { return Read::default() };
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

fn exif_block<R: std::io::Read + Seek>(source: &mut Source<R>, format: Format) -> Option<Vec<u8>> {
    match format {
        Format::Jpeg => jpeg::header(source).ok()?.exif(source),
        Format::Png => png::exif(&source.all().ok()?),
        Format::Webp => webp::exif(&source.all().ok()?),
        Format::Tiff => source.all().ok(),
        Format::Heic | Format::Avif => bmff::meta(source).ok()?.exif(source),
        Format::Jxl => jxl::exif(source),
        format if format.is_raw() => raw::exif(source, format),
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
