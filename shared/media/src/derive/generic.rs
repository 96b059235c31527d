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
    let (code_points, image) = match format {
        Format::Png => (png::code_points(bytes), read(&png::without_metadata(bytes), kind)),
        _ => (None, read(bytes, kind)),
    };
    let image = image.map_err(|error| unreadable(&error, format))?;
    let full = (image.width(), image.height());
    let orientation = exif.and_then(|block| tiff::first_directory(&mut Source::of_bytes(&block)).ok()?.orientation);
    Ok(Frame {
        picture: Picture::Packed(Packed { size: full, layout: Layout::Rgb, pixels: rgb_on_white(image) }),
        full,
        colours: match code_points {
            Some((primaries, transfer)) => Colours::Cicp(primaries, transfer),
            None => profile.map_or(Colours::Srgb, Colours::Icc),
        },
        orientation: orientation.unwrap_or(1),
        warnings,
    })
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
    on_white(&image.into_rgba8().into_raw())
}

/// RGBA to RGB, on white.
pub(super) fn on_white(rgba: &[u8]) -> Vec<u8> {
    let mut rgb = Vec::with_capacity(rgba.len() / 4 * 3);
    for pixel in rgba.chunks_exact(4) {
        let alpha = u32::from(pixel[3]);
        let mix = |colour: u8| ((u32::from(colour) * alpha + 255 * (255 - alpha) + 127) / 255) as u8;
        rgb.extend_from_slice(&[mix(pixel[0]), mix(pixel[1]), mix(pixel[2])]);
    }
    rgb
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
        assert_eq!(on_white(&[10, 20, 30, 255, 0, 0, 0, 0, 0, 100, 200, 128]), [10, 20, 30, 255, 255, 255, 127, 177, 227]);
    }
}
