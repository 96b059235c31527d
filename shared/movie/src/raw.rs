//! What ffmpeg-next has no safe call for: fields of a stream's parameters, colours of a conversion, the limit of allocations.
#![expect(unsafe_code, reason = "each call is one of FFmpeg's C functions or structures")]

use std::ffi::CStr;

use ffmpeg_next::{
    Rational, Stream,
    codec::packet::side_data,
    encoder, ffi,
    format::context::{Input, Output},
    frame,
    software::scaling,
};
use photovault_domain::limits::MAX_VIDEO_ALLOC_BYTES;

/// What a stream's header says of it.
#[derive(Clone, Debug)]
pub(crate) struct Parameters {
    pub(crate) width: i32,
    pub(crate) height: i32,
    pub(crate) profile: Option<String>,
    pub(crate) bits: i32,
    pub(crate) sample_aspect: Rational,
    /// ITU-T H.273's number.
    pub(crate) transfer: u32,
    pub(crate) bit_rate: i64,
    pub(crate) channels: i32,
    pub(crate) sample_rate: i32,
}

/// Holds every allocation of FFmpeg against the limit.
pub(crate) fn limit_allocations() {
    // SAFETY: sets a number that FFmpeg reads; called once, before anything else of FFmpeg runs.
    unsafe { ffi::av_max_alloc(MAX_VIDEO_ALLOC_BYTES) };
}

/// Reads a stream's parameters.
pub(crate) fn parameters(stream: &Stream) -> Parameters {
    let parameters = stream.parameters();
    // SAFETY: the pointer is valid while `parameters` lives; the fields are plain numbers, and the profile's name is a static string.
    unsafe {
        let it = &*parameters.as_ptr();
        let profile = ffi::avcodec_profile_name(it.codec_id, it.profile);
        let profile = (!profile.is_null()).then(|| CStr::from_ptr(profile).to_string_lossy().into_owned());
        let description = ffi::av_pix_fmt_desc_get(std::mem::transmute::<i32, ffi::AVPixelFormat>(it.format));
        let bits = if it.codec_type == ffi::AVMediaType::AVMEDIA_TYPE_VIDEO && !description.is_null() {
            (*description).comp[0].depth
        } else {
            it.bits_per_raw_sample
        };
        Parameters {
            width: it.width,
            height: it.height,
            profile,
            bits,
            sample_aspect: Rational::from(it.sample_aspect_ratio),
            transfer: it.color_trc as u32,
            bit_rate: it.bit_rate,
            channels: it.ch_layout.nb_channels,
            sample_rate: it.sample_rate,
        }
    }
}

/// The codec's name in FFmpeg, such as `hevc`.
pub(crate) fn codec_name(stream: &Stream) -> String {
    let id = stream.parameters().id();
    // SAFETY: gives a static string for every number.
    unsafe { CStr::from_ptr(ffi::avcodec_get_name(id.into())) }.to_string_lossy().into_owned()
}

/// The transfer characteristic of a frame, ITU-T H.273's number.
pub(crate) fn transfer(frame: &frame::Video) -> u32 {
    // SAFETY: a field of a frame that lives.
    unsafe { (*frame.as_ptr()).color_trc as u32 }
}

/// Whether a frame's samples use the whole range of numbers.
pub(crate) fn is_full_range(frame: &frame::Video) -> bool {
    // SAFETY: a field of a frame that lives.
    unsafe { (*frame.as_ptr()).color_range == ffi::AVColorRange::AVCOL_RANGE_JPEG }
}

/// The matrix coefficients of a frame as swscale numbers them, which is H.273's way; a guess by its size where it says nothing.
pub(crate) fn matrix(frame: &frame::Video) -> i32 {
    // SAFETY: a field of a frame that lives.
    let space = unsafe { (*frame.as_ptr()).colorspace };
    match space as u32 {
        1 => 1,
        4..=7 => space as i32,
        9 | 10 => 9,
        _ if frame.height() >= 720 => 1,
        _ => 5,
    }
}

/// Tells a conversion which colours its input and output have: matrix and whether the whole range is used.
pub(crate) fn set_colours(scaler: &mut scaling::Context, input: (i32, bool), output: (i32, bool)) {
    // SAFETY: the tables are static and hold four numbers each, and the context lives. An input without a matrix (RGB, grey) makes
    // it answer that it has nothing to set.
    unsafe {
        let table = |matrix| ffi::sws_getCoefficients(matrix);
        let (unity, none) = (1 << 16, 0);
        ffi::sws_setColorspaceDetails(
            scaler.as_mut_ptr(),
            table(input.0),
            i32::from(input.1),
            table(output.0),
            i32::from(output.1),
            none,
            unity,
            unity,
        );
    }
}

/// Lets a file give the packets of one stream alone: the others are not even read, where its container says where they are.
pub(crate) fn read_only(input: &mut Input, index: usize) {
    // SAFETY: the context lives and has this many streams, each of which is a structure of FFmpeg's own.
    unsafe {
        let streams = std::slice::from_raw_parts((*input.as_ptr()).streams, (*input.as_ptr()).nb_streams as usize);
        for (number, stream) in streams.iter().enumerate() {
            let wanted = number == index;
            (**stream).discard = if wanted { ffi::AVDiscard::AVDISCARD_DEFAULT } else { ffi::AVDiscard::AVDISCARD_ALL };
        }
    }
}

/// What a decoder of the stream must know before its first packet: parameter sets, mostly.
pub(crate) fn extradata(stream: &Stream) -> Vec<u8> {
    let parameters = stream.parameters();
    // SAFETY: FFmpeg allocated so many bytes there, or none; the parameters live.
    unsafe {
        let it = &*parameters.as_ptr();
        let length = usize::try_from(it.extradata_size).unwrap_or(0);
        if it.extradata.is_null() { Vec::new() } else { std::slice::from_raw_parts(it.extradata, length).to_vec() }
    }
}

/// Where a file begins, in microseconds, or `AV_NOPTS_VALUE`.
pub(crate) fn start_time(input: &Input) -> i64 {
    // SAFETY: a field of a context that lives.
    unsafe { (*input.as_ptr()).start_time }
}

/// Lets a new stream, which has the parameters of `from`, have a tag that MP4 knows and its display matrix.
pub(crate) fn copy_to_mp4(output: &mut Output, index: usize, from: &Stream) {
    const MATRIX_BYTES: usize = 36;
    let matrix = from.side_data().find(|data| data.kind() == side_data::Type::DisplayMatrix);
    // SAFETY: the stream was added to this context, which lives; FFmpeg gives room of the asked size, or null.
    unsafe {
        let streams = std::slice::from_raw_parts((*output.as_ptr()).streams, (*output.as_ptr()).nb_streams as usize);
        let Some(stream) = streams.get(index) else { return };
        (*(**stream).codecpar).codec_tag = 0;
        if let Some(bytes) = matrix.as_ref().and_then(|matrix| matrix.data().get(..MATRIX_BYTES)) {
            let kind = ffi::AVPacketSideDataType::AV_PKT_DATA_DISPLAYMATRIX;
            let room = ffi::av_stream_new_side_data(*stream, kind, MATRIX_BYTES);
            if !room.is_null() {
                std::ptr::copy_nonoverlapping(bytes.as_ptr(), room, MATRIX_BYTES);
            }
        }
    }
}

/// What colours an encoder says that its pictures have: those of a stream, or BT.709 without one.
pub(crate) fn set_encoded_colours(encoder: &mut encoder::video::Video, of: Option<&Stream>) {
    let parameters = of.map(Stream::parameters);
    // SAFETY: fields of a context and of parameters that live.
    unsafe {
        let to = &mut *encoder.as_mut_ptr();
        to.color_range = ffi::AVColorRange::AVCOL_RANGE_MPEG;
        if let Some(from) = parameters.as_ref().map(|it| &*it.as_ptr()) {
            (to.color_primaries, to.color_trc, to.colorspace) = (from.color_primaries, from.color_trc, from.color_space);
        } else {
            to.color_primaries = ffi::AVColorPrimaries::AVCOL_PRI_BT709;
            to.color_trc = ffi::AVColorTransferCharacteristic::AVCOL_TRC_BT709;
            to.colorspace = ffi::AVColorSpace::AVCOL_SPC_BT709;
        }
    }
}
