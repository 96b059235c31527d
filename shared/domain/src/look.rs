//! The look facet: what a picture looks like, in numbers that need no picture any more.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// What was measured on a still, or on a video's poster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    /// Gradients: cheap and coarse.
    pub dhash: DHash,
    /// Frequencies: what near-duplicates are found by.
    pub phash: PHash,
    /// How much there is to tell the picture by, 0..=100; below about 50 equal hashes mean little.
    pub phash_quality: u8,
    /// The picture's colours, largest share first.
    pub colours: Vec<Colour>,
    /// Variance of the Laplacian where the picture is sharpest, in squared steps of brightness. Comparable between pictures of
    /// one kind, such as those of a burst.
    pub sharpness: u32,
    /// Mean, 0..=255.
    pub brightness: u8,
    /// Standard deviation of brightness, 0..=127.
    pub contrast: u8,
    /// Share of pixels that are black or nearly so.
    pub dark_percent: u8,
    /// Share of pixels that are white or nearly so.
    pub bright_percent: u8,
}

/// One of a picture's colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Colour {
    /// sRGB.
    pub rgb: Hex<3>,
    /// Its share of the picture.
    pub percent: u8,
}

/// 64 bits: for each of 8 × 8 places, is it brighter to the right?
pub type DHash = Hex<8>;
/// 256 bits: which frequencies are strong.
pub type PHash = Hex<32>;

/// Bytes that are written as hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Hex<const N: usize>(pub [u8; N]);

impl<const N: usize> Hex<N> {
    /// In how many bits two hashes differ. Of a [`PHash`] copies differ in less than about 32 and unrelated pictures in about 128.
    pub fn distance(self, other: Self) -> u32 {
        self.0.iter().zip(other.0).map(|(one, other)| (one ^ other).count_ones()).sum()
    }
}

impl<const N: usize> Default for Hex<N> {
    fn default() -> Self {
        Self([0; N])
    }
}

impl<const N: usize> fmt::Display for Hex<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl<const N: usize> Serialize for Hex<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, const N: usize> Deserialize<'de> for Hex<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut bytes = [0; N];
        hex::decode_to_slice(&text, &mut bytes)
            .map_err(|_| D::Error::custom(format!("'{text}' is not {} hexadecimal digits", N * 2)))?;
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_is_read_as_it_was_written() {
        let look = Look {
            dhash: Hex([0, 0, 0, 0, 0, 0, 0, 1]),
            phash: Hex([0xab; 32]),
            phash_quality: 90,
            colours: vec![Colour { rgb: Hex([1, 2, 255]), percent: 70 }],
            sharpness: 1200,
            brightness: 120,
            contrast: 50,
            dark_percent: 1,
            bright_percent: 2,
        };
        let text = serde_json::to_string(&look).unwrap();
        assert!(text.starts_with(r#"{"dhash":"0000000000000001","phash":"abab"#) && text.contains("\"0102ff\""), "{text}");
        assert_eq!(serde_json::from_str::<Look>(&text).unwrap(), look);
        assert!(serde_json::from_str::<Look>(&text.replace("abab", "xyz")).is_err());
    }

    #[test]
    fn distances_count_bits() {
        assert_eq!(Hex([0b1011]).distance(Hex([0b0010])), 2);
        assert_eq!(Hex([0; 32]).distance(Hex([0x0f; 32])), 128);
    }
}
