//! Writes AVIF: a still of AV1 by libaom 3.11, in AV1-ISOBMFF's container, from the same planes that JPEG files are written from.
//!
//! libaom, since at its fastest setting `rav1e` takes fifteen times as long.
#![expect(unsafe_code, reason = "a C library")]

use std::{ffi::c_int, mem::MaybeUninit, ptr, slice};

use avif_serialize::{Aviffy, constants};
use libaom_sys::{
    AOM_CODEC_CX_FRAME_PKT, AOM_CODEC_OK, AOM_ENCODER_ABI_VERSION, AOM_IMG_FMT_I420, AOM_Q, AOM_USAGE_ALL_INTRA,
    AOME_SET_CPUUSED, AOME_SET_CQ_LEVEL, AV1E_SET_COLOR_PRIMARIES, AV1E_SET_COLOR_RANGE, AV1E_SET_MATRIX_COEFFICIENTS,
    AV1E_SET_TRANSFER_CHARACTERISTICS, aom_codec_av1_cx, aom_codec_control, aom_codec_ctx_t, aom_codec_destroy,
    aom_codec_enc_config_default, aom_codec_enc_init_ver, aom_codec_encode, aom_codec_get_cx_data, aom_image_t, aom_img_wrap,
};
use photovault_domain::Format;

use super::{Packed, Picture, RenderedFile, Unreadable, planes::Plane};

/// libaom's `cpu-used`, 0..=9 for stills. The measurement stands in `docs/stills.md`.
const SPEED: c_int = 9;

/// An AVIF file of an sRGB picture; `quantizer` is libaom's `cq-level`, 0..=63, higher is smaller.
pub(super) fn file(name: &'static str, picture: &Picture, quantizer: u8) -> Result<RenderedFile, Unreadable> {
    let converted;
    let planes: Vec<&Plane> = match picture {
        Picture::Planar(planar) => [&planar.brightness].into_iter().chain(planar.colour.iter().flatten()).collect(),
        Picture::Packed(packed) => {
            converted = planes_of(packed);
            converted.iter().collect()
        }
    };
    let (width, height) = picture.size();
    let bytes = encode(&planes, (width, height), quantizer)
        .ok_or_else(|| Unreadable::new(format!("The AVIF picture of {width} × {height} could not be written.")))?;
    Ok(RenderedFile { name, mime: Format::Avif.mime(), width, height, bytes })
}

/// Of one plane a grey picture; of three one whose colours have half of the resolution.
fn encode(planes: &[&Plane], (width, height): (u32, u32), quantizer: u8) -> Option<Vec<u8>> {
    let is_grey = planes.len() == 1;
    let data = Encoder::new((width, height), is_grey, quantizer)?.encode(planes, (width, height))?;
    let mut container = Aviffy::new();
    container
        .set_color_primaries(constants::ColorPrimaries::Bt709)
        .set_transfer_characteristics(constants::TransferCharacteristics::Srgb)
        .set_matrix_coefficients(constants::MatrixCoefficients::Bt601)
        .set_full_color_range(true)
        .set_chroma_subsampling((true, true))
        .set_monochrome(is_grey);
    Some(container.to_vec(&data, None, width, height, 8))
}

/// libaom's encoder of one still.
struct Encoder {
    context: aom_codec_ctx_t,
    is_grey: bool,
}

impl Encoder {
    fn new((width, height): (u32, u32), is_grey: bool, quantizer: u8) -> Option<Self> {
        let mut config = MaybeUninit::uninit();
        // SAFETY: the configuration is written whole where this succeeds.
        let mut config = unsafe {
            let status = aom_codec_enc_config_default(aom_codec_av1_cx(), config.as_mut_ptr(), AOM_USAGE_ALL_INTRA);
            (status == AOM_CODEC_OK).then(|| config.assume_init())?
        };
        (config.g_w, config.g_h, config.g_threads, config.g_limit, config.g_lag_in_frames) = (width, height, 1, 1, 0);
        config.monochrome = u32::from(is_grey);
        config.rc_end_usage = AOM_Q;
        let mut context = MaybeUninit::zeroed();
        let version = AOM_ENCODER_ABI_VERSION as c_int;
        // SAFETY: both are alive; the context is whole where this succeeds, and is taken down once, by `Drop`.
        let mut encoder = unsafe {
            let status = aom_codec_enc_init_ver(context.as_mut_ptr(), aom_codec_av1_cx(), &raw const config, 0, version);
            (status == AOM_CODEC_OK).then(|| Self { context: context.assume_init(), is_grey })?
        };
        // H.273: sRGB's primaries and transfer, BT.601's matrix, and all 256 steps.
        for (setting, value) in [
            (AOME_SET_CPUUSED, SPEED),
            (AOME_SET_CQ_LEVEL, quantizer.into()),
            (AV1E_SET_COLOR_PRIMARIES, 1),
            (AV1E_SET_TRANSFER_CHARACTERISTICS, 13),
            (AV1E_SET_MATRIX_COEFFICIENTS, 6),
            (AV1E_SET_COLOR_RANGE, 1),
        ] {
            // SAFETY: each of these takes an integer.
            let status = unsafe { aom_codec_control(&raw mut encoder.context, setting as c_int, value) };
            (status == AOM_CODEC_OK).then_some(())?;
        }
        Some(encoder)
    }

    /// AV1's data of the still.
    fn encode(mut self, planes: &[&Plane], (width, height): (u32, u32)) -> Option<Vec<u8>> {
        let neutral = vec![128; if self.is_grey { width.div_ceil(2) as usize * height.div_ceil(2) as usize } else { 0 }];
        let mut image = MaybeUninit::<aom_image_t>::zeroed();
        let first = planes.first()?.samples.as_ptr().cast_mut();
        // SAFETY: the image is written whole where this succeeds; it only says where samples lie.
        let mut image = unsafe {
            let wrapped = aom_img_wrap(image.as_mut_ptr(), AOM_IMG_FMT_I420, width, height, 1, first);
            (!wrapped.is_null()).then(|| image.assume_init())?
        };
        image.monochrome = c_int::from(self.is_grey);
        image.range = 1;
        for at in 0..3 {
            let halves = if at == 0 { 1 } else { 2 };
            let (columns, rows) = (width.div_ceil(halves) as usize, height.div_ceil(halves) as usize);
            let (samples, stride) = planes.get(at).map_or((&neutral, columns), |plane| (&plane.samples, plane.stride));
            assert!(stride >= columns && samples.len() >= stride * (rows - 1) + columns, "plane {at} of {width} × {height}");
            (image.planes[at], image.stride[at]) = (samples.as_ptr().cast_mut(), stride as c_int);
        }
        let mut data = Vec::new();
        // Once with the picture, and once to say that it was the last.
        for picture in [&raw const image, ptr::null()] {
            // SAFETY: the planes are alive and have the size that was just looked at; libaom only reads them.
            let status = unsafe { aom_codec_encode(&raw mut self.context, picture, 0, 1, 0) };
            (status == AOM_CODEC_OK).then_some(())?;
            let mut walk = ptr::null();
            // SAFETY: the packet lives until the next call, and is copied before.
            while let Some(packet) = unsafe { aom_codec_get_cx_data(&raw mut self.context, &raw mut walk).as_ref() } {
                if packet.kind == AOM_CODEC_CX_FRAME_PKT {
                    // SAFETY: a packet of this kind has a frame, whose buffer has that length.
                    data.extend_from_slice(unsafe { slice::from_raw_parts(packet.data.frame.buf.cast(), packet.data.frame.sz) });
                }
            }
        }
        Some(data)
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        // SAFETY: it was set up, and nothing uses it behind.
        unsafe { aom_codec_destroy(&raw mut self.context) };
    }
}

/// RGB as brightness and colour (ITU-T T.871), each sample of colour the mean of the pixels that it stands for.
fn planes_of(packed: &Packed) -> [Plane; 3] {
    let (width, height) = packed.size;
    let mut brightness = Plane::blank(width, height);
    let mut colours = [(); 2].map(|()| Plane::blank(width.div_ceil(2), height.div_ceil(2)));
    let row_bytes = width as usize * 3;
    let mut sums = vec![[0_f32; 3]; width.div_ceil(2) as usize];
    for (y, row) in packed.pixels.chunks_exact(row_bytes).enumerate() {
        let to = &mut brightness.samples[y * brightness.stride..];
        for (x, pixel) in row.chunks_exact(3).enumerate() {
            let [red, green, blue] = [pixel[0], pixel[1], pixel[2]].map(f32::from);
            let bright = 0.299 * red + 0.587 * green + 0.114 * blue;
            to[x] = bright.round() as u8;
            let [to_blue, to_red, count] = &mut sums[x / 2];
            *to_blue += (blue - bright) / 1.772;
            *to_red += (red - bright) / 1.402;
            *count += 1.0;
        }
        if y % 2 == 1 || y + 1 == height as usize {
            for (x, sum) in sums.iter_mut().enumerate() {
                let [to_blue, to_red, count] = std::mem::take(sum);
                for (plane, sum) in colours.iter_mut().zip([to_blue, to_red]) {
                    plane.samples[y / 2 * plane.stride + x] = (128.0 + sum / count).round() as u8;
                }
            }
        }
    }
    let [blue, red] = colours;
    [brightness, blue, red]
}
