//! When a video gets a copy that every browser plays, and how large that may be.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The policy of a deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rendition {
    /// When one is made.
    pub when: When,
    /// Pixels of its shorter side at most.
    pub lines: u32,
    /// Its picture's bit rate at most, in thousands of bits a second.
    pub kbps: u32,
}

impl Default for Rendition {
    fn default() -> Self {
        Self { when: When::Required, lines: 720, kbps: 4000 }
    }
}

/// When a rendition is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum When {
    /// Not at all.
    Never,
    /// Where browsers do not play the original.
    Required,
    /// Also where the original is larger than the policy allows.
    Optimal,
    /// Of every video.
    Always,
}

/// Not one of the policies.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not never, required, optimal or always")]
pub struct UnknownPolicy(String);

impl FromStr for When {
    type Err = UnknownPolicy;

    fn from_str(text: &str) -> Result<Self, UnknownPolicy> {
        match text {
            "never" => Ok(Self::Never),
            "required" => Ok(Self::Required),
            "optimal" => Ok(Self::Optimal),
            "always" => Ok(Self::Always),
            other => Err(UnknownPolicy(other.to_owned())),
        }
    }
}
