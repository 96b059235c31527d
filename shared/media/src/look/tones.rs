//! Exposure and contrast from the histogram of brightness.

use super::Luma;

/// At most this bright is without drawing in the shadows.
const DARK: usize = 10;
/// At least this bright is burnt out.
const BRIGHT: usize = 245;

/// The distribution of brightness, 0..=255.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tones {
    pub(super) mean: u8,
    /// Standard deviation: RMS contrast.
    pub(super) deviation: u8,
    pub(super) dark_percent: u8,
    pub(super) bright_percent: u8,
}

pub(super) fn tones(luma: Luma<'_>) -> Tones {
    let mut histogram = [0_u32; 256];
    for &sample in luma.samples {
        histogram[usize::from(sample)] += 1;
    }
    let count = f64::from(histogram.iter().sum::<u32>().max(1));
    let mean_of = |value: fn(f64) -> f64| {
        let weighted = (0_u8..=255).zip(histogram).map(|(level, times)| value(f64::from(level)) * f64::from(times));
        weighted.sum::<f64>() / count
    };
    let mean = mean_of(|level| level);
    let variance = mean_of(|level| level * level) - mean * mean;
    let percent = |levels: &[u32]| (f64::from(levels.iter().sum::<u32>()) * 100.0 / count).round() as u8;
    Tones {
        mean: mean.round() as u8,
        deviation: variance.max(0.0).sqrt().round() as u8,
        dark_percent: percent(&histogram[..=DARK]),
        bright_percent: percent(&histogram[BRIGHT..]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tones_of_simple_pictures() {
        for (samples, want) in [
            (&[0; 4], (0, 0, 100, 0)),
            (&[255; 4], (255, 0, 0, 100)),
            (&[0, 0, 255, 255], (128, 128, 50, 50)),
            (&[100, 100, 140, 140], (120, 20, 0, 0)),
        ] {
            let Tones { mean, deviation, dark_percent, bright_percent } = tones(Luma { width: 2, height: 2, samples });
            assert_eq!((mean, deviation, dark_percent, bright_percent), want, "{samples:?}");
        }
    }
}
