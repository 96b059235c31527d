//! How good a photo is by what was measured on it, without anybody having looked at it.

use photovault_domain::Look;

use super::Candidate;

/// Sharpness from which on more is not better: a portrait's skin has less than a wall's bricks.
const SHARP: f64 = 3_000.0;
/// Brightness in the middle of the range, in steps of 0..=255: what light meters aim at.
const MIDDLE: f64 = 118.0;
/// Shares of black and of white, in percent, that a good photo may have.
const DARK_IS_FINE: f64 = 15.0;
const BRIGHT_IS_FINE: f64 = 8.0;
/// A standard deviation of brightness from which on a picture is not flat.
const CONTRAST: f64 = 50.0;
/// Megapixels that are enough.
const ENOUGH_MP: f64 = 12.0;

/// 0..=1. Of its terms sharpness counts most: it is the commonest fault, and nothing makes up for it.
pub fn quality(candidate: &Candidate) -> f64 {
    let look = &candidate.look;
    let sharp = (f64::from(look.sharpness).ln_1p() / SHARP.ln_1p()).min(1.0);
    let contrast = (f64::from(look.contrast) / CONTRAST).min(1.0);
    let resolution = ((candidate.pixels as f64 / 1e6).ln_1p() / ENOUGH_MP.ln_1p()).min(1.0);
    let measured = 0.45 * sharp + 0.30 * exposure(look) + 0.15 * contrast + 0.10 * resolution;
    // Faces draw the eye, the first most; where nobody has looked for them they say nothing.
    let faces = candidate.faces.map_or(0.0, |faces| 0.1 * (1.0 - 0.5_f64.powi(faces.min(8) as i32)));
    let stars = f64::from(candidate.rating.clamp(0, 5)) / 5.0;
    (0.9 * measured + faces).max(0.0) * (1.0 - 0.5 * stars) + 0.5 * stars
}

/// 0..=1: nothing lost in black or white, and brightness near the middle.
pub(crate) fn exposure(look: &Look) -> f64 {
    let lost = (f64::from(look.dark_percent) - DARK_IS_FINE).max(0.0) / 60.0
        + (f64::from(look.bright_percent) - BRIGHT_IS_FINE).max(0.0) / 40.0;
    let off = (f64::from(look.brightness) - MIDDLE).abs() / MIDDLE;
    (1.0 - 0.5 * lost.min(1.0) - 0.5 * (off * off).min(1.0)).max(0.0)
}
