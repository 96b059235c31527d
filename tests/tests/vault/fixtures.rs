//! Pictures that the tests make.

use image::{ExtendedColorType, Rgb, RgbImage, codecs::jpeg::JpegEncoder};

/// A JPEG with a gradient and some texture; another `seed` is another picture.
pub(crate) fn jpeg(width: u32, height: u32, seed: u32) -> Vec<u8> {
    let pixel = |x: u32, y: u32| Rgb([(x * 3 + seed * 17) as u8, (y * 5 + (seed >> 8) * 29) as u8, (x * y / 7 + seed) as u8]);
    let picture = RgbImage::from_fn(width, height, pixel);
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, 90)
        .encode(&picture, width, height, ExtendedColorType::Rgb8)
        .expect("a small picture");
    bytes
}
