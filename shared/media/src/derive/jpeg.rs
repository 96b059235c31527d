//! Decodes JPEG at the smallest fraction that still feeds the largest derivative well.

use photovault_domain::DERIVATIVE_SIZES;
use turbojpeg::{Colorspace, Decompressor, Error, Image, PixelFormat, ScalingFactor};

use super::{Colours, Frame, Layout, Unreadable};
use crate::container::{Source, jpeg, tiff};

/// Scans of a progressive JPEG: encoders write about ten, and each one costs a pass over the whole picture.
const MAX_SCANS: u32 = 128;
/// What share of the picture may be missing before nothing is shown.
const MOST_MISSING_PERCENT: usize = 97;

/// Decodes at n/8 of the full size.
pub(super) fn decode(bytes: &[u8]) -> Result<Frame, Unreadable> {
    let mut source = Source::of_bytes(bytes);
    let header = jpeg::header(&mut source).map_err(|damage| Unreadable::new(format!("This photo is damaged: {}.", damage.0)))?;
    if header.precision != 8 {
        let bits = header.precision;
        return Err(Unreadable::new(format!("This JPEG has {bits} bits a sample; only pictures of 8 can be shown.")));
    }
    let mut frame = pixels(bytes, header.process == 3)?;
    if frame.layout == Layout::Cmyk && header.has_adobe_marker(&mut source) {
        frame.pixels.iter_mut().for_each(|ink| *ink = 255 - *ink);
    }
    if let Some(profile) = header.profile(&mut source) {
        frame.colours = Colours::Icc(profile);
    }
    let exif = header.exif(&mut source);
    let orientation = exif.and_then(|block| tiff::first_directory(&mut Source::of_bytes(&block)).ok()?.orientation);
    frame.orientation = orientation.unwrap_or(1);
    Ok(frame)
}

/// With a decompressor of its own: one that has met a damaged file fails on the sound file after it.
fn pixels(bytes: &[u8], is_lossless: bool) -> Result<Frame, Unreadable> {
    let mut decompressor = Decompressor::new().map_err(|error| unreadable(&error))?;
    decompressor.set_scan_limit(MAX_SCANS).map_err(|error| unreadable(&error))?;
    let header = decompressor.read_header(bytes).map_err(|error| unreadable(&error))?;
    let scale = if is_lossless { ScalingFactor::ONE } else { scale(header.width.max(header.height)) };
    decompressor.set_scaling_factor(scale).map_err(|error| unreadable(&error))?;
    let (layout, format) = match header.colorspace {
        Colorspace::CMYK | Colorspace::YCCK => (Layout::Cmyk, PixelFormat::CMYK),
        Colorspace::RGB | Colorspace::YCbCr | Colorspace::Gray => (Layout::Rgb, PixelFormat::RGB),
    };
    let (width, height) = (scale.scale(header.width), scale.scale(header.height));
    let pitch = width * format.size();
    let mut pixels = vec![0; pitch * height];
    let mut warnings = Vec::new();
    let image = Image { pixels: pixels.as_mut_slice(), width, pitch, height, format };
    match decompressor.decompress(bytes, image) {
        Ok(()) => {}
        Err(error) if is_warning(&error) => warnings.push(warning(&error, &pixels, pitch)?),
        Err(error) => return Err(unreadable(&error)),
    }
    Ok(Frame {
        width: width as u32,
        height: height as u32,
        layout,
        pixels,
        full: (header.width as u32, header.height as u32),
        colours: Colours::Srgb,
        orientation: 1,
        warnings,
    })
}

/// The smallest n/8 whose long side is at least 1.2 × the largest derivative: a smaller margin costs 5 dB of PSNR.
fn scale(longest: usize) -> ScalingFactor {
    let wanted = DERIVATIVE_SIZES.last().map_or(0, |size| size.longest_side as usize) * 12 / 10;
    let eighths = (1..8).find(|eighths| longest * eighths / 8 >= wanted).unwrap_or(8);
    ScalingFactor::new(eighths, 8)
}

/// libjpeg goes on after these (jerror.h, `JWRN_…`), and `TurboJPEG` reports them as errors at the end.
fn is_warning(error: &Error) -> bool {
    const WARNINGS: [&str; 6] = [
        "Premature end of JPEG file",
        "Corrupt JPEG data",
        "Invalid SOS parameters",
        "Inconsistent progression sequence",
        "Unknown Adobe color transform",
        "Warning: ",
    ];
    matches!(error, Error::TurboJpegError(words) if WARNINGS.iter().any(|warning| words.starts_with(warning)))
}

/// What to tell of a picture that decoded with a warning, or why it is not worth showing.
fn warning(error: &Error, pixels: &[u8], pitch: usize) -> Result<String, Unreadable> {
    // libjpeg fills what is missing with one colour: rows from the end that are alike.
    let last = &pixels[pixels.len() - pitch..];
    let alike = pixels.rchunks_exact(pitch).take_while(|row| *row == last).count();
    let percent = alike * 100 * pitch / pixels.len();
    let ends_early = matches!(error, Error::TurboJpegError(words) if words.contains("remature end"));
    if ends_early && percent > MOST_MISSING_PERCENT {
        return Err(Unreadable::new("This photo is damaged: its JPEG data ends before there is anything to see."));
    }
    Ok(if ends_early && alike > 1 {
        format!("The JPEG data ends early: about {percent} % of the picture is missing.")
    } else {
        format!("The JPEG data is damaged ({error}); parts of the picture may look wrong.")
    })
}

fn unreadable(error: &Error) -> Unreadable {
    let cause = error.to_string();
    Unreadable::new(format!("This JPEG cannot be decoded: {}.", cause.trim_start_matches("TurboJPEG error: ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_leaves_a_margin() {
        for (longest, eighths) in
            [(100, 8), (2457, 8), (2808, 7), (4000, 5), (4912, 5), (4914, 4), (8000, 3), (20_000, 1), (65_500, 1)]
        {
            assert_eq!(scale(longest), ScalingFactor::new(eighths, 8), "{longest}");
        }
    }
}
