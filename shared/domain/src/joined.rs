//! What an item has from its duplicates: where one of several is kept, what was said of the others is not lost.

use serde::{Deserialize, Serialize};

use crate::{Facts, Media, MediaId, Stage};

/// Duplicates that became one item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Merge {
    /// The item that was kept.
    pub best: MediaId,
    /// Those that went to the trash.
    pub others: Vec<MediaId>,
    /// What the kept one had from its duplicates before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Box<Facts>>,
}

impl Media {
    /// Joins what others say that are the same picture; what the item says itself stands. `names` says whether they show the same people
    /// in the same places.
    pub fn join(&mut self, others: &[&Self], names: bool) {
        let mut joined = self.joined.take().map(|joined| *joined).unwrap_or_default();
        for facts in others.iter().flat_map(|other| [other.facts.as_deref(), other.joined.as_deref()]).flatten() {
            let said = if names { facts.clone() } else { Facts { regions: Vec::new(), ..facts.clone() } };
            joined.fill(&said);
        }
        self.joined = Some(Box::new(joined));
        let taken = self.taken();
        let own = self.facts.take().unwrap_or_default();
        self.facts = Some(self.with_joined(own));
        if self.taken() != taken {
            self.renew(Stage::Memories);
        }
    }

    /// Takes back to what had been joined before, and asks for its own facts anew: the file has them.
    pub fn unjoin(&mut self, before: Option<Box<Facts>>) {
        self.joined = before;
        let stage = self.described_by();
        if self.renew(stage) {
            self.tell_again(stage);
        }
    }

    /// What it says itself, and what its duplicates say besides.
    pub(crate) fn with_joined(&self, mut own: Box<Facts>) -> Box<Facts> {
        if let Some(joined) = &self.joined {
            own.fill(joined);
        }
        own
    }
}

impl Facts {
    /// Adds what another one says and this one does not: all keywords, all names, captions below one another, the most stars.
    fn fill(&mut self, other: &Self) {
        self.rating = self.rating.max(other.rating);
        self.keywords.extend(other.keywords.iter().filter(|word| !self.keywords.contains(word)).cloned().collect::<Vec<_>>());
        let has_name = |name: &Option<String>| self.regions.iter().any(|region| region.name == *name);
        let named = other.regions.iter().filter(|region| region.name.is_some() && !has_name(&region.name));
        self.regions.extend(named.cloned().collect::<Vec<_>>());
        self.description = captions(self.description.take(), other.description.as_deref());
        let fill = |own: &mut Option<String>, other: &Option<String>| {
            if own.as_ref().is_none_or(String::is_empty) && other.is_some() {
                own.clone_from(other);
            }
        };
        fill(&mut self.title, &other.title);
        fill(&mut self.label, &other.label);
        if self.captured.is_none() {
            self.captured.clone_from(&other.captured);
        }
        if self.position.is_none() {
            self.position = other.position;
            self.located.clone_from(&other.located);
        }
        if self.place.is_none() {
            self.place.clone_from(&other.place);
        }
    }
}

/// The lines of both, each once.
fn captions(own: Option<String>, other: Option<&str>) -> Option<String> {
    let Some(own) = own else { return other.map(str::to_owned) };
    let is_new = |line: &&str| !line.trim().is_empty() && !own.lines().any(|known| known.trim() == line.trim());
    let new: Vec<&str> = other.unwrap_or_default().lines().filter(is_new).collect();
    let lines: Vec<&str> = own.lines().chain(new).collect();
    Some(lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Captured, Entry, Facet, Format, Region, State, pipeline::tests::media};

    fn said(facts: Facts) -> Media {
        Media { facts: Some(Box::new(facts)), ..media(Format::Jpeg, &[]) }
    }

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn nothing_that_was_said_of_a_duplicate_is_lost_and_it_holds_when_the_file_is_read_again() {
        let region = |name: &str| Region { name: Some(name.into()), ..Region::default() };
        let own = Facts {
            keywords: texts(&["a", "b"]),
            description: Some("A beach".into()),
            regions: vec![region("Ben")],
            ..Facts::default()
        };
        let mut best = said(own.clone());
        best.ledger.insert(Stage::Metadata, Entry { state: State::Done, ..Entry::pending(Stage::Metadata.recipe()) });
        let other = said(Facts {
            rating: Some(4),
            keywords: texts(&["b", "c"]),
            description: Some("A beach\nin Lisbon".into()),
            title: Some("Strand".into()),
            regions: vec![region("Ben"), region("Ann")],
            captured: Some(Captured { local: "2024-07-01T10:00:00".into(), ..Captured::default() }),
            ..Facts::default()
        });
        best.join(&[&other, &said(Facts { rating: Some(-1), ..Facts::default() })], true);
        let facts = best.facts.clone().unwrap();
        assert_eq!((facts.rating, &facts.keywords), (Some(4), &texts(&["a", "b", "c"])));
        assert_eq!((facts.description.as_deref(), facts.title.as_deref()), (Some("A beach\nin Lisbon"), Some("Strand")));
        assert_eq!((facts.regions.len(), facts.captured.is_some()), (2, true));
        best.record(Stage::Metadata, best.ledger[&Stage::Metadata].clone(), Some(Facet::Facts(Box::new(own.clone()))));
        assert_eq!(best.facts, Some(facts));
        best.unjoin(None);
        assert_eq!(best.ledger[&Stage::Metadata].state, State::Pending);
        best.record(Stage::Metadata, best.ledger[&Stage::Metadata].clone(), Some(Facet::Facts(Box::new(own.clone()))));
        assert_eq!(best.facts, Some(Box::new(own)));
    }

    #[test]
    fn frames_of_a_burst_give_no_names() {
        let region = Region { name: Some("Ann".into()), ..Region::default() };
        let mut best = said(Facts::default());
        best.join(&[&said(Facts { rating: Some(2), regions: vec![region], ..Facts::default() })], false);
        let facts = best.facts.unwrap();
        assert_eq!((facts.rating, facts.regions.len()), (Some(2), 0));
    }
}
