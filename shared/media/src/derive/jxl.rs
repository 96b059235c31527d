//! Decodes JPEG XL with `jxl-oxide`, which is written in Rust alone and also applies the file's own orientation.

use jxl_oxide::{AllocTracker, EnumColourEncoding, JxlImage, JxlThreadPool, PixelFormat, RenderingIntent};
use photovault_domain::limits::MAX_DECODE_BYTES;

use super::{Colours, Frame, HDR_WARNING, Layout, Packed, Picture, Unreadable, generic::on_white};

/// Decodes the first frame at full size.
pub(super) fn decode(bytes: &[u8]) -> Result<Frame, Unreadable> {
    let mut image = JxlImage::builder()
        // Photos are decoded in parallel, not the parts of one.
        .pool(JxlThreadPool::none())
        .alloc_tracker(AllocTracker::with_limit(MAX_DECODE_BYTES as usize))
        .read(bytes)
        .map_err(|error| unreadable(&*error))?;
    let channels = image.pixel_format();
    if matches!(channels, PixelFormat::Cmyk | PixelFormat::Cmyka) {
        return Err(Unreadable::new("This JPEG XL picture is in inks (CMYK), which cannot be shown."));
    }
    let mut warnings = Vec::new();
    if image.hdr_type().is_some() {
        warnings.push(HDR_WARNING.to_owned());
        image.request_color_encoding(EnumColourEncoding::srgb(RenderingIntent::Relative));
    }
    let render = image.render_frame(0).map_err(|error| unreadable(&*error))?;
    let mut stream = render.stream();
    let size = (stream.width(), stream.height());
    let mut samples = vec![0_u8; size.0 as usize * size.1 as usize * stream.channels() as usize];
    stream.write_to_buffer(&mut samples);
    let pixels = match stream.channels() {
        1 => samples.iter().flat_map(|grey| [*grey; 3]).collect(),
        2 => on_white(samples.chunks_exact(2).flat_map(|pair| [pair[0], pair[0], pair[0], pair[1]]).collect()),
        3 => samples,
        _ => on_white(samples),
    };
    Ok(Frame {
        picture: Picture::Packed(Packed { size, layout: Layout::Rgb, pixels }),
        full: size,
        colours: Colours::Icc(image.rendered_icc()),
        orientation: 1,
        warnings,
    })
}

fn unreadable(error: &dyn std::error::Error) -> Unreadable {
    Unreadable::new(format!("This JPEG XL picture cannot be decoded: {}.", error.to_string().trim_end_matches('.')))
}
