//! A picture that was sent to be looked at. Decoded by code without `unsafe` and without C: it may come from anybody who has a key.

use std::io::Cursor;

use image::{ImageFormat, ImageReader, Limits, RgbImage};
use photovault_domain::{Look, fit};
use photovault_media::measure;

use super::{Refusal, refuse};

/// Pixels of a side at most.
const MOST_SIDE: u32 = 10_000;
/// What a decode may take: 100 million pixels of three bytes.
const MOST_BYTES: u64 = 300 << 20;
/// Side at which colours and tones are measured.
const SMALL_SIDE: u32 = 320;

/// Its pixels, sRGB.
pub(super) struct Picture(pub(super) RgbImage);

impl Picture {
    /// Of JPEG or PNG, which is what Rekognition takes.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Refusal> {
        let invalid = |what: String| refuse("InvalidImageFormatException", what);
        let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|error| invalid(error.to_string()))?;
        if !matches!(reader.format(), Some(ImageFormat::Jpeg | ImageFormat::Png)) {
            return Err(invalid("the image is neither JPEG nor PNG".to_owned()));
        }
        let mut reader = reader;
        let mut limits = Limits::no_limits();
        (limits.max_image_width, limits.max_image_height, limits.max_alloc) =
            (Some(MOST_SIDE), Some(MOST_SIDE), Some(MOST_BYTES));
        reader.limits(limits);
        match reader.decode() {
            Ok(image) => Ok(Self(image.into_rgb8())),
            Err(image::ImageError::Limits(error)) => Err(refuse("ImageTooLargeException", error.to_string())),
            Err(error) => Err(invalid(error.to_string())),
        }
    }

    /// What it looks like, measured as the thumbnail stage does.
    pub(super) fn look(&self) -> Look {
        let (width, height) = fit(self.0.dimensions(), SMALL_SIDE);
        let small = image::imageops::thumbnail(&self.0, width, height);
        let size = |image: &RgbImage| (image.width() as usize, image.height() as usize);
        measure((&self.0, size(&self.0)), (&small, size(&small)))
    }

    /// The part of it in a box: left edge, upper edge, width and height as parts of its own. Nothing where the box is beyond it.
    pub(super) fn part(&self, [left, top, width, height]: [f32; 4]) -> Option<Self> {
        let within = |from: f32, length: f32, side: u32| {
            let at = |edge: f32| (edge.clamp(0.0, 1.0) * side as f32) as u32;
            (at(from), at(from + length) - at(from))
        };
        let ((left, width), (top, height)) = (within(left, width, self.0.width()), within(top, height, self.0.height()));
        let part = || Self(image::imageops::crop_imm(&self.0, left, top, width, height).to_image());
        (width.min(height) > 0).then(part)
    }
}
