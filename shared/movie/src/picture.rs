//! A frame as a picture to look at: square pixels, upright, sRGB.

use ffmpeg_next::{
    Error,
    format::Pixel,
    frame,
    software::scaling::{Context, Flags},
};
use photovault_domain::{MovingPicture, fit};

use crate::{Unplayable, colour, open::unreadable, probe, raw, turn::Turn};

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

/// A frame as it is to be seen, its longest side at most `longest` pixels.
pub(crate) fn upright(frame: &frame::Video, of: &MovingPicture, longest: u32) -> Result<Picture, Unplayable> {
    let turn = Turn { degrees: of.rotation, mirrored: of.mirrored };
    // Turning twice by a right angle is no turn of the sides.
    let size = fit(turn.size((of.width, of.height)), longest);
    in_size(frame, of, size, if longest <= SMALL_SIDE { Flags::AREA } else { LANCZOS }).map_err(unreadable)
}

/// The same, `size` before it is turned.
pub(crate) fn in_size(frame: &frame::Video, of: &MovingPicture, size: (u32, u32), flags: Flags) -> Result<Picture, Error> {
    let turn = Turn { degrees: of.rotation, mirrored: of.mirrored };
    let (pixels, stride) = if let Some(hdr) = probe::hdr(raw::transfer(frame)).or(of.hdr) {
        let wide = scaled(frame, Pixel::RGB48LE, size, flags)?;
        (colour::to_sdr(wide.data(0), wide.stride(0), size, hdr), size.0 as usize * 3)
    } else {
        let rgb = scaled(frame, Pixel::RGB24, size, flags)?;
        (rgb.data(0).to_vec(), rgb.stride(0))
    };
    let (width, height) = turn.size(size);
    Ok(Picture { width, height, pixels: turn.apply::<3>(size, &pixels, stride) })
}

/// A picture as encoders want it: BT.709, video range, halved colour resolution.
pub(crate) fn to_yuv(picture: &Picture) -> Result<frame::Video, Error> {
    const BT_709: i32 = 1;
    let (width, height) = (picture.width, picture.height);
    let mut rgb = frame::Video::new(Pixel::RGB24, width, height);
    let stride = rgb.stride(0);
    let rows = picture.pixels.chunks_exact(width as usize * 3);
    for (row, to) in rows.zip(rgb.data_mut(0).chunks_mut(stride)) {
        to[..row.len()].copy_from_slice(row);
    }
    let mut scaler = Context::get(Pixel::RGB24, width, height, Pixel::YUV420P, width, height, Flags::BICUBIC)?;
    raw::set_colours(&mut scaler, (BT_709, true), (BT_709, false));
    let mut made = frame::Video::empty();
    scaler.run(&rgb, &mut made)?;
    Ok(made)
}

/// Pixels up to which a picture is so much smaller than its frame that an average is as good as a filter, at a third of its cost.
const SMALL_SIDE: u32 = 320;
const LANCZOS: Flags = Flags::LANCZOS.union(Flags::ACCURATE_RND).union(Flags::FULL_CHR_H_INT).union(Flags::FULL_CHR_H_INP);

/// A frame in another size and another kind of pixel, in the frame's own colours.
pub(crate) fn scaled(frame: &frame::Video, pixel: Pixel, size: (u32, u32), flags: Flags) -> Result<frame::Video, Error> {
    let mut scaler = Context::get(frame.format(), frame.width(), frame.height(), pixel, size.0, size.1, flags)?;
    raw::set_colours(&mut scaler, (raw::matrix(frame), raw::is_full_range(frame)), (raw::matrix(frame), true));
    let mut made = frame::Video::empty();
    scaler.run(frame, &mut made)?;
    Ok(made)
}
