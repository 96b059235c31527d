//! Makes frames smaller, never larger.

use std::cell::RefCell;

use fast_image_resize::{
    FilterType, PixelTrait, ResizeAlg, ResizeOptions, Resizer,
    images::{TypedImage, TypedImageRef},
    pixels::{U8x3, U8x4},
};

use super::{Layout, Unreadable};

/// The size of a picture whose longest side is at most `longest`, with the same proportions; at least 1 × 1.
pub(super) fn fit((width, height): (u32, u32), longest: u32) -> (u32, u32) {
    let side = width.max(height);
    if side <= longest {
        return (width, height);
    }
    let scaled = |length: u32| ((u64::from(length) * u64::from(longest) + u64::from(side) / 2) / u64::from(side)).max(1) as u32;
    (scaled(width), scaled(height))
}

thread_local! {
    /// Its buffers are used again for the next picture.
    static RESIZER: RefCell<Resizer> = RefCell::new(Resizer::new());
}

/// Resizes with a Lanczos filter of three lobes; a frame that has the wanted size already is passed through.
pub(super) fn shrink(from: (u32, u32), pixels: Vec<u8>, layout: Layout, to: (u32, u32)) -> Result<Vec<u8>, Unreadable> {
    if from == to {
        return Ok(pixels);
    }
    match layout {
        Layout::Rgb => convolve::<U8x3>(from, &pixels, to),
        Layout::Cmyk => convolve::<U8x4>(from, &pixels, to),
    }
}

/// By the kind of pixel: the library's own choice at run time would be compiled for all of its thirteen.
fn convolve<P: PixelTrait>(from: (u32, u32), pixels: &[u8], to: (u32, u32)) -> Result<Vec<u8>, Unreadable> {
    let failed = |what: &dyn std::fmt::Display| {
        Unreadable::new(format!(
            "This photo could not be made smaller, from {} × {} to {} × {}: {what}.",
            from.0, from.1, to.0, to.1
        ))
    };
    let mut resized = vec![0; to.0 as usize * to.1 as usize * P::size()];
    let source = TypedImageRef::<P>::from_buffer(from.0, from.1, pixels).map_err(|error| failed(&error))?;
    let mut target = TypedImage::<P>::from_buffer(to.0, to.1, &mut resized).map_err(|error| failed(&error))?;
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3)).use_alpha(false);
    RESIZER.with_borrow_mut(|resizer| resizer.resize_typed(&source, &mut target, &options)).map_err(|error| failed(&error))?;
    Ok(resized)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_fit_and_are_not_enlarged() {
        for (size, longest, want) in [
            ((4000, 3000), 2048, (2048, 1536)),
            ((3000, 4000), 320, (240, 320)),
            ((100, 50), 320, (100, 50)),
            ((320, 1), 320, (320, 1)),
            ((65_535, 1), 320, (320, 1)),
            ((321, 321), 320, (320, 320)),
        ] {
            assert_eq!(fit(size, longest), want, "{size:?} in {longest}");
        }
    }

    #[test]
    fn a_flat_picture_stays_flat() {
        let small = shrink((40, 30), vec![77; 40 * 30 * 3], Layout::Rgb, (7, 5)).unwrap();
        assert_eq!(small, vec![77; 7 * 5 * 3]);
    }
}
