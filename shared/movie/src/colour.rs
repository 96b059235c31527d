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
/// Steps of the table of samples: of twelve bits.
const STEPS: usize = 4096;
/// Steps of the tables of factors. All tables together fit the nearest cache.
const GAINS: usize = 1024;
/// Steps of the table that writes light, which are even: where it is dark, one is two fifths of a step of eight bits.
const WRITTEN_STEPS: usize = 8192;

struct Tables {
    /// From a sample to light: a part of `PEAK` for PQ, of the scene's white for HLG.
    light: Box<[f32; STEPS]>,
    /// From light, as a part of `PEAK`, to the factor that compresses it to a part of `WHITE`.
    gain: Box<[f32; GAINS]>,
    /// From the scene's light, by `step_of_power`, to its power 0.2: HLG's system gamma without the light itself.
    gamma: Box<[f32; GAINS]>,
}

/// A plane of samples of twelve bits each, little-endian in two bytes, and bytes between its rows.
pub(crate) type Plane<'a> = (&'a [u8], usize);

/// From red, green and blue in BT.2020 to eight bits in sRGB: rows of `width` pixels, `stride` bytes apart.
pub(crate) fn to_sdr(rgb: [Plane; 3], hdr: Hdr, made: &mut [u8], (width, stride): (usize, usize)) {
    static PQ: OnceLock<Tables> = OnceLock::new();
    static HLG: OnceLock<Tables> = OnceLock::new();
    static WRITTEN: OnceLock<Box<[u8; WRITTEN_STEPS]>> = OnceLock::new();
    let written = WRITTEN
        .get_or_init(|| Box::new(std::array::from_fn(|step| (srgb_oetf(even(step, WRITTEN_STEPS)) * 255.0).round() as u8)));
    for (number, to) in made.chunks_mut(stride).enumerate() {
        let (rows, to) = (rgb.map(|(samples, stride)| &samples[number * stride..][..width * 2]), &mut to[..width * 3]);
        match hdr {
            Hdr::Pq => row_to_sdr::<false>(rows, to, PQ.get_or_init(|| Tables::of(pq_eotf)), written),
            Hdr::Hlg => row_to_sdr::<true>(rows, to, HLG.get_or_init(|| Tables::of(hlg_inverse_oetf)), written),
        }
    }
}

/// `OF_SCENE` is light of the scene, which a display's system gamma is still to be applied to.
fn row_to_sdr<const OF_SCENE: bool>(rows: [&[u8]; 3], to: &mut [u8], tables: &Tables, written: &[u8; WRITTEN_STEPS]) {
    let [reds, greens, blues] = rows.map(|row| row.chunks_exact(2));
    for (((r, g), b), to) in reds.zip(greens).zip(blues).zip(to.chunks_exact_mut(3)) {
        let light = |sample: &[u8]| tables.light[usize::from(u16::from_le_bytes([sample[0], sample[1]])) & (STEPS - 1)];
        let (mut r, mut g, mut b) = (light(r), light(g), light(b));
        if OF_SCENE {
            let luminance = 0.2627 * r + 0.6780 * g + 0.0593 * b;
            let factor = tables.gamma[step_of_power(luminance)];
            (r, g, b) = (r * factor, g * factor, b * factor);
        }
        let gain = tables.gain[step_of::<GAINS>(larger(larger(r, g), b))];
        (r, g, b) = (r * gain, g * gain, b * gain);
        // BT.2087-0, table 4's matrices joined; what lies outside of BT.709 is cut.
        to[0] = written[step_of::<WRITTEN_STEPS>(1.6605 * r - 0.5876 * g - 0.0728 * b)];
        to[1] = written[step_of::<WRITTEN_STEPS>(-0.1246 * r + 1.1329 * g - 0.0083 * b)];
        to[2] = written[step_of::<WRITTEN_STEPS>(-0.0182 * r - 0.1006 * g + 1.1187 * b)];
    }
}

/// The step nearest to a part of the whole, of a power of two of them.
fn step_of<const STEPS: usize>(part: f32) -> usize {
    // Beside 2^23 the lowest bits of a number are its whole part, rounded: a conversion without a branch.
    const BESIDE: f32 = 8_388_608.0;
    (part.clamp(0.0, 1.0) * (STEPS - 1) as f32 + BESIDE).to_bits() as usize & (STEPS - 1)
}

/// Steps for each power of two, sixteen of which are told apart; what is darker than the last is as good as black.
const STEPS_OF_POWER: usize = GAINS / 16;
/// The bits of a number above which its exponent and the first of its fraction stand, which grow with it.
const POWER_BITS: u32 = f32::MANTISSA_DIGITS - 1 - STEPS_OF_POWER.ilog2();
/// Those of 2^-16.
const DARKEST: u32 = (1.0_f32 / 65_536.0).to_bits() >> POWER_BITS;

/// Which step a part of the whole is in, of steps that grow with it: no root is taken.
fn step_of_power(part: f32) -> usize {
    ((part.to_bits() >> POWER_BITS).saturating_sub(DARKEST) as usize).min(GAINS - 1)
}

/// Which part of the whole the middle of such a step is.
fn middle_of_power(step: usize) -> f64 {
    f64::from(f32::from_bits(((step as u32 + DARKEST) << POWER_BITS) + (1 << (POWER_BITS - 1))))
}

/// The larger of two numbers, in one instruction: `f32::max` asks besides whether they are numbers.
fn larger(one: f32, other: f32) -> f32 {
    if one > other { one } else { other }
}

/// Which part of the whole a step is.
fn even(step: usize, steps: usize) -> f64 {
    step as f64 / (steps - 1) as f64
}

impl Tables {
    fn of(light: fn(f64) -> f64) -> Self {
        let gain = |step: usize| {
            let nits = even(step.max(1), GAINS) * PEAK;
            (compressed(nits) / WHITE / (nits / PEAK)) as f32
        };
        Self {
            light: Box::new(std::array::from_fn(|step| light(even(step, STEPS)) as f32)),
            gain: Box::new(std::array::from_fn(gain)),
            gamma: Box::new(std::array::from_fn(|step| middle_of_power(step).powf(0.2) as f32)),
        }
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

    fn one_to_sdr(rgb: [Plane; 3], hdr: Hdr) -> [u8; 3] {
        let mut made = [0; 3];
        to_sdr(rgb, hdr, &mut made, (1, 3));
        made
    }

    /// A grey of that light.
    fn shown(hdr: Hdr, sample: f64) -> u8 {
        let code = ((sample * 4095.0).round() as u16).to_le_bytes();
        let rgb = one_to_sdr([(&code, 2); 3], hdr);
        assert!(rgb.iter().max().unwrap() - rgb.iter().min().unwrap() <= 1, "grey stays grey: {rgb:?}");
        rgb[1]
    }

    /// The same without tables.
    fn exact(hdr: Hdr, samples: [f64; 3]) -> [f64; 3] {
        let mut rgb = match hdr {
            Hdr::Pq => samples.map(pq_eotf),
            Hdr::Hlg => samples.map(hlg_inverse_oetf),
        };
        if hdr == Hdr::Hlg {
            let luminance: f64 = 0.2627 * rgb[0] + 0.6780 * rgb[1] + 0.0593 * rgb[2];
            rgb = rgb.map(|light| light * luminance.powf(0.2));
        }
        let brightest = rgb.into_iter().fold(1e-9, f64::max);
        let [r, g, b] = rgb.map(|light| light * compressed(brightest * PEAK) / WHITE / brightest);
        let narrow =
            [1.6605 * r - 0.5876 * g - 0.0728 * b, -0.1246 * r + 1.1329 * g - 0.0083 * b, -0.0182 * r - 0.1006 * g + 1.1187 * b];
        narrow.map(|light| srgb_oetf(light.clamp(0.0, 1.0)) * 255.0)
    }

    #[test]
    fn tables_are_exact_enough() {
        for hdr in [Hdr::Pq, Hdr::Hlg] {
            // Every combination of 33 levels, dark ones twice as dense.
            let level = |step: usize| if step < 16 { step as f64 / 64.0 } else { 0.25 + (step - 16) as f64 / 16.0 * 0.75 };
            for number in 0..33 * 33 * 33 {
                let codes = [number % 33, number / 33 % 33, number / 33 / 33].map(|step| (level(step) * 4095.0).round() as u16);
                let bytes = codes.map(u16::to_le_bytes);
                let planes = [(&bytes[0][..], 2), (&bytes[1][..], 2), (&bytes[2][..], 2)];
                let (made, want) = (one_to_sdr(planes, hdr), exact(hdr, codes.map(|code| f64::from(code) / 4095.0)));
                for (made, want) in made.iter().zip(want) {
                    assert!((f64::from(*made) - want).abs() < 1.5, "{hdr:?} {codes:?}: {made}, not {want}");
                }
            }
        }
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
