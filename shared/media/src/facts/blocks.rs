//! Where a photo's metadata stand in its container: found, not yet read.

use std::io::{Read, Seek};

use photovault_domain::Format;

use super::{iptc, value};
use crate::container::{Source, bmff, gif, jpeg, jxl, png, raw, tiff, webp};

/// The blocks of one file.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    /// From its TIFF header on.
    pub(super) exif: Option<Vec<u8>>,
    /// XMP packets, the main one first.
    pub(super) xmp: Vec<Vec<u8>>,
    /// A record of IPTC's IIM.
    pub(super) iptc: Option<Vec<u8>>,
    /// A PNG's keys and texts.
    pub(super) texts: Vec<(String, String)>,
    /// Pixels as stored.
    pub(super) size: Option<(u32, u32)>,
}

/// The blocks of a file. What is damaged is left out.
pub(super) fn of<R: Read + Seek>(source: &mut Source<R>, format: Format) -> Blocks {
    match format {
        Format::Jpeg => jpeg::header(source).map(|header| of_jpeg(source, &header)).unwrap_or_default(),
        Format::Png => source.all().map(|bytes| Blocks { size: png::size(source).ok(), ..of_png(&bytes) }).unwrap_or_default(),
        Format::Webp => {
            let size = webp::size(source).ok();
            let bytes = source.all().unwrap_or_default();
            Blocks { exif: webp::exif(&bytes), xmp: webp::xmp(&bytes).into_iter().collect(), size, ..Blocks::default() }
        }
        Format::Gif => Blocks { xmp: gif::xmp(source).into_iter().collect(), size: gif::size(source).ok(), ..Blocks::default() },
        Format::Heic | Format::Avif => bmff::meta(source).map(|meta| of_heif(source, &meta)).unwrap_or_default(),
        Format::Tiff => {
            let size = tiff::first_directory(source).ok().map(|directory| (directory.width, directory.height));
            Blocks { exif: source.all().ok(), size, ..Blocks::default() }
        }
        Format::Jxl => Blocks { exif: jxl::exif(source), ..Blocks::default() },
        format if format.is_raw() => Blocks { exif: raw::exif(source, format), ..Blocks::default() },
        _ => Blocks::default(),
    }
}

fn of_jpeg<R: Read + Seek>(source: &mut Source<R>, header: &jpeg::Header) -> Blocks {
    Blocks {
        exif: header.exif(source),
        xmp: header.xmp(source),
        iptc: iptc::of_resources(&header.resources(source)).map(<[u8]>::to_vec),
        size: Some((header.width, header.height)),
        ..Blocks::default()
    }
}

fn of_heif<R: Read + Seek>(source: &mut Source<R>, meta: &bmff::Meta) -> Blocks {
    Blocks { exif: meta.exif(source), xmp: meta.xmp(source).into_iter().collect(), size: meta.size, ..Blocks::default() }
}

/// `ImageMagick` keeps in texts what has no chunk of its own.
fn of_png(bytes: &[u8]) -> Blocks {
    let mut blocks = Blocks { exif: png::exif(bytes), ..Blocks::default() };
    for (key, text) in png::texts(bytes) {
        match key {
            b"XML:com.adobe.xmp" => blocks.xmp.push(text.into_owned()),
            b"Raw profile type xmp" => blocks.xmp.extend(png::raw_profile(&text)),
            b"Raw profile type iptc" => {
                let resources = png::raw_profile(&text).unwrap_or_default();
                blocks.iptc = iptc::of_resources(&resources).map(<[u8]>::to_vec);
            }
            _ => blocks.texts.push((value::shown(key), value::shown(&text))),
        }
    }
    blocks
}
