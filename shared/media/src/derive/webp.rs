//! Writes derivatives as WebP, with libwebp: the `image` crate's encoder knows only WebP without losses.

use std::cell::RefCell;

use photovault_domain::Format;
use webp::{Encoder, WebPConfig};

use super::{Picture, RenderedFile, Unreadable, turbo};

/// How hard libwebp tries, 0..=6. The measurement stands in `docs/stills.md`.
const METHOD: i32 = 2;

thread_local! {
    static CONFIG: RefCell<Option<WebPConfig>> = const { RefCell::new(None) };
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
    let failed = |what: &str| Unreadable::new(format!("The WebP picture of {width} × {height} could not be written: {what}."));
    let bytes = CONFIG.with_borrow_mut(|kept| {
        let config = match kept {
            Some(config) => config,
            None => kept.insert(WebPConfig::new().map_err(|()| failed("the library is of another version"))?),
        };
        (config.quality, config.method) = (f32::from(quality), METHOD);
        Encoder::from_rgb(pixels, width, height).encode_advanced(config).map_err(|error| failed(&format!("{error:?}")))
    })?;
    Ok(RenderedFile { name, mime: Format::Webp.mime(), width, height, bytes: bytes.to_vec() })
}
