//! A frame as a picture to look at: square pixels, upright, sRGB.

use ffmpeg_next::{Error, format::Pixel, frame, software::scaling::Flags};
use photovault_domain::{MovingPicture, fit};

use crate::{Unplayable, colour, open::unreadable, probe, raw, scaler::Scaler, turn::Turn};

/// What is darker is black, of 255.
pub(crate) const BLACK: u8 = 36;

/// RGB, eight bits a sample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Three bytes a pixel, rows without a gap.
    pub pixels: Vec<u8>,
}

impl Picture {
    /// Whether all but a twentieth of it is as good as black.
    pub(crate) fn is_black(&self) -> bool {
        let lit = self.pixels.chunks_exact(3).filter(|pixel| pixel.iter().any(|sample| *sample >= BLACK)).count();
        lit * 20 <= self.pixels.len() / 3
    }
}

/// A frame as it is to be seen, its longest side at most `longest` pixels.
pub(crate) fn upright(frame: &frame::Video, of: &MovingPicture, longest: u32) -> Result<Picture, Unplayable> {
    let turn = Turn { degrees: of.rotation, mirrored: of.mirrored };
    // Turning twice by a right angle is no turn of the sides.
    let size = fit(turn.size((of.width, of.height)), longest);
    in_size(frame, of, size, if longest <= SMALL_SIDE { Flags::AREA } else { LANCZOS }).map_err(unreadable)
}

/// The same, `size` before it is turned.
fn in_size(frame: &frame::Video, of: &MovingPicture, size: (u32, u32), flags: Flags) -> Result<Picture, Error> {
    Developer::default().develop(frame, of, size, flags)
}

/// What turns frames into pictures, for many frames of one kind.
#[derive(Default)]
pub(crate) struct Developer {
    to_rgb: Scaler,
    to_yuv: Scaler,
}

impl Developer {
    fn develop(&mut self, frame: &frame::Video, of: &MovingPicture, size: (u32, u32), flags: Flags) -> Result<Picture, Error> {
        let turn = Turn { degrees: of.rotation, mirrored: of.mirrored };
        let rgb = self.narrow(frame, of, size, flags)?;
        let (width, height) = turn.size(size);
        Ok(Picture { width, height, pixels: turn.apply::<3>(size, rgb.data(0), rgb.stride(0)) })
    }

    /// A frame of high dynamic range as encoders want it, before it is turned.
    pub(crate) fn encodable(
        &mut self,
        frame: &frame::Video,
        of: &MovingPicture,
        size: (u32, u32),
    ) -> Result<frame::Video, Error> {
        let rgb = self.narrow(frame, of, size, Flags::AREA)?;
        encodable(&mut self.to_yuv, &rgb)
    }

    /// A frame in RGB24, whatever its dynamic range, before it is turned.
    fn narrow(
        &mut self,
        frame: &frame::Video,
        of: &MovingPicture,
        size: (u32, u32),
        flags: Flags,
    ) -> Result<frame::Video, Error> {
        let matrix = raw::matrix(frame);
        let colours = ((matrix, raw::is_full_range(frame)), (matrix, true));
        let Some(hdr) = probe::hdr(raw::transfer(frame)).or(of.hdr) else {
            return self.to_rgb.run(frame, (Pixel::RGB24, size), flags, colours);
        };
        let rgb = self.to_rgb.run(frame, (Pixel::GBRP12LE, size), flags, colours)?;
        let mut narrow = frame::Video::new(Pixel::RGB24, size.0, size.1);
        let plane = |number| (rgb.data(number), rgb.stride(number));
        let rows = (size.0 as usize, narrow.stride(0));
        colour::to_sdr([plane(2), plane(0), plane(1)], hdr, narrow.data_mut(0), rows);
        Ok(narrow)
    }
}

/// A picture as encoders want it.
pub(crate) fn to_yuv(picture: &Picture) -> Result<frame::Video, Error> {
    let (width, height) = (picture.width, picture.height);
    let mut rgb = frame::Video::new(Pixel::RGB24, width, height);
    let stride = rgb.stride(0);
    let rows = picture.pixels.chunks_exact(width as usize * 3);
    for (row, to) in rows.zip(rgb.data_mut(0).chunks_mut(stride)) {
        to[..row.len()].copy_from_slice(row);
    }
    encodable(&mut Scaler::default(), &rgb)
}

/// BT.709, video range, halved colour resolution.
fn encodable(to_yuv: &mut Scaler, rgb: &frame::Video) -> Result<frame::Video, Error> {
    const BT_709: i32 = 1;
    let size = (rgb.width(), rgb.height());
    to_yuv.run(rgb, (Pixel::YUV420P, size), Flags::BICUBIC, ((BT_709, true), (BT_709, false)))
}

/// Pixels up to which a picture is so much smaller than its frame that an average is as good as a filter, at a third of its cost.
const SMALL_SIDE: u32 = 320;
const LANCZOS: Flags = Flags::LANCZOS.union(Flags::ACCURATE_RND).union(Flags::FULL_CHR_H_INT).union(Flags::FULL_CHR_H_INP);

/// A grey frame in another size.
pub(crate) fn grey(frame: &frame::Video, size: (u32, u32)) -> Result<frame::Video, Error> {
    let matrix = raw::matrix(frame);
    let colours = ((matrix, raw::is_full_range(frame)), (matrix, true));
    Scaler::default().run(frame, (Pixel::GRAY8, size), Flags::AREA, colours)
}
