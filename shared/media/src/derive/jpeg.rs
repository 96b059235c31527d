//! Decodes JPEG at the smallest fraction that still feeds the largest derivative well.

use photovault_domain::LARGEST_SIDE;
use turbojpeg::{PixelFormat, ScalingFactor};

use super::{
    Colours, Frame, Layout, Packed, Picture, Unreadable, baseline, colour,
    planes::{Planar, Plane},
    turbo::{Decompressor, Sampling, Trouble},
};
use crate::container::{Source, exif, jpeg, tiff};

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
    let mut frame = picture(bytes)?;
    if let Picture::Packed(Packed { layout: Layout::Cmyk, pixels, .. }) = &mut frame.picture
        && header.has_adobe_marker(&mut source)
    {
        for ink in pixels {
            *ink = 255 - *ink;
        }
    }
    if let Some(profile) = header.profile(&mut source) {
        frame.colours = Colours::Icc(profile);
    }
    let exif = header.exif(&mut source);
    if frame.colours == Colours::Srgb && exif.as_deref().is_some_and(exif::block_is_adobe_rgb) {
        frame.colours = colour::adobe_rgb();
    }
    let orientation = exif.and_then(|block| tiff::first_directory(&mut Source::of_bytes(&block)).ok()?.orientation);
    frame.orientation = orientation.unwrap_or(1);
    Ok(frame)
}

fn picture(bytes: &[u8]) -> Result<Frame, Unreadable> {
    let mut decompressor = Decompressor::new(bytes).map_err(|trouble| unreadable(&trouble))?;
    let announced = decompressor.header().map_err(|trouble| unreadable(&trouble))?;
    let full = (announced.width as u32, announced.height as u32);
    let eighths = if announced.is_lossless { 8 } else { eighths(announced.width.max(announced.height)) };
    let scale = ScalingFactor::new(eighths, 8);
    let mut warnings = Vec::new();
    let picture = match announced.sampling {
        Some(sampling) if !announced.is_lossless => {
            let planar = if let Some(planar) = baseline::decode(bytes, eighths) {
                planar
            } else {
                let mut planar = blank(full, scale, sampling);
                let outcome = decompressor.planes(scale, sampling, &mut planar);
                warnings.extend(look_at(outcome, &planar.brightness.samples, planar.brightness.stride)?);
                planar
            };
            Picture::Planar(planar)
        }
        _ => {
            let (layout, format) =
                if announced.is_cmyk { (Layout::Cmyk, PixelFormat::CMYK) } else { (Layout::Rgb, PixelFormat::RGB) };
            let (width, height) = (scale.scale(announced.width), scale.scale(announced.height));
            let pitch = width * format.size();
            let mut pixels = vec![0; pitch * height];
            let outcome = decompressor.pixels(announced, scale, format, &mut pixels);
            warnings.extend(look_at(outcome, &pixels, pitch)?);
            Picture::Packed(Packed { size: (width as u32, height as u32), layout, pixels })
        }
    };
    Ok(Frame { picture, full, colours: Colours::Srgb, orientation: 1, warnings })
}

/// Planes for a picture of this full size.
fn blank(full: (u32, u32), scale: ScalingFactor, sampling: Sampling) -> Planar {
    let exact = |length: u32| f64::from(length) * scale.num() as f64 / scale.denom() as f64;
    let extent = (exact(full.0), exact(full.1));
    let plane = |across: u8, down: u8| {
        Plane::blank((extent.0 / f64::from(across)).ceil() as u32, (extent.1 / f64::from(down)).ceil() as u32)
    };
    let (ratio, colour) = match sampling {
        Sampling::Grey => ((1, 1), None),
        Sampling::Colour(across, down) => ((across, down), Some([plane(across, down), plane(across, down)])),
    };
    Planar { brightness: plane(1, 1), colour, ratio, extent }
}

fn look_at(outcome: Result<(), Trouble>, pixels: &[u8], pitch: usize) -> Result<Option<String>, Unreadable> {
    match outcome {
        Ok(()) => Ok(None),
        Err(Trouble::Warning(words)) => warning(&words, pixels, pitch),
        Err(fatal @ Trouble::Fatal(_)) => Err(unreadable(&fatal)),
    }
}

/// The smallest n/8 whose long side is at least 1.2 × the largest derivative: a smaller margin costs 5 dB of PSNR.
fn eighths(longest: usize) -> usize {
    let wanted = LARGEST_SIDE as usize * 12 / 10;
    (1..8).find(|eighths| longest * eighths / 8 >= wanted).unwrap_or(8)
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
    use turbojpeg::{Compressor, Image, Subsamp, raw};

    use super::*;

    #[test]
    fn the_scale_leaves_a_margin() {
        for (longest, eighths) in
            [(100, 8), (2457, 8), (2808, 7), (4000, 5), (4912, 5), (4914, 4), (8000, 3), (20_000, 1), (65_500, 1)]
        {
            assert_eq!(super::eighths(longest), eighths, "{longest}");
        }
    }

    const SAMPLINGS: [Subsamp; 5] = [Subsamp::None, Subsamp::Sub2x1, Subsamp::Sub2x2, Subsamp::Sub1x2, Subsamp::Gray];
    const SIZES: [(usize, usize); 5] = [(1, 1), (17, 31), (64, 48), (99, 33), (8, 130)];

    /// Waves of several lengths with a little noise.
    fn file((width, height): (usize, usize), subsamp: Subsamp) -> Vec<u8> {
        let pixels: Vec<u8> = (0..width * height)
            .flat_map(|at| {
                let (x, y) = ((at % width) as f32, (at / width) as f32);
                let noise = (at as u32).wrapping_mul(2_654_435_761) >> 28;
                let wave = |length: f32| (128.0 + 100.0 * (x / length).sin() * (y / length).cos()) as u8;
                [wave(9.0) ^ noise as u8, wave(4.0), wave(30.0)]
            })
            .collect();
        let mut compressor = Compressor::new().unwrap();
        compressor.set_quality(92).unwrap();
        compressor.set_subsamp(subsamp).unwrap();
        let image = Image { pixels: pixels.as_slice(), width, pitch: width * 3, height, format: PixelFormat::RGB };
        compressor.compress_to_vec(image).unwrap()
    }

    /// By libjpeg-turbo.
    fn reference(bytes: &[u8], eighths: usize) -> Planar {
        let mut decompressor = Decompressor::new(bytes).unwrap();
        let announced = decompressor.header().unwrap();
        let (scale, sampling) = (ScalingFactor::new(eighths, 8), announced.sampling.unwrap());
        let mut planar = blank((announced.width as u32, announced.height as u32), scale, sampling);
        decompressor.planes(scale, sampling, &mut planar).unwrap();
        planar
    }

    /// The mean and the largest difference of two pictures' samples.
    fn difference(one: &Planar, other: &Planar) -> (f64, u8) {
        assert_eq!((one.size(), one.ratio, one.extent), (other.size(), other.ratio, other.extent));
        let planes = |planar: &Planar| -> Vec<u8> {
            let planes = std::iter::once(&planar.brightness).chain(planar.colour.iter().flatten());
            let rows = |plane: &Plane| -> Vec<u8> {
                let rows = plane.samples.chunks(plane.stride).take(plane.height as usize);
                rows.flat_map(|row| row[..plane.width as usize].to_vec()).collect()
            };
            planes.flat_map(rows).collect()
        };
        let differences: Vec<u8> = planes(one).iter().zip(planes(other)).map(|(a, b)| a.abs_diff(b)).collect();
        let sum: f64 = differences.iter().map(|difference| f64::from(*difference)).sum();
        (sum / differences.len() as f64, differences.into_iter().max().unwrap_or_default())
    }

    #[test]
    fn the_fast_decoder_agrees_with_libjpeg_turbo() {
        for subsamp in SAMPLINGS {
            for size in SIZES {
                let bytes = file(size, subsamp);
                for eighths in 1..=8 {
                    let Some(ours) = baseline::decode(&bytes, eighths) else {
                        assert!(cfg!(target_arch = "x86_64") && !std::arch::is_x86_feature_detected!("avx2"));
                        continue;
                    };
                    let (mean, largest) = difference(&ours, &reference(&bytes, eighths));
                    // At 2/8 and 4/8 libjpeg-turbo transforms in another way, which keeps a little more of the finest detail.
                    let allowed = if matches!(eighths, 2 | 4) { (9.0, u8::MAX) } else { (0.2, 1) };
                    assert!(
                        mean < allowed.0 && largest <= allowed.1,
                        "{subsamp:?} {size:?} at {eighths}/8: {mean} in the mean, {largest} at most"
                    );
                }
            }
        }
    }

    /// What cameras write: a marker behind each row of blocks.
    fn with_restarts(bytes: &[u8]) -> Vec<u8> {
        #[expect(unsafe_code, reason = "the safe crate does not set this parameter")]
        // SAFETY: the handle is alive until it is destroyed; the source is a slice; the result is copied before it is freed.
        unsafe {
            let handle = raw::tj3Init(raw::TJINIT_TJINIT_TRANSFORM as std::ffi::c_int);
            let mut transform: raw::tjtransform = std::mem::zeroed();
            let (mut out, mut length) = (std::ptr::null_mut(), 0);
            assert_eq!(raw::tj3Set(handle, raw::TJPARAM_TJPARAM_RESTARTROWS as std::ffi::c_int, 1), 0);
            let source = (bytes.as_ptr(), bytes.len() as raw::size_t);
            assert_eq!(raw::tj3Transform(handle, source.0, source.1, 1, &raw mut out, &raw mut length, &raw mut transform), 0);
            let copy = std::slice::from_raw_parts(out, length as usize).to_vec();
            raw::tj3Free(out.cast());
            raw::tj3Destroy(handle);
            copy
        }
    }

    #[test]
    fn restart_markers_are_gone_past() {
        let bytes = file((99, 333), Subsamp::Sub2x2);
        let marked = with_restarts(&bytes);
        assert!(marked.windows(2).filter(|pair| matches!(pair, [0xFF, 0xD0..=0xD7])).count() > 8);
        let (mean, _) = difference(&reference(&bytes, 8), &reference(&marked, 8));
        assert!(mean == 0.0);
        if let (Some(one), Some(other)) = (baseline::decode(&bytes, 5), baseline::decode(&marked, 5)) {
            assert_eq!(difference(&one, &other), (0.0, 0));
        }
    }

    #[test]
    fn what_is_not_sound_is_left_to_libjpeg_turbo() {
        let bytes = file((64, 48), Subsamp::Sub2x2);
        for length in 0..bytes.len() {
            assert!(baseline::decode(&bytes[..length], 8).is_none(), "{length} of {} bytes", bytes.len());
        }
        let mut state = 1_u32;
        for _ in 0..5_000 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let mut hurt = bytes.clone();
            let at = (state >> 8) as usize % hurt.len();
            // Sizes of this file's own order, so that a hurt one costs no time.
            hurt[at] ^= 1 << (state & 7);
            let limit = 4 << 20;
            let fits = jpeg::header(&mut Source::of_bytes(&hurt)).is_ok_and(|header| header.width * header.height < limit);
            if fits {
                // Whatever comes of it: no panic.
                baseline::decode(&hurt, 1 + at % 8);
            }
        }
    }
}
