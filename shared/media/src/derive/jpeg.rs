//! Decodes JPEG at the smallest fraction that still feeds the largest derivative well.

use photovault_domain::DERIVATIVE_SIZES;
use turbojpeg::{PixelFormat, ScalingFactor};

use super::{
    Colours, Frame, Layout, Unreadable,
    turbo::{Decompressor, Trouble},
};
use crate::container::{Source, jpeg, tiff};

/// What share of the picture may be missing before nothing is shown.
const MOST_MISSING_PERCENT: usize = 97;

/// Decodes at n/8 of the full size.
pub(super) fn decode(bytes: &[u8]) -> Result<Frame, Unreadable> {
    let mut source = Source::of_bytes(bytes);
    let header =
        jpeg::header(&mut source).map_err(|damage| Unreadable::new(format!("This photo is damaged: {}.", damage.words())))?;
    if header.precision != 8 {
        let bits = header.precision;
        return Err(Unreadable::new(format!("This JPEG has {bits} bits a sample; only pictures of 8 can be shown.")));
    }
    let mut frame = pixels(bytes)?;
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

fn pixels(bytes: &[u8]) -> Result<Frame, Unreadable> {
    let mut decompressor = Decompressor::new(bytes).map_err(|trouble| unreadable(&trouble))?;
    let announced = decompressor.header().map_err(|trouble| unreadable(&trouble))?;
    let scale = if announced.is_lossless { ScalingFactor::ONE } else { scale(announced.width.max(announced.height)) };
    let (layout, format) = if announced.is_cmyk { (Layout::Cmyk, PixelFormat::CMYK) } else { (Layout::Rgb, PixelFormat::RGB) };
    let (width, height) = (scale.scale(announced.width), scale.scale(announced.height));
    let pitch = width * format.size();
    let mut pixels = vec![0; pitch * height];
    let mut warnings = Vec::new();
    match decompressor.pixels(announced, scale, format, &mut pixels) {
        Ok(()) => {}
        Err(Trouble::Warning(words)) => warnings.extend(warning(&words, &pixels, pitch)?),
        Err(fatal @ Trouble::Fatal(_)) => return Err(unreadable(&fatal)),
    }
    Ok(Frame {
        width: width as u32,
        height: height as u32,
        layout,
        pixels,
        full: (announced.width as u32, announced.height as u32),
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

/// What to tell of a picture that decoded with a warning (libjpeg's jerror.h, `JWRN_…`), or why it is not worth showing.
fn warning(words: &str, pixels: &[u8], pitch: usize) -> Result<Option<String>, Unreadable> {
    // About headers and profiles, not about pixels.
    if ["extraneous bytes", "ICC marker", "JFIF revision", "Adobe color"].iter().any(|part| words.contains(part)) {
        return Ok(None);
    }
    // libjpeg fills what is missing with one colour: rows from the end that are alike.
    let last = &pixels[pixels.len() - pitch..];
    let alike = pixels.rchunks_exact(pitch).take_while(|row| *row == last).count();
    let percent = alike * 100 * pitch / pixels.len();
    let ends_early = words.contains("remature end");
    if ends_early && percent > MOST_MISSING_PERCENT {
        return Err(Unreadable::new("This photo is damaged: its JPEG data ends before there is anything to see."));
    }
    Ok(Some(if ends_early && alike > 1 {
        format!("The JPEG data ends early: about {percent} % of the picture is missing.")
    } else {
        format!("The JPEG data is damaged ({words}); parts of the picture may look wrong.")
    }))
}

fn unreadable(trouble: &Trouble) -> Unreadable {
    let (Trouble::Warning(words) | Trouble::Fatal(words)) = trouble;
    Unreadable::new(format!("This JPEG cannot be decoded: {}.", words.trim_end_matches('.')))
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
