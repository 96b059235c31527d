//! Decodes HEIC and AVIF with libheif, which also applies the file's own rotation and mirroring: what Exif says of it
//! counts no more.

use libheif_rs::{
    Chroma, ColorProfileNCLX, ColorSpace, DecodingOptions, HeifContext, HeifError, ImageHandle, LibHeif, MatrixCoefficients,
    RgbChroma, SecurityLimits,
};
use photovault_domain::{
    fit,
    limits::{
        MAX_DECODE_BYTES, MAX_DECODER_BYTES, MAX_EXTENTS, MAX_ITEMS, MAX_METADATA_BYTES, MAX_PHOTO_BYTES, MAX_PIXELS, MAX_TILES,
    },
};

use super::{
    Colours, Frame, HDR_WARNING, Layout, Packed, Picture, Unreadable,
    generic::on_white,
    planes::{Planar, Plane},
};

/// Decodes the primary picture, at full size or for a longest side of at least this.
pub(super) fn decode(bytes: &[u8], longest: u32) -> Result<Frame, Unreadable> {
    let library = LibHeif::new();
    let context = open(bytes).map_err(|error| unreadable(&error))?;
    let handle = context.primary_image_handle().map_err(|error| unreadable(&error))?;
    let (picture, full) = match in_planes(&library, &handle, longest)? {
        Some(found) => found,
        None => in_rgb(&library, &handle)?,
    };
    let mut warnings = Vec::new();
    let colours = colours(&handle, &mut warnings);
    Ok(Frame { picture, full, colours, orientation: 1, warnings })
}

/// The primary picture's first thumbnail, if there is one that can be decoded.
pub(super) fn thumbnail(bytes: &[u8]) -> Option<Packed> {
    let context = open(bytes).ok()?;
    let handle = context.primary_image_handle().ok()?;
    let mut ids = [0];
    if handle.thumbnail_ids(&mut ids) == 0 {
        return None;
    }
    let (picture, _) = in_rgb(&LibHeif::new(), &handle.thumbnail(ids[0]).ok()?).ok()?;
    picture.into_packed().ok()
}

fn open(bytes: &[u8]) -> Result<HeifContext<'_>, HeifError> {
    let mut context = HeifContext::new()?;
    context.set_security_limits(&limits(&context))?;
    // Photos are decoded in parallel, not the tiles of one.
    context.set_max_decoding_threads(0);
    context.read_bytes(bytes)?;
    Ok(context)
}

/// The picture and its full size.
type Decoded = (Picture, (u32, u32));

/// Planes as JPEG has them, made smaller where the decoder left them; nothing where the file's mean something else.
fn in_planes(library: &LibHeif, handle: &ImageHandle, longest: u32) -> Result<Option<Decoded>, Unreadable> {
    let native = handle.preferred_decoding_colorspace().map_err(|error| unreadable(&error))?;
    let is_like_jpeg = |profile: Option<ColorProfileNCLX>| {
        profile.is_none_or(|profile| {
            profile.full_range_flag() == 1
                && matches!(
                    profile.matrix_coefficients(),
                    MatrixCoefficients::ITU_R_BT_601_6 | MatrixCoefficients::ITU_R_BT_470_6_System_B_G
                )
        })
    };
    if native != ColorSpace::YCbCr(Chroma::C420)
        || handle.has_alpha_channel()
        || handle.luma_bits_per_pixel() != 8
        || !is_like_jpeg(handle.color_profile_nclx())
    {
        return Ok(None);
    }
    let image = library.decode(handle, native, None).map_err(|error| unreadable(&error))?;
    let planes = image.planes();
    let (Some(brightness), Some(blue), Some(red)) = (planes.y, planes.cb, planes.cr) else { return Ok(None) };
    let full = (brightness.width, brightness.height);
    let half = (full.0.div_ceil(2), full.1.div_ceil(2));
    let is_sound = full.0 > 0
        && full.1 > 0
        && [(blue.width, blue.height), (red.width, red.height)] == [half; 2]
        && [&brightness, &blue, &red]
            .iter()
            .all(|plane| plane.storage_bits_per_pixel == 8 && plane.stride >= plane.width as usize);
    // Without a profile in its header, the coded picture has the word.
    if !is_sound || !is_like_jpeg(image.color_profile_nclx()) {
        return Ok(None);
    }
    let planar = Planar {
        brightness: borrowed(&brightness),
        colour: Some([borrowed(&blue), borrowed(&red)]),
        ratio: (2, 2),
        extent: (f64::from(full.0), f64::from(full.1)),
    };
    Ok(Some((Picture::Planar(planar.shrink(fit(full, longest))?), full)))
}

fn borrowed<'a>(plane: &libheif_rs::Plane<&'a [u8]>) -> Plane<&'a [u8]> {
    Plane { width: plane.width, height: plane.height, stride: plane.stride, samples: plane.data }
}

fn in_rgb(library: &LibHeif, handle: &ImageHandle) -> Result<Decoded, Unreadable> {
    let has_alpha = handle.has_alpha_channel();
    let chroma = if has_alpha { RgbChroma::Rgba } else { RgbChroma::Rgb };
    let mut options = DecodingOptions::new();
    if let Some(options) = &mut options {
        options.set_convert_hdr_to_8bit(true);
    }
    let image = library.decode(handle, ColorSpace::Rgb(chroma), options).map_err(|error| unreadable(&error))?;
    let plane = image.planes().interleaved.ok_or_else(|| Unreadable::new("This HEIF file has no colour picture in it."))?;
    let row_bytes = plane.width as usize * if has_alpha { 4 } else { 3 };
    if plane.width == 0 || plane.stride < row_bytes {
        return Err(Unreadable::new("This HEIF file has an empty picture in it."));
    }
    let mut pixels = Vec::with_capacity(row_bytes * plane.height as usize);
    for row in plane.data.chunks(plane.stride).take(plane.height as usize) {
        pixels.extend_from_slice(&row[..row_bytes]);
    }
    if has_alpha {
        pixels = on_white(pixels);
    }
    let size = (plane.width, plane.height);
    Ok((Picture::Packed(Packed { size, layout: Layout::Rgb, pixels }), size))
}

/// Our limits in place of libheif's own, of which some are lax (a gigapixel, 4 GB) and some refuse what validation takes
/// (1,000 items). What is not set here stays as libheif has it.
fn limits(context: &HeifContext) -> SecurityLimits {
    let mut limits = context.security_limits();
    limits.set_max_image_size_pixels(MAX_PIXELS);
    limits.set_max_number_of_tiles(MAX_TILES.into());
    limits.set_max_items(MAX_ITEMS);
    limits.set_max_iloc_extents_per_item(MAX_EXTENTS);
    limits.set_max_color_profile_size(u32::try_from(MAX_METADATA_BYTES).unwrap_or(u32::MAX));
    limits.set_max_memory_block_size(MAX_DECODE_BYTES);
    // All planes together: what the decoder's process has beside the photo. Past it libheif says so, and nothing crashes.
    limits.set_max_total_memory(MAX_DECODER_BYTES - MAX_PHOTO_BYTES);
    limits
}

fn colours(handle: &ImageHandle, warnings: &mut Vec<String>) -> Colours {
    if let Some(profile) = handle.color_profile_raw() {
        return Colours::Icc(profile.data);
    }
    let Some(profile) = handle.color_profile_nclx() else { return Colours::Srgb };
    let (primaries, transfer) = code_points(&profile);
    // PQ and HLG (ITU-R BT.2100).
    if matches!(transfer, 16 | 18) {
        warnings.push(HDR_WARNING.to_owned());
    }
    Colours::Cicp(primaries, transfer)
}

fn code_points(profile: &ColorProfileNCLX) -> (u8, u8) {
    (profile.color_primaries() as u8, profile.transfer_characteristics() as u8)
}

fn unreadable(error: &HeifError) -> Unreadable {
    Unreadable::new(format!("This HEIF file cannot be decoded: {}.", error.message.trim_end_matches('.')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_has_our_limits() {
        let mut context = HeifContext::new().unwrap();
        assert_ne!(context.security_limits().max_image_size_pixels(), MAX_PIXELS);
        let ours = limits(&context);
        context.set_security_limits(&ours).unwrap();
        let held = context.security_limits();
        assert_eq!((held.max_image_size_pixels(), held.max_total_memory()), (MAX_PIXELS, MAX_DECODER_BYTES - MAX_PHOTO_BYTES));
        assert_eq!((held.max_number_of_tiles(), held.max_items()), (MAX_TILES.into(), MAX_ITEMS));
    }
}
