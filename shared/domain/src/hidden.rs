//! What a user does not want to be told of: people, places and days that no memory shows.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::Media;

/// What is hidden.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hidden {
    /// People by their names in small letters, each with the words by which photos show them.
    #[serde(default)]
    pub people: BTreeMap<String, BTreeSet<String>>,
    /// Towns, regions and countries, in small letters.
    #[serde(default)]
    pub places: BTreeSet<String>,
    /// Days: `YYYY-MM-DD`, or `MM-DD` of every year.
    #[serde(default)]
    pub days: BTreeSet<String>,
    /// Counts the writes.
    #[serde(default)]
    pub version: u64,
}

impl Hidden {
    /// Whether nothing is.
    pub fn is_empty(&self) -> bool {
        !self.looks_at_photos() && self.days.is_empty()
    }

    /// Whether a photo must be read to know it.
    pub fn looks_at_photos(&self) -> bool {
        !(self.people.is_empty() && self.places.is_empty())
    }

    /// Whether a local day is hidden.
    pub fn hides_day(&self, date: &str) -> bool {
        self.days.contains(date) || date.get(5..).is_some_and(|of_year| self.days.contains(of_year))
    }

    /// Whether somebody or a place on a photo is.
    pub fn hides(&self, media: &Media) -> bool {
        let mut shown = media.marked_names().map(str::to_lowercase);
        shown.any(|word| self.people.values().any(|words| words.contains(&word)))
            || media.facts.as_ref().is_some_and(|facts| self.places.iter().any(|place| facts.is_at(place)))
    }
}
