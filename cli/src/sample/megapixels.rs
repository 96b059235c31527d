//! The size of a sample photo, as it is typed.

use std::str::FromStr;

/// Millions of pixels: `12`, `12mp`, `1.92`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Megapixels(pub(crate) f64);

impl FromStr for Megapixels {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = text.to_ascii_lowercase();
        match number.trim_end_matches("mp").trim().parse() {
            Ok(size) if (0.01..=150.0).contains(&size) => Ok(Self(size)),
            _ => Err(format!("'{text}' is not a size in megapixels between 0.01 and 150, such as 12mp")),
        }
    }
}
