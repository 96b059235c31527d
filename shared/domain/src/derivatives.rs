//! The files that are made of every photo: one table of sizes, and which of them this vault wants.
//!
//! A derivative's key carries the thumbnail stage's recipe, a hash of the whole table and of what the vault chose of it, so a key
//! always means the same bytes.

use std::str::FromStr;

/// A size in which a photo is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DerivativeSize {
    /// What it is called.
    pub name: &'static str,
    /// Pixels of its longest side at most; a smaller original is not enlarged.
    pub longest_side: u32,
    /// JPEG quality, 1..=100 (libjpeg's scale).
    pub quality: u8,
    /// WebP quality, 1..=100 (libwebp's scale), where it is made in WebP as well.
    pub webp_quality: Option<u8>,
    /// libaom's `cq-level`, 0..=63 (higher is smaller), where it is made in AVIF as well.
    pub avif_quantizer: Option<u8>,
}

/// The sizes of every photo, smallest first: a list, a phone, a screen. `docs/stills.md` says why WebP ends where it does.
pub const DERIVATIVE_SIZES: &[DerivativeSize] = &[
    DerivativeSize { name: "small", longest_side: 320, quality: 80, webp_quality: Some(75), avif_quantizer: Some(28) },
    DerivativeSize { name: "medium", longest_side: 1024, quality: 80, webp_quality: None, avif_quantizer: Some(25) },
    DerivativeSize { name: "large", longest_side: 2048, quality: 80, webp_quality: None, avif_quantizer: Some(21) },
];

/// Pixels of the longest side of the largest of them.
pub const LARGEST_SIDE: u32 = DERIVATIVE_SIZES[DERIVATIVE_SIZES.len() - 1].longest_side;

/// All pixels of a photo that browsers cannot show.
pub const FULL_SIZE: DerivativeSize =
    DerivativeSize { name: "full", longest_side: u32::MAX, quality: 90, webp_quality: None, avif_quantizer: None };

impl DerivativeSize {
    /// The size of that name.
    pub fn named(name: &str) -> Option<&'static Self> {
        DERIVATIVE_SIZES.iter().chain([&FULL_SIZE]).find(|size| size.name == name)
    }
}

/// The size of a picture whose longest side is at most `longest`, with the same proportions; at least 1 × 1.
pub fn fit((width, height): (u32, u32), longest: u32) -> (u32, u32) {
    let side = width.max(height);
    if side <= longest {
        return (width.max(1), height.max(1));
    }
    let scaled = |length: u32| ((u64::from(length) * u64::from(longest) + u64::from(side) / 2) / u64::from(side)).max(1) as u32;
    (scaled(width), scaled(height))
}

/// What a recipe is a hash of.
pub(crate) fn table() -> String {
    format!("{DERIVATIVE_SIZES:?}{FULL_SIZE:?}")
}

/// Which derivatives a vault wants beside the JPEG files of every size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Outputs {
    /// WebP, in the sizes that have a quality for it.
    pub webp: bool,
    /// AVIF, in the sizes that have a quantizer for it.
    pub avif: bool,
    /// A full-size JPEG of what browsers cannot show.
    pub full: bool,
}

impl Default for Outputs {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Outputs {
    /// JPEG files of every size, and nothing else.
    pub const JPEG: Self = Self { webp: false, avif: false, full: false };
    /// What a vault makes where nobody said otherwise.
    pub const DEFAULT: Self = Self { webp: true, avif: false, full: true };
}

/// A word that names no derivative.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no kind of derivative: jpeg, which is always made, webp, avif and full, with commas between them")]
pub struct UnknownOutput(String);

impl FromStr for Outputs {
    type Err = UnknownOutput;

    /// Such as `jpeg,webp,full`; an empty text is [`Outputs::DEFAULT`].
    fn from_str(text: &str) -> Result<Self, UnknownOutput> {
        if text.trim().is_empty() {
            return Ok(Self::DEFAULT);
        }
        let mut outputs = Self::JPEG;
        for word in text.split(',').map(str::trim) {
            match word {
                "jpeg" => {}
                "webp" => outputs.webp = true,
                "avif" => outputs.avif = true,
                "full" => outputs.full = true,
                _ => return Err(UnknownOutput(word.to_owned())),
            }
        }
        Ok(outputs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_grow_and_have_names_of_their_own() {
        assert!(DERIVATIVE_SIZES.windows(2).all(|pair| pair[0].longest_side < pair[1].longest_side));
        for size in DERIVATIVE_SIZES.iter().chain([&FULL_SIZE]) {
            assert_eq!(DerivativeSize::named(size.name), Some(size));
        }
        assert_eq!(DerivativeSize::named("huge"), None);
    }

    #[test]
    fn pictures_fit_and_are_not_enlarged() {
        for (size, longest, want) in [
            ((4000, 3000), 2048, (2048, 1536)),
            ((3000, 4000), 320, (240, 320)),
            ((100, 50), 320, (100, 50)),
            ((320, 1), 320, (320, 1)),
            ((65_535, 1), 320, (320, 1)),
            ((321, 321), 320, (320, 320)),
        ] {
            assert_eq!(fit(size, longest), want, "{size:?} in {longest}");
        }
    }

    #[test]
    fn outputs_are_words() {
        for (text, want) in [
            ("", Outputs::DEFAULT),
            ("jpeg", Outputs::JPEG),
            ("jpeg, webp", Outputs { webp: true, ..Outputs::JPEG }),
            ("full", Outputs { full: true, ..Outputs::JPEG }),
            ("full,webp", Outputs::DEFAULT),
            ("avif,jpeg", Outputs { avif: true, ..Outputs::JPEG }),
        ] {
            assert_eq!(text.parse(), Ok(want), "{text}");
        }
        assert_eq!("jpeg,png".parse::<Outputs>(), Err(UnknownOutput("png".to_owned())));
    }
}
