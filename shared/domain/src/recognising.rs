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

/// All that is looked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sought {
    /// Labels, faces, people.
    pub what: Recognise,
    /// Words that can be read.
    pub text: bool,
    /// What is not to be shown unasked.
    pub moderation: bool,
}

impl Sought {
    /// As a template says it: the word for labels, faces and people, and `on` or `off` for the others. An empty text is `off`.
    pub fn read(what: &str, text: &str, moderation: &str) -> Result<Self, UnknownRecognise> {
        Ok(Self { what: what.parse()?, text: is_on(text)?, moderation: is_on(moderation)? })
    }

    /// Whether anything is.
    pub fn is_anything(self) -> bool {
        self != Self::default()
    }
}

impl From<Recognise> for Sought {
    /// That, and nothing beside.
    fn from(what: Recognise) -> Self {
        Self { what, ..Self::default() }
    }
}

fn is_on(text: &str) -> Result<bool, UnknownRecognise> {
    match text.trim() {
        "" | "off" => Ok(false),
        "on" => Ok(true),
        other => Err(UnknownRecognise { text: other.to_owned(), known: "off and on" }),
    }
}

/// As it is part of a recipe.
impl fmt::Display for Sought {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let besides = [(self.text, "+text"), (self.moderation, "+moderation")];
        write!(f, "{}", self.what)?;
        besides.iter().filter(|(is_on, _)| *is_on).try_for_each(|(_, name)| f.write_str(name))
    }
}

/// What is looked for, and how often in a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recognising {
    /// What.
    pub sought: Sought,
    /// Pictures that may be paid for in a calendar month (UTC); one that is looked at twice counts twice.
    pub monthly_images: u32,
}

impl Default for Recognising {
    fn default() -> Self {
        Self { sought: Sought::default(), monthly_images: 5_000 }
    }
}

/// A word that says nothing of what is looked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is none of {known}")]
pub struct UnknownRecognise {
    text: String,
    known: &'static str,
}

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
            other => Err(UnknownRecognise { text: other.to_owned(), known: "off, labels, faces and people" }),
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
        assert_eq!(Sought::read("faces", "", "off"), Ok(Recognise::Faces.into()));
        let both = Sought { text: true, moderation: true, ..Sought::default() };
        assert_eq!(Sought::read("off", "on", "on"), Ok(both));
        assert_eq!(Sought::read("", "yes", "").unwrap_err().to_string(), "'yes' is none of off and on");
    }

    #[test]
    fn what_is_sought_beside_is_part_of_its_name_and_nothing_else_is() {
        assert_eq!(Sought::from(Recognise::Faces).to_string(), "faces");
        let all = Sought { what: Recognise::Off, text: true, moderation: true };
        assert_eq!(
            (all.to_string(), all.is_anything(), Sought::default().is_anything()),
            ("off+text+moderation".into(), true, false)
        );
    }
}
