//! Writes derivatives: JPEG files without metadata, and the thumbhash.

use std::cell::RefCell;

use turbojpeg::{Compressor, Image, PixelFormat, Subsamp};

use super::{Layout, Unreadable, resize};

/// Thumbhash takes pictures of 100 × 100 at most.
const THUMBHASH_SIDE: u32 = 100;

thread_local! {
    static COMPRESSOR: RefCell<Option<Compressor>> = const { RefCell::new(None) };
}

/// A baseline JPEG with halved colour resolution, as cameras write it.
pub(super) fn jpeg((width, height): (u32, u32), pixels: &[u8], quality: u8) -> Result<Vec<u8>, Unreadable> {
    let (width, height) = (width as usize, height as usize);
    let image = Image { pixels, width, pitch: width * 3, height, format: PixelFormat::RGB };
    // Unlike a decoder, an encoder sees only what we made, and may be kept.
    let written = COMPRESSOR.with_borrow_mut(|kept| {
        let compressor = match kept {
            Some(compressor) => compressor,
            None => kept.insert(Compressor::new()?),
        };
        compressor.set_quality(i32::from(quality))?;
        compressor.set_subsamp(Subsamp::Sub2x2)?;
        compressor.compress_to_vec(image)
    });
    written.map_err(|error| Unreadable::new(format!("The small picture of {width} × {height} could not be written: {error}.")))
}

/// The placeholder of a picture.
pub(super) fn thumbhash(size: (u32, u32), pixels: Vec<u8>) -> Result<Vec<u8>, Unreadable> {
    let (width, height) = resize::fit(size, THUMBHASH_SIDE);
    let pixels = resize::shrink(size, pixels, Layout::Rgb, (width, height))?;
    let rgba: Vec<u8> = pixels.chunks_exact(3).flat_map(|pixel| [pixel[0], pixel[1], pixel[2], 255]).collect();
    Ok(thumbhash::rgba_to_thumb_hash(width as usize, height as usize, &rgba))
}
