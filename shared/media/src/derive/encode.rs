//! Writes derivatives: JPEG files without metadata, and the thumbhash.

use std::cell::RefCell;

use photovault_domain::fit;
use turbojpeg::{Compressor, Image, PixelFormat, Subsamp, YuvPlanesImage};

use super::{
    Packed, Picture, Unreadable,
    planes::{Planar, Plane},
    resize,
};

/// Thumbhash takes pictures of 100 × 100 at most.
const THUMBHASH_SIDE: u32 = 100;

thread_local! {
    static COMPRESSOR: RefCell<Option<Compressor>> = const { RefCell::new(None) };
}

/// A baseline JPEG with halved colour resolution, as cameras write it, or in grey.
pub(super) fn jpeg(picture: &Picture, quality: u8) -> Result<Vec<u8>, Unreadable> {
    // Unlike a decoder, an encoder sees only what we made, and may be kept.
    let written = COMPRESSOR.with_borrow_mut(|kept| {
        let compressor = match kept {
            Some(compressor) => compressor,
            None => kept.insert(Compressor::new()?),
        };
        compressor.set_quality(i32::from(quality))?;
        match picture {
            Picture::Packed(packed) => write_packed(compressor, packed),
            Picture::Planar(planar) => match &planar.colour {
                Some(colour) => write_planes(compressor, planar, colour),
                None => write_grey(compressor, &planar.brightness),
            },
        }
    });
    let (width, height) = picture.size();
    written.map_err(|error| Unreadable::new(format!("The small picture of {width} × {height} could not be written: {error}.")))
}

fn write_packed(compressor: &mut Compressor, Packed { size, pixels, .. }: &Packed) -> turbojpeg::Result<Vec<u8>> {
    let (width, height) = (size.0 as usize, size.1 as usize);
    compressor.set_subsamp(Subsamp::Sub2x2)?;
    compressor.compress_to_vec(Image { pixels, width, pitch: width * 3, height, format: PixelFormat::RGB })
}

fn write_planes(compressor: &mut Compressor, planar: &Planar, [blue, red]: &[Plane; 2]) -> turbojpeg::Result<Vec<u8>> {
    compressor.compress_yuv_planes_to_vec(&YuvPlanesImage {
        y_plane: planar.brightness.samples.as_slice(),
        u_plane: blue.samples.as_slice(),
        v_plane: red.samples.as_slice(),
        width: planar.brightness.width as usize,
        height: planar.brightness.height as usize,
        y_stride: planar.brightness.stride,
        u_stride: blue.stride,
        v_stride: red.stride,
        subsamp: Subsamp::Sub2x2,
    })
}

fn write_grey(compressor: &mut Compressor, plane: &Plane) -> turbojpeg::Result<Vec<u8>> {
    compressor.set_subsamp(Subsamp::Gray)?;
    compressor.compress_to_vec(Image {
        pixels: plane.samples.as_slice(),
        width: plane.width as usize,
        pitch: plane.stride,
        height: plane.height as usize,
        format: PixelFormat::GRAY,
    })
}

/// The placeholder of a picture.
pub(super) fn thumbhash(picture: Packed) -> Result<Vec<u8>, Unreadable> {
    let (width, height) = fit(picture.size, THUMBHASH_SIDE);
    let small = resize::packed(picture, (width, height))?;
    let rgba: Vec<u8> = small.pixels.chunks_exact(3).flat_map(|pixel| [pixel[0], pixel[1], pixel[2], 255]).collect();
    Ok(thumbhash::rgba_to_thumb_hash(width as usize, height as usize, &rgba))
}
