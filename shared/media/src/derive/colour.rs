//! Brings small frames to sRGB, so that derivatives need no colour profile.

use std::{cell::RefCell, sync::Arc};

use moxcms::{
    CicpColorPrimaries, CicpProfile, ColorProfile, DataColorSpace, Layout as Channels, MatrixCoefficients,
    TransferCharacteristics, Transform8BitExecutor, TransformOptions,
};

use super::{Colours, Layout};

/// RGB in sRGB, whatever the frame was. What cannot be converted is taken as it is, with a warning.
pub(super) fn to_srgb(pixels: Vec<u8>, layout: Layout, colours: &Colours, warnings: &mut Vec<String>) -> Vec<u8> {
    match transform(colours, layout) {
        Ok(Some(transform)) => {
            if let Some(converted) = transform.apply(&pixels, layout) {
                return converted;
            }
            warnings.push("The colour profile could not be applied; colours may be slightly off.".to_owned());
        }
        Ok(None) => {}
        Err(warning) => warnings.push(warning),
    }
    match layout {
        Layout::Rgb => pixels,
        Layout::Cmyk => pixels.chunks_exact(4).flat_map(mix).collect(),
    }
}

/// Whether pixels of these colours have to be looked at one by one: the rest may stay as the file has them.
pub(super) fn converts(colours: &Colours) -> bool {
    !matches!(transform(colours, Layout::Rgb), Ok(None))
}

/// The profile that a file of these pixels, left as they are, must carry; `None` where they are sRGB, or have to be converted.
pub(super) fn to_carry(colours: &Colours) -> Option<Vec<u8>> {
    match colours {
        Colours::Icc(bytes) if converts(colours) => {
            let profile = ColorProfile::new_from_slice(bytes).ok()?;
            (profile.color_space == DataColorSpace::Rgb).then(|| bytes.clone())
        }
        // PQ and HLG are more than eight bits can hold.
        Colours::Cicp(primaries, transfer) if !matches!(transfer, 16 | 18) => named(*primaries, *transfer)?.encode().ok(),
        _ => None,
    }
}

/// Adobe RGB (1998), which a camera names and does not embed.
pub(super) fn adobe_rgb() -> Colours {
    ColorProfile::new_adobe_rgb().encode().map_or(Colours::Srgb, Colours::Icc)
}

/// Ink on white paper, without a profile: what every viewer shows.
fn mix(ink: &[u8]) -> [u8; 3] {
    let light = |ink: u8| u32::from(255 - ink);
    let channel = |colour: u8| ((light(colour) * light(ink[3]) + 127) / 255) as u8;
    [channel(ink[0]), channel(ink[1]), channel(ink[2])]
}

#[derive(Clone)]
struct Transform {
    executor: Arc<Transform8BitExecutor>,
    input: Channels,
}

impl Transform {
    fn apply(&self, pixels: &[u8], layout: Layout) -> Option<Vec<u8>> {
        let grey: Vec<u8>;
        let (source, count) = match (layout, self.input) {
            (Layout::Rgb, Channels::Gray) => {
                grey = pixels.iter().step_by(3).copied().collect();
                (grey.as_slice(), grey.len())
            }
            (Layout::Rgb, _) => (pixels, pixels.len() / 3),
            (Layout::Cmyk, _) => (pixels, pixels.len() / 4),
        };
        let mut converted = vec![0; count * 3];
        self.executor.transform(source, &mut converted).ok()?;
        Some(converted)
    }
}

/// What converts the colours of a profile; nothing where there is nothing to convert.
type Found = Result<Option<Transform>, String>;

thread_local! {
    /// A library comes from few cameras: the last profile is often the next one.
    static LAST: RefCell<Option<(Colours, Layout, Found)>> = const { RefCell::new(None) };
}

fn transform(colours: &Colours, layout: Layout) -> Found {
    if *colours == Colours::Srgb {
        return Ok(None);
    }
    LAST.with_borrow_mut(|last| match last {
        Some((known, known_layout, found)) if known == colours && *known_layout == layout => found.clone(),
        _ => last.insert((colours.clone(), layout, make_transform(colours, layout))).2.clone(),
    })
}

fn make_transform(colours: &Colours, layout: Layout) -> Found {
    let broken = |error: &dyn std::fmt::Display| format!("The colour profile is broken ({error}); colours may be slightly off.");
    let profile = match colours {
        Colours::Srgb => return Ok(None),
        Colours::Icc(bytes) => ColorProfile::new_from_slice(bytes).map_err(|error| broken(&error))?,
        Colours::Cicp(primaries, transfer) => match named(*primaries, *transfer) {
            Some(profile) => profile,
            None => return Ok(None),
        },
    };
    let input = match (profile.color_space, layout) {
        (DataColorSpace::Rgb, Layout::Rgb) => Channels::Rgb,
        (DataColorSpace::Gray, Layout::Rgb) => Channels::Gray,
        (DataColorSpace::Cmyk, Layout::Cmyk) => Channels::Rgba,
        _ => return Err("The colour profile is for another kind of picture and was not used.".to_owned()),
    };
    let executor = profile
        .create_transform_8bit(input, &ColorProfile::new_srgb(), Channels::Rgb, TransformOptions::default())
        .map_err(|error| broken(&error))?;
    let transform = Transform { executor, input };
    Ok(if changes_nothing(&transform) { None } else { Some(transform) })
}

/// Levels of a channel that are tried.
const STEPS: [u8; 7] = [0, 16, 64, 128, 192, 240, 255];

/// Whether a profile is sRGB, whatever it is called: a cube of colours comes out within one step.
fn changes_nothing(transform: &Transform) -> bool {
    if transform.input != Channels::Rgb {
        return false;
    }
    let step = |index: usize| STEPS[index % STEPS.len()];
    let cube: Vec<u8> =
        (0..STEPS.len().pow(3)).flat_map(|n| [step(n), step(n / STEPS.len()), step(n / STEPS.len().pow(2))]).collect();
    transform.apply(&cube, Layout::Rgb).is_some_and(|out| cube.iter().zip(out).all(|(a, b)| a.abs_diff(b) <= 1))
}

/// The profile that code points of ITU-T H.273 name; `None` for sRGB, BT.709 and what is unspecified.
fn named(primaries: u8, transfer: u8) -> Option<ColorProfile> {
    let color_primaries = match primaries {
        9 => CicpColorPrimaries::Bt2020,
        11 => CicpColorPrimaries::Smpte431,
        12 => CicpColorPrimaries::Smpte432,
        _ if matches!(transfer, 16 | 18) => CicpColorPrimaries::Bt709,
        _ => return None,
    };
    let transfer_characteristics = match transfer {
        16 => TransferCharacteristics::Smpte2084,
        18 => TransferCharacteristics::Hlg,
        _ => TransferCharacteristics::Srgb,
    };
    Some(ColorProfile::new_from_cicp(CicpProfile {
        color_primaries,
        transfer_characteristics,
        matrix_coefficients: MatrixCoefficients::Identity,
        full_range: true,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn convert(pixels: &[u8], layout: Layout, colours: &Colours) -> (Vec<u8>, Vec<String>) {
        let mut warnings = Vec::new();
        (to_srgb(pixels.to_vec(), layout, colours, &mut warnings), warnings)
    }

    #[test]
    fn srgb_is_left_alone_and_others_are_not() {
        let encode = |profile: ColorProfile| Colours::Icc(profile.encode().unwrap());
        let orange = [200, 100, 50];
        assert_eq!(convert(&orange, Layout::Rgb, &encode(ColorProfile::new_srgb())), (orange.to_vec(), vec![]));
        let (wide, warnings) = convert(&orange, Layout::Rgb, &encode(ColorProfile::new_display_p3()));
        assert_eq!(warnings, [""; 0]);
        assert!(wide[0] > 210 && wide[1] < 100, "Display P3's orange is redder than sRGB's: {wide:?}");
        assert_eq!(convert(&orange, Layout::Rgb, &Colours::Cicp(12, 13)).0, wide);
    }

    #[test]
    fn ink_without_a_profile_is_mixed() {
        let (rgb, _) = convert(&[0, 0, 0, 0, 255, 0, 0, 0, 0, 0, 0, 255], Layout::Cmyk, &Colours::Srgb);
        assert_eq!(rgb, [255, 255, 255, 0, 255, 255, 0, 0, 0]);
    }

    #[test]
    fn a_broken_profile_is_a_warning() {
        let (rgb, warnings) = convert(&[1, 2, 3], Layout::Rgb, &Colours::Icc(vec![0; 200]));
        assert_eq!((rgb, warnings.len()), (vec![1, 2, 3], 1));
    }
}
