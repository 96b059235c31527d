//! Measures what a still looks like, on frames that are in memory anyway: hashes for duplicates, colours for search, sharpness and
//! exposure for the choice of the best.

mod colours;
mod hashes;
mod sharpness;
mod tones;

use photovault_domain::Look;

pub(crate) use sharpness::sharpness;

/// A plane of brightness: one byte a pixel, rows without gaps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Luma<'a> {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) samples: &'a [u8],
}

/// Brightness of sRGB, three bytes a pixel, as JPEG has it (ITU-T T.871).
pub(crate) fn brightness(rgb: &[u8]) -> Vec<u8> {
    let luma = |pixel: &[u8]| 19_595 * u32::from(pixel[0]) + 38_470 * u32::from(pixel[1]) + 7_471 * u32::from(pixel[2]);
    rgb.chunks_exact(3).map(|pixel| ((luma(pixel) + (1 << 15)) >> 16) as u8).collect()
}

/// Measures a picture of at most about 320 pixels a side, of which `rgb` are the same pixels in colour. `sharpness` was measured
/// on a larger frame of it: edges are gone in so small a one.
pub(crate) fn look(luma: Luma<'_>, rgb: &[u8], sharpness: u32) -> Look {
    let (phash, phash_quality) = hashes::perceptual(luma);
    let tones = tones::tones(luma);
    Look {
        dhash: hashes::difference(luma),
        phash,
        phash_quality,
        colours: colours::dominant(rgb),
        sharpness,
        brightness: tones.mean,
        contrast: tones.deviation,
        dark_percent: tones.dark_percent,
        bright_percent: tones.bright_percent,
    }
}

/// Measures a picture of sRGB pixels, three bytes each, with its width and height; the second is the same picture at no more than
/// about 320 pixels a side.
pub fn measure((rgb, (width, height)): (&[u8], (usize, usize)), (small, size): (&[u8], (usize, usize))) -> Look {
    let (all, few) = (brightness(rgb), brightness(small));
    let sharpness = sharpness(Luma { width, height, samples: &all });
    look(Luma { width: size.0, height: size.1, samples: &few }, small, sharpness)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brightness_of_colours() {
        assert_eq!(brightness(&[0, 0, 0, 255, 255, 255, 255, 0, 0, 0, 255, 0, 0, 0, 255]), [0, 255, 76, 150, 29]);
    }
}
