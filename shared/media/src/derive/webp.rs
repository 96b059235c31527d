//! Reads and writes WebP with libwebp 1.6, which takes a third of the time of a decoder in safe Rust, and writes with losses.
//!
//! It is given sound stills alone: animations, and files that it does not take, are left to the other decoder, which says what is
//! wrong with them.
#![expect(unsafe_code, reason = "a C library")]

use std::{ffi::c_int, slice};

use libwebp_sys::{
    VP8StatusCode, WEBP_CSP_MODE, WebPConfig, WebPDecode, WebPDecoderConfig, WebPEncode, WebPGetFeatures, WebPPicture,
    WebPPictureFree, WebPPictureImportRGB, WebPRGBABuffer,
};
use photovault_domain::{Format, limits::MAX_DECODE_BYTES};

use super::{Layout, Packed, Picture, RenderedFile, Unreadable, generic::on_white, turbo};

/// How hard libwebp tries, 0..=6. The measurement stands in `docs/stills.md`.
const METHOD: c_int = 2;
/// What decoding takes at most: four bytes for each pixel of the picture, and as many for libwebp's own frame.
const BYTES_A_PIXEL: u64 = 8;

/// Decodes a still at full size; nothing if it is none, or not sound.
pub(super) fn decode(bytes: &[u8]) -> Option<Packed> {
    let mut config = WebPDecoderConfig::new().ok()?;
    // SAFETY: the pointer and length are those of a slice, and what is written to is alive.
    let status = unsafe { WebPGetFeatures(bytes.as_ptr(), bytes.len(), &raw mut config.input) };
    if status != VP8StatusCode::VP8_STATUS_OK || config.input.has_animation != 0 {
        return None;
    }
    let size = (u32::try_from(config.input.width).ok()?, u32::try_from(config.input.height).ok()?);
    if u64::from(size.0) * u64::from(size.1) * BYTES_A_PIXEL > MAX_DECODE_BYTES {
        return None;
    }
    let has_alpha = config.input.has_alpha != 0;
    let row_bytes = size.0 as usize * if has_alpha { 4 } else { 3 };
    let mut pixels = vec![0; row_bytes * size.1 as usize];
    config.output.colorspace = if has_alpha { WEBP_CSP_MODE::MODE_RGBA } else { WEBP_CSP_MODE::MODE_RGB };
    config.output.is_external_memory = 1;
    config.output.u.RGBA = WebPRGBABuffer { rgba: pixels.as_mut_ptr(), stride: row_bytes as c_int, size: pixels.len() };
    // SAFETY: the pointer and length are those of a slice; the target is as large as it is said to be, which libwebp holds against
    // the picture's size; nothing else is allocated for it.
    let status = unsafe { WebPDecode(bytes.as_ptr(), bytes.len(), &raw mut config) };
    let pixels = if has_alpha { on_white(pixels) } else { pixels };
    (status == VP8StatusCode::VP8_STATUS_OK).then_some(Packed { size, layout: Layout::Rgb, pixels })
}

/// A lossy WebP file of an sRGB picture.
pub(super) fn file(name: &'static str, picture: &Picture, quality: u8) -> Result<RenderedFile, Unreadable> {
    let packed;
    let pixels = match picture {
        Picture::Packed(packed) => &packed.pixels,
        Picture::Planar(planar) => {
            packed = turbo::rgb(planar)?;
            &packed.pixels
        }
    };
    let (width, height) = picture.size();
    let bytes = encode(pixels, (width, height), quality)
        .ok_or_else(|| Unreadable::new(format!("The WebP picture of {width} × {height} could not be written.")))?;
    Ok(RenderedFile { name, mime: Format::Webp.mime(), width, height, bytes })
}

fn encode(pixels: &[u8], (width, height): (u32, u32), quality: u8) -> Option<Vec<u8>> {
    assert_eq!(pixels.len(), width as usize * height as usize * 3, "three bytes a pixel");
    let mut config = WebPConfig::new().ok()?;
    (config.quality, config.method) = (f32::from(quality), METHOD);
    let mut written = Vec::new();
    let mut picture = WebPPicture::new().ok()?;
    (picture.width, picture.height, picture.use_argb) = (width as c_int, height as c_int, 1);
    picture.writer = Some(append);
    picture.custom_ptr = (&raw mut written).cast();
    // SAFETY: the picture is alive; the pixels have the size that it says, and are copied.
    let is_taken = unsafe { WebPPictureImportRGB(&raw mut picture, pixels.as_ptr(), width as c_int * 3) } != 0;
    // SAFETY: both are alive, and so is what the picture is written to.
    let is_written = is_taken && unsafe { WebPEncode(&raw const config, &raw mut picture) } != 0;
    // SAFETY: what the picture holds is not used behind.
    unsafe { WebPPictureFree(&raw mut picture) };
    is_written.then_some(written)
}

/// libwebp's way to write.
unsafe extern "C" fn append(data: *const u8, length: usize, picture: *const WebPPicture) -> c_int {
    // SAFETY: it is `encode` that put the vector there, and it waits for the writing to end.
    let written = unsafe { &mut *(*picture).custom_ptr.cast::<Vec<u8>>() };
    if length > 0 {
        // SAFETY: libwebp's buffer has that length.
        written.extend_from_slice(unsafe { slice::from_raw_parts(data, length) });
    }
    1
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use image::{ImageFormat, RgbaImage};

    use super::*;

    fn waves(width: u32, height: u32) -> Vec<u8> {
        let wave = |at: u32, length: f32| (128.0 + 90.0 * (at as f32 / length).sin()) as u8;
        (0..height).flat_map(|y| (0..width).flat_map(move |x| [wave(x, 7.0), wave(y, 9.0), wave(x + y, 11.0)])).collect()
    }

    #[test]
    fn what_is_written_is_read_as_others_read_it() {
        for size in [(1, 1), (17, 31), (320, 213)] {
            let pixels = waves(size.0, size.1);
            let bytes = encode(&pixels, size, 90).unwrap();
            let found = decode(&bytes).unwrap();
            let other = image::load_from_memory_with_format(&bytes, ImageFormat::WebP).unwrap().into_rgb8();
            assert_eq!((found.size, &found.pixels), (other.dimensions(), other.as_raw()));
            let error: u64 = pixels.iter().zip(&found.pixels).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
            assert!(error < 8 * pixels.len() as u64, "{size:?}: {error}");
            for length in 0..bytes.len() {
                assert!(decode(&bytes[..length]).is_none(), "{length} of {} bytes", bytes.len());
            }
        }
    }

    #[test]
    fn transparent_parts_are_white() {
        let mut bytes = Cursor::new(Vec::new());
        let picture = RgbaImage::from_fn(9, 5, |x, _| [10, 20, 30, if x < 4 { 255 } else { 0 }].into());
        picture.write_to(&mut bytes, ImageFormat::WebP).unwrap();
        let found = decode(bytes.get_ref()).unwrap();
        assert_eq!((&found.pixels[..3], &found.pixels[8 * 3..9 * 3]), (&[10, 20, 30][..], &[255; 3][..]));
    }
}
