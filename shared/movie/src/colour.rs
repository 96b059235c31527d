//! Light of high dynamic range, made fit for an ordinary screen.
//!
//! Samples become light (ITU-R BT.2100: PQ's EOTF, HLG's inverse OETF and its OOTF for a display of 1000 cd/m²), light above what paper
//! white leaves room for is compressed (the EETF of ITU-R BT.2390, 5.4, from 1000 to 203 cd/m², the reference white of BT.2408), the
//! primaries of BT.2020 become those of BT.709 (BT.2087), and the result is written with the transfer function of sRGB.

use std::sync::OnceLock;

use photovault_domain::Hdr;

/// What the brightest sample is taken to mean, cd/m²: what phones master for. What is brighter is shown as bright as this.
const PEAK: f64 = 1000.0;
/// Reference white, cd/m² (BT.2408).
const WHITE: f64 = 203.0;
/// Steps of the tables.
const STEPS: usize = 4096;

struct Tables {
    /// From a sample's upper twelve bits to light: a part of `PEAK` for PQ, of the scene's white for HLG.
    light: Vec<f32>,
    /// From the square root of light, as a part of `PEAK`, to the factor that compresses it to a part of `WHITE`.
    gain: Vec<f32>,
    /// From the square root of the scene's light to its power 0.2, HLG's system gamma without the light itself.
    gamma: Vec<f32>,
}

/// From 16 bits a sample in BT.2020 to eight bits in sRGB, rows without a gap.
pub(crate) fn to_sdr(rgb48: &[u8], stride: usize, (width, height): (u32, u32), hdr: Hdr) -> Vec<u8> {
    static PQ: OnceLock<Tables> = OnceLock::new();
    static HLG: OnceLock<Tables> = OnceLock::new();
    static SRGB: OnceLock<Vec<u8>> = OnceLock::new();
    let tables = match hdr {
        Hdr::Pq => PQ.get_or_init(|| Tables::of(pq_eotf)),
        Hdr::Hlg => HLG.get_or_init(|| Tables::of(hlg_inverse_oetf)),
    };
    let srgb = SRGB.get_or_init(|| (0..STEPS).map(|step| (srgb_oetf(square(step)) * 255.0).round() as u8).collect());
    let mut made = Vec::with_capacity(width as usize * height as usize * 3);
    for row in rgb48.chunks(stride).take(height as usize) {
        for pixel in row[..width as usize * 6].chunks_exact(6) {
            let light = |at: usize| tables.light[usize::from(u16::from_le_bytes([pixel[at], pixel[at + 1]]) >> 4)];
            let mut rgb = [light(0), light(2), light(4)];
            if hdr == Hdr::Hlg {
                let luminance = 0.2627 * rgb[0] + 0.6780 * rgb[1] + 0.0593 * rgb[2];
                let factor = tables.gamma[step_of(luminance)];
                rgb = rgb.map(|light| light * factor);
            }
            let brightest = rgb[0].max(rgb[1]).max(rgb[2]);
            let gain = tables.gain[step_of(brightest)];
            let [r, g, b] = rgb.map(|light| light * gain);
            // BT.2087-0, table 4's matrices joined; what lies outside of BT.709 is cut.
            let narrow = [
                1.6605 * r - 0.5876 * g - 0.0728 * b,
                -0.1246 * r + 1.1329 * g - 0.0083 * b,
                -0.0182 * r - 0.1006 * g + 1.1187 * b,
            ];
            made.extend(narrow.map(|light| srgb[step_of(light)]));
        }
    }
    made
}

/// The tables over light are finer where it is dark.
fn step_of(light: f32) -> usize {
    (light.clamp(0.0, 1.0).sqrt() * (STEPS - 1) as f32 + 0.5) as usize
}

fn square(step: usize) -> f64 {
    (step as f64 / (STEPS - 1) as f64).powi(2)
}

impl Tables {
    fn of(light: fn(f64) -> f64) -> Self {
        let light = (0..STEPS).map(|step| light(step as f64 / (STEPS - 1) as f64) as f32).collect();
        let gain = |step: usize| {
            let nits = square(step.max(1)) * PEAK;
            (compressed(nits) / WHITE / (nits / PEAK)) as f32
        };
        let gamma = |step: usize| square(step).powf(0.2) as f32;
        Self { light, gain: (0..STEPS).map(gain).collect(), gamma: (0..STEPS).map(gamma).collect() }
    }
}

/// SMPTE ST 2084: from a sample to light, as a part of `PEAK`.
fn pq_eotf(sample: f64) -> f64 {
    let root = sample.powf(1.0 / 78.84375);
    let light = ((root - 0.835_937_5).max(0.0) / (18.851_562_5 - 18.6875 * root)).powf(1.0 / 0.159_301_757_812_5);
    (light * 10_000.0 / PEAK).min(1.0)
}

/// SMPTE ST 2084: from light in cd/m² to a sample.
fn pq_inverse(nits: f64) -> f64 {
    let power = (nits / 10_000.0).powf(0.159_301_757_812_5);
    ((0.835_937_5 + 18.851_562_5 * power) / (1.0 + 18.6875 * power)).powf(78.84375)
}

/// BT.2100: from a sample to the light of the scene.
fn hlg_inverse_oetf(sample: f64) -> f64 {
    const A: f64 = 0.178_832_77;
    const B: f64 = 0.284_668_92;
    const C: f64 = 0.559_910_73;
    if sample <= 0.5 { sample * sample / 3.0 } else { (((sample - C) / A).exp() + B) / 12.0 }
}

/// The EETF of BT.2390, from `PEAK` to `WHITE`, in cd/m².
fn compressed(nits: f64) -> f64 {
    let peak = pq_inverse(PEAK);
    let (sample, most) = (pq_inverse(nits) / peak, pq_inverse(WHITE) / peak);
    let knee = 1.5 * most - 0.5;
    let mapped = if sample < knee {
        sample
    } else {
        let t = (sample - knee) / (1.0 - knee);
        let (t2, t3) = (t * t, t * t * t);
        (2.0 * t3 - 3.0 * t2 + 1.0) * knee + (t3 - 2.0 * t2 + t) * (1.0 - knee) + (3.0 * t2 - 2.0 * t3) * most
    };
    pq_eotf(mapped * peak) * PEAK
}

/// IEC 61966-2-1.
fn srgb_oetf(light: f64) -> f64 {
    if light <= 0.003_130_8 { light * 12.92 } else { 1.055 * light.powf(1.0 / 2.4) - 0.055 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A grey of that light.
    fn shown(hdr: Hdr, sample: f64) -> u8 {
        let code = ((sample * 65_535.0).round() as u16).to_le_bytes();
        let rgb = to_sdr(&code.repeat(3), 6, (1, 1), hdr);
        assert!(rgb.iter().max().unwrap() - rgb.iter().min().unwrap() <= 1, "grey stays grey: {rgb:?}");
        rgb[1]
    }

    #[test]
    fn greys_are_as_bright_as_they_should_be() {
        // Known points of ST 2084: 100 cd/m² is 0.508, 203 is 0.581, 1000 is 0.752.
        assert!((pq_inverse(100.0) - 0.5081).abs() < 1e-3 && (pq_inverse(203.0) - 0.5807).abs() < 1e-3);
        assert!((pq_eotf(0.7518) - 1.0).abs() < 2e-3);
        // BT.2100, table 5: half the scene's range of samples is a twelfth of its light.
        assert!((hlg_inverse_oetf(0.5) - 1.0 / 12.0).abs() < 1e-9 && (hlg_inverse_oetf(1.0) - 1.0).abs() < 1e-6);
        assert_eq!(shown(Hdr::Pq, 0.0), 0);
        // 26 cd/m², the light of an 18 % grey card under BT.2408, is not touched: sRGB's own value for 0.128.
        assert_eq!(shown(Hdr::Pq, pq_inverse(26.0)), (srgb_oetf(26.0 / 203.0) * 255.0).round() as u8);
        let white = shown(Hdr::Pq, pq_inverse(203.0));
        assert!((215..=240).contains(&white), "white leaves room for highlights: {white}");
        assert_eq!(shown(Hdr::Pq, 1.0), 255);
        assert_eq!(shown(Hdr::Hlg, 1.0), 255);
        // BT.2408: HLG's reference white is 75 %.
        let white = shown(Hdr::Hlg, 0.75);
        assert!((210..=240).contains(&white), "{white}");
        let ramp: Vec<u8> = (0..=20).map(|step| shown(Hdr::Hlg, f64::from(step) / 20.0)).collect();
        assert!(ramp.is_sorted(), "{ramp:?}");
    }
}
