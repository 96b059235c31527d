//! What a vault lets a recogniser look for, and how much of it in a month. Each picture that is looked at costs money.

use std::{fmt, str::FromStr};

/// What is looked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Recognise {
    /// Nothing: no item has the stage, and nobody is asked.
    #[default]
    Off,
    /// What is to be seen.
    Labels,
    /// And faces, where somebody is to be seen.
    Faces,
    /// And who they are: faces are kept by the recogniser, in a collection of each user.
    People,
}

/// What is looked for, and how often in a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recognising {
    /// What.
    pub what: Recognise,
    /// Pictures that may be paid for in a calendar month (UTC); one that is looked at twice counts twice.
    pub monthly_images: u32,
}

impl Default for Recognising {
    fn default() -> Self {
        Self { what: Recognise::Off, monthly_images: 5_000 }
    }
}

/// A word that says nothing of what is looked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is none of off, labels, faces and people")]
pub struct UnknownRecognise(String);

impl Recognise {
    /// Whether faces are looked for.
    pub const fn finds_faces(self) -> bool {
        matches!(self, Self::Faces | Self::People)
    }
}

impl FromStr for Recognise {
    type Err = UnknownRecognise;

    /// An empty text is `off`.
    fn from_str(text: &str) -> Result<Self, UnknownRecognise> {
        match text.trim() {
            "" | "off" => Ok(Self::Off),
            "labels" => Ok(Self::Labels),
            "faces" => Ok(Self::Faces),
            "people" => Ok(Self::People),
            other => Err(UnknownRecognise(other.to_owned())),
        }
    }
}

impl fmt::Display for Recognise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Off => "off",
            Self::Labels => "labels",
            Self::Faces => "faces",
            Self::People => "people",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_as_they_are_written() {
        for what in [Recognise::Off, Recognise::Labels, Recognise::Faces, Recognise::People] {
            assert_eq!(what.to_string().parse(), Ok(what));
        }
        assert_eq!("".parse(), Ok(Recognise::Off));
        assert_eq!(
            "everything".parse::<Recognise>().unwrap_err().to_string(),
            "'everything' is none of off, labels, faces and people"
        );
    }
}
