//! Decodes HEIC and AVIF with libheif, which also applies the file's own rotation and mirroring: what Exif says of it
//! counts no more.

use libheif_rs::{ColorProfileNCLX, ColorSpace, DecodingOptions, HeifContext, HeifError, ImageHandle, LibHeif, RgbChroma};

use super::{Colours, Frame, Layout, Unreadable, generic::on_white};

/// Decodes the primary picture at full size.
pub(super) fn decode(bytes: &[u8]) -> Result<Frame, Unreadable> {
    let library = LibHeif::new();
    let mut context = HeifContext::new().map_err(|error| unreadable(&error))?;
    // What the file may ask for was held against the limits from its header, and memory is limited by the process that decodes.
    // libheif's own limits stay as they are: the binding's struct is older than the library's, and to pass it would let the
    // library read behind its end.
    // Photos are decoded in parallel, not the tiles of one.
    context.set_max_decoding_threads(0);
    context.read_bytes(bytes).map_err(|error| unreadable(&error))?;
    let handle = context.primary_image_handle().map_err(|error| unreadable(&error))?;
    let has_alpha = handle.has_alpha_channel();
    let chroma = if has_alpha { RgbChroma::Rgba } else { RgbChroma::Rgb };
    let mut options = DecodingOptions::new();
    if let Some(options) = &mut options {
        options.set_convert_hdr_to_8bit(true);
    }
    let image = library.decode(&handle, ColorSpace::Rgb(chroma), options).map_err(|error| unreadable(&error))?;
    let planes = image.planes();
    let plane = planes.interleaved.ok_or_else(|| Unreadable::new("This HEIF file has no colour picture in it."))?;
    let row_bytes = plane.width as usize * if has_alpha { 4 } else { 3 };
    if plane.width == 0 || plane.stride < row_bytes {
        return Err(Unreadable::new("This HEIF file has an empty picture in it."));
    }
    let mut pixels = Vec::with_capacity(row_bytes * plane.height as usize);
    for row in plane.data.chunks(plane.stride).take(plane.height as usize) {
        pixels.extend_from_slice(&row[..row_bytes]);
    }
    if has_alpha {
        pixels = on_white(&pixels);
    }
    let mut warnings = Vec::new();
    Ok(Frame {
        width: plane.width,
        height: plane.height,
        layout: Layout::Rgb,
        pixels,
        full: (plane.width, plane.height),
        colours: colours(&handle, &mut warnings),
        orientation: 1,
        warnings,
    })
}

fn colours(handle: &ImageHandle, warnings: &mut Vec<String>) -> Colours {
    if let Some(profile) = handle.color_profile_raw() {
        return Colours::Icc(profile.data);
    }
    let Some(profile) = handle.color_profile_nclx() else { return Colours::Srgb };
    let (primaries, transfer) = code_points(&profile);
    // PQ and HLG (ITU-R BT.2100).
    if matches!(transfer, 16 | 18) {
        warnings.push("This is a high dynamic range picture; it is shown with the range of a common screen.".to_owned());
    }
    Colours::Cicp(primaries, transfer)
}

fn code_points(profile: &ColorProfileNCLX) -> (u8, u8) {
    (profile.color_primaries() as u8, profile.transfer_characteristics() as u8)
}

fn unreadable(error: &HeifError) -> Unreadable {
    Unreadable::new(format!("This HEIF file cannot be decoded: {}.", error.message.trim_end_matches('.')))
}
