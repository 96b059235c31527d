//! Decodes PNG, WebP, GIF (its first frame), TIFF and BMP.

use std::io::Cursor;

use image::{DynamicImage, ImageError, ImageFormat, ImageReader, Limits, error::LimitErrorKind};
use photovault_domain::{
    Format,
    limits::{MAX_DECODE_BYTES, MAX_METADATA_BYTES, MAX_SIDE},
};

use super::{Colours, Frame, Layout, Packed, Picture, Unreadable};
use crate::container::{Source, png, tiff, webp};

/// Decodes at full size.
pub(super) fn decode(bytes: &[u8], format: Format) -> Result<Frame, Unreadable> {
    let mut warnings = Vec::new();
    let (kind, profile, exif) = match format {
        Format::Png => {
            let profile = png::profile(bytes).unwrap_or_else(|warning| {
                warnings.push(warning);
                None
            });
            (ImageFormat::Png, profile, png::exif(bytes))
        }
        Format::Webp => (ImageFormat::WebP, webp::profile(bytes), webp::exif(bytes)),
        Format::Gif => (ImageFormat::Gif, None, None),
        Format::Tiff => (ImageFormat::Tiff, tiff_profile(bytes), Some(bytes.to_vec())),
        _ => (ImageFormat::Bmp, None, None),
    };
    let code_points = if format == Format::Png { png::code_points(bytes) } else { None };
    let picture = picture(bytes, format, kind).map_err(|error| unreadable(&error, format))?;
    let full = picture.size;
    let orientation = exif.and_then(|block| tiff::first_directory(&mut Source::of_bytes(&block)).ok()?.orientation);
    Ok(Frame {
        picture: Picture::Packed(picture),
        full,
        colours: match code_points {
            Some((primaries, transfer)) => Colours::Cicp(primaries, transfer),
            None => profile.map_or(Colours::Srgb, Colours::Icc),
        },
        orientation: orientation.unwrap_or(1),
        warnings,
    })
}

fn picture(bytes: &[u8], format: Format, kind: ImageFormat) -> Result<Packed, ImageError> {
    let image = match format {
        Format::Webp => match super::webp::decode(bytes) {
            Some(picture) => return Ok(picture),
            None => read(bytes, kind)?,
        },
        Format::Png => read(&png::without_metadata(bytes), kind)?,
        _ => read(bytes, kind)?,
    };
    Ok(Packed { size: (image.width(), image.height()), layout: Layout::Rgb, pixels: rgb_on_white(image) })
}

fn read(bytes: &[u8], format: ImageFormat) -> Result<DynamicImage, ImageError> {
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::no_limits();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_DECODE_BYTES);
    reader.limits(limits);
    reader.decode()
}

fn tiff_profile(bytes: &[u8]) -> Option<Vec<u8>> {
    let (at, length) = tiff::first_directory(&mut Source::of_bytes(bytes)).ok()?.profile?;
    let profile = bytes.get(usize::try_from(at).ok()?..)?.get(..length)?;
    (profile.len() <= MAX_METADATA_BYTES).then(|| profile.to_vec())
}

/// Eight bits a sample, and transparent parts as they look on a white page.
fn rgb_on_white(image: DynamicImage) -> Vec<u8> {
    if !image.color().has_alpha() {
        return image.into_rgb8().into_raw();
    }
    on_white(image.into_rgba8().into_raw())
}

/// RGBA to RGB, on white, where it lies: a second frame of a large picture would not fit beside it.
pub(super) fn on_white(mut pixels: Vec<u8>) -> Vec<u8> {
    let count = pixels.len() / 4;
    // A few at a time: loops whose source and target may overlap are slow.
    let mut band = [[0; 4]; 64];
    for from in (0..count).step_by(band.len()) {
        let to = count.min(from + band.len());
        let band = &mut band[..to - from];
        band.as_flattened_mut().copy_from_slice(&pixels[4 * from..4 * to]);
        let (target, _) = pixels[3 * from..3 * to].as_chunks_mut::<3>();
        for (mixed, [colours @ .., alpha]) in target.iter_mut().zip(band) {
            let alpha = u32::from(*alpha);
            *mixed = colours.map(|colour| ((u32::from(colour) * alpha + 255 * (255 - alpha) + 127) / 255) as u8);
        }
    }
    pixels.truncate(3 * count);
    pixels
}

fn unreadable(error: &ImageError, format: Format) -> Unreadable {
    let name = format!("{format:?}").to_uppercase();
    // Decoders name themselves first and differ in their full stops.
    let plain = |cause: &dyn std::fmt::Display| {
        let cause: String = cause.to_string().chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
        let words = cause
            .strip_prefix("Format error decoding ")
            .and_then(|rest| rest.split_once(": "))
            .map_or(cause.as_str(), |(_, words)| words);
        words.trim_end_matches('.').to_owned()
    };
    Unreadable::new(match error {
        ImageError::Limits(limit) => match limit.kind() {
            LimitErrorKind::InsufficientMemory => {
                format!("Decoding this {name} needs more memory than the limit of {MAX_DECODE_BYTES} bytes.")
            }
            _ => format!("This {name} is larger than the limit of {MAX_SIDE} pixels a side."),
        },
        ImageError::Unsupported(cause) => format!("This kind of {name} cannot be shown: {}.", plain(cause)),
        ImageError::IoError(cause) if cause.kind() == std::io::ErrorKind::UnexpectedEof => {
            format!("This {name} is damaged: its data ends early.")
        }
        error => format!("This {name} is damaged: {}.", plain(error)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transparent_parts_are_white() {
        let many: Vec<u8> = (0..150_u8).flat_map(|at| [at, 2, 3, 255]).collect();
        assert_eq!(on_white(many), (0..150_u8).flat_map(|at| [at, 2, 3]).collect::<Vec<_>>());
        assert_eq!(on_white(vec![10, 20, 30, 255, 0, 0, 0, 0, 0, 100, 200, 128]), [10, 20, 30, 255, 255, 255, 127, 177, 227]);
    }
}
