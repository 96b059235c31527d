//! The people of a library: whom its photos show by their words, put together by what somebody said.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use photovault_domain::{DAY_MS, Media, MediaId, PeopleEdit, Shown, UtcMs, mark_by, splits_in, splits_of, words_of};

use super::{Edit, Face, FaceId, Impossible, People, PersonId};

/// Somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acquaintance {
    /// What they are called: as somebody said, else as most photos have it; `None` of whom a recogniser found and nobody named.
    pub name: Option<String>,
    /// The words that stand for them.
    pub words: BTreeSet<String>,
    /// On which day they were born, counted from 1970, where somebody said so.
    pub born: Option<i32>,
    /// The photos that show them, each with its time, in their order.
    pub photos: Vec<(UtcMs, MediaId)>,
    /// What a further word about them may hang on.
    pub anchor: Shown,
}

#[derive(Clone, Debug)]
struct Appearance {
    shown: Shown,
    at: UtcMs,
    /// As it is written there.
    spelled: Option<String>,
}

/// Everybody whom a library shows.
#[derive(Clone, Debug, Default)]
pub struct Circle {
    people: People,
    appearances: Vec<Appearance>,
    /// Numbers of words.
    words: HashMap<String, u64>,
    /// Who is shown where, by the place among the appearances.
    places: HashMap<Shown, FaceId>,
    photos: u64,
    /// Faces that somebody marked by a name as well, with the name.
    linked: Vec<(FaceId, String)>,
    /// Whom a recogniser took for those whom a split parted, by the split's mark.
    like_parted: HashMap<String, Vec<FaceId>>,
    /// Whom somebody parted, with one of them who is there, if anybody is.
    parted: Vec<(Vec<Shown>, Option<FaceId>)>,
}

impl Circle {
    /// Everybody of these items. What was said and cannot be any more is left out; its number is given.
    pub fn of<'a>(items: impl IntoIterator<Item = &'a Media>, said: &[PeopleEdit]) -> (Self, usize) {
        Self::with_faces(items, &HashMap::new(), said)
    }

    /// The same where a recogniser tells people apart: `whose` says of each face whose it is, by their mark.
    pub fn with_faces<'a>(
        items: impl IntoIterator<Item = &'a Media>,
        whose: &HashMap<String, String>,
        said: &[PeopleEdit],
    ) -> (Self, usize) {
        let mut circle = Self::default();
        let splits = splits_in(said);
        for media in items {
            circle.add(media, whose, &splits);
        }
        circle.link();
        let lapsed = said.iter().filter(|edit| circle.say(edit).is_err()).count();
        (circle, lapsed)
    }

    fn add(&mut self, media: &Media, whose: &HashMap<String, String>, splits: &[String]) {
        let at = media.taken().at;
        self.photos += 1;
        let shown = |word: String| Shown { media: media.id.clone(), word };
        let faces = media.tags.iter().flat_map(|tags| tags.faces.iter().flatten());
        let mut known: Vec<_> =
            faces.filter_map(|face| Some((face, mark_by(splits, whose.get(face.id.as_ref()?)?, None)))).collect();
        // Whoever was never parted has the shortest mark, and their word before others whose word it was.
        known.sort_by_key(|(_, mark)| splits_of(mark).count());
        for (face, mark) in known {
            let spelled = media.marked_as(face).map(str::to_owned);
            let mut words: Vec<String> = words_of(&mark).collect();
            let (first, word) = (words[0].clone(), words.pop().unwrap_or_default());
            let face = self.appear(Appearance { shown: shown(word), at, spelled: spelled.clone() }, &first);
            for before in words {
                self.places.entry(shown(before)).or_insert(face);
            }
            for split in splits_of(&mark) {
                self.like_parted.entry(split.to_owned()).or_default().push(face);
            }
            if let Some(name) = spelled {
                // The mark and the face are one.
                self.places.insert(shown(name.to_lowercase()), face);
                self.linked.push((face, name.to_lowercase()));
            }
        }
        for name in media.marked_names() {
            let word = name.to_lowercase();
            self.appear(Appearance { shown: shown(word.clone()), at, spelled: Some(name.to_owned()) }, &word);
        }
    }

    /// A name that is marked at a recognised face is the name of that person, as far as that can be.
    fn link(&mut self) {
        let mut first: HashMap<String, FaceId> = HashMap::new();
        for (face, name) in std::mem::take(&mut self.linked) {
            let by_mark = self.words.get(&name).and_then(|word| self.people.face_of_word(*word));
            let other = *first.entry(name).or_insert(by_mark.unwrap_or(face));
            if self.people.person_of(face) != self.people.person_of(other) {
                // What cannot be stays two people of one name.
                let _ = self.people.say(&Edit::Same(face, other));
            }
        }
    }

    /// Who is marked twice on one photo is there once. Those of one `kind` are one person until somebody says otherwise.
    fn appear(&mut self, appearance: Appearance, kind: &str) -> FaceId {
        if let Some(known) = self.places.get(&appearance.shown) {
            return *known;
        }
        let (id, next) = (self.appearances.len() as FaceId, self.words.len() as u64);
        let word = *self.words.entry(kind.to_owned()).or_insert(next);
        let day = appearance.at.0.div_euclid(DAY_MS) as i32;
        self.people.add(Face { id, photo: self.photos, day, looks: Vec::new(), word: Some(word) });
        self.places.insert(appearance.shown.clone(), id);
        self.appearances.push(appearance);
        id
    }

    /// Says something; what cannot be is refused and changes nothing.
    pub fn say(&mut self, edit: &PeopleEdit) -> Result<(), Impossible> {
        let face = |shown: &Shown| self.face(shown).ok_or(Impossible::NoSuchFace);
        let edit = match edit {
            PeopleEdit::Name { who, name } => Edit::Name { face: face(who)?, name: name.clone() },
            PeopleEdit::Born { who, day } => Edit::Born { face: face(who)?, day: *day },
            PeopleEdit::Same(one, other) => Edit::Same(face(one)?, face(other)?),
            PeopleEdit::Apart { shown, from } => return self.part(edit, shown, from),
        };
        self.people.say(&edit)
    }

    fn part(&mut self, edit: &PeopleEdit, shown: &[Shown], from: &Shown) -> Result<(), Impossible> {
        // Of those that go, some may have left the vault; a word does not stand for them.
        let said: Vec<FaceId> = shown.iter().filter_map(|shown| self.places.get(shown).copied()).collect();
        let like = edit.split().and_then(|split| self.like_parted.get(&split)).into_iter().flatten().copied();
        let all: Vec<FaceId> = said.iter().copied().chain(like.filter(|face| !said.contains(face))).collect();
        self.parted.push((shown.to_vec(), all.first().copied()));
        let first = *all.first().ok_or(Impossible::NoSuchFace)?;
        let stays = self.face(from).filter(|face| !all.contains(face)).or_else(|| self.another_of(first, &all));
        let from = stays.ok_or(Impossible::NoSuchFace)?;
        let mut parted = self.people.say(&Edit::Apart { faces: all, from });
        if parted.is_err() && !said.is_empty() {
            // A likeness never stands against what was said.
            parted = self.people.say(&Edit::Apart { faces: said, from });
        }
        parted
    }

    /// Whether somebody is shown there by that word.
    pub fn shows(&self, shown: &Shown) -> bool {
        self.places.contains_key(shown)
    }

    /// Whom an edit hangs on: exactly them, else anybody for whom the same word stands; of whom somebody parted, those who were parted with them.
    fn face(&self, shown: &Shown) -> Option<FaceId> {
        if let Some(there) = self.places.get(shown) {
            return Some(*there);
        }
        if let Some((_, with)) = self.parted.iter().rev().find(|(parted, _)| parted.contains(shown)) {
            return *with;
        }
        let of_word = |(_, appearance): &(usize, &Appearance)| appearance.shown.word == shown.word;
        let not_parted = |face: &FaceId| !self.people.is_parted(*face);
        self.appearances.iter().enumerate().filter(of_word).map(|(place, _)| place as FaceId).find(not_parted)
    }

    /// Another face of the same person, for those that leave them.
    fn another_of(&self, face: FaceId, but: &[FaceId]) -> Option<FaceId> {
        let person = self.people.person_of(face)?;
        let (_, faces) = self.people.persons().find(|(id, _)| *id == person)?;
        faces.iter().map(|face| face.id).find(|id| !but.contains(id))
    }

    /// Everybody, who is on the most photos first.
    pub fn persons(&self) -> Vec<Acquaintance> {
        let mut persons: Vec<Acquaintance> = self.people.persons().map(|(id, faces)| self.person(id, &faces)).collect();
        persons.sort_by(|one, other| {
            other.photos.len().cmp(&one.photos.len()).then_with(|| (&one.name, &one.anchor).cmp(&(&other.name, &other.anchor)))
        });
        persons
    }

    /// Those who are called so, or for whom that word stands; large and small letters are the same.
    pub fn called(&self, name: &str) -> Vec<Acquaintance> {
        let name = name.to_lowercase();
        let by_name = |person: &Acquaintance| person.name.as_ref().is_some_and(|own| own.to_lowercase() == name);
        let (named, others): (Vec<_>, Vec<_>) = self.persons().into_iter().partition(by_name);
        if named.is_empty() { others.into_iter().filter(|person| person.words.contains(&name)).collect() } else { named }
    }

    fn person(&self, id: PersonId, faces: &[&Face]) -> Acquaintance {
        let appearances: Vec<&Appearance> = faces.iter().map(|face| &self.appearances[face.id as usize]).collect();
        let is_parted = |face: &&&Face| self.people.is_parted(face.id);
        // What hangs on one whom somebody parted goes when that is taken back.
        let anchor = faces.iter().find(|face| !is_parted(face)).or(faces.first()).map_or(0, |face| face.id as usize);
        let mut photos: Vec<_> = appearances.iter().map(|it| (it.at, it.shown.media.clone())).collect();
        photos.sort();
        Acquaintance {
            name: self.people.name_of(id).map(str::to_owned).or_else(|| most_frequent(&appearances)),
            words: appearances.iter().map(|it| it.shown.word.clone()).collect(),
            born: self.people.born(id),
            photos,
            anchor: self.appearances[anchor].shown.clone(),
        }
    }
}

fn most_frequent(appearances: &[&Appearance]) -> Option<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for spelled in appearances.iter().filter_map(|it| it.spelled.as_deref()) {
        *counts.entry(spelled).or_default() += 1;
    }
    counts.into_iter().max_by_key(|(spelled, count)| (*count, std::cmp::Reverse(*spelled))).map(|(spelled, _)| spelled.to_owned())
}

#[cfg(test)]
mod tests {
    use photovault_domain::{Facts, Region, Sha256, Tags, UserId};

    use super::*;

    fn photo(number: u8, names: &[&str]) -> Media {
        let user: UserId = "ann".parse().unwrap();
        let region = |name: &&str| {
            let (kind, name) = name.split_once(':').unwrap_or(("Face", name));
            Region { name: Some(name.to_owned()), kind: Some(kind.to_owned()), ..Region::default() }
        };
        let facts = Facts { regions: names.iter().map(region).collect(), ..Facts::default() };
        let id = MediaId::of_bytes(&user, &Sha256::from_digest([number; 32]));
        Media { facts: Some(Box::new(facts)), ..Media::new(user, id, UtcMs(i64::from(number) * DAY_MS)) }
    }

    fn counts(circle: &Circle) -> Vec<(String, usize)> {
        circle.persons().into_iter().map(|person| (person.name.unwrap_or_default(), person.photos.len())).collect()
    }

    fn want(counts: &[(&str, usize)]) -> Vec<(String, usize)> {
        counts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
    }

    fn shown(number: u8, word: &str) -> Shown {
        Shown { media: photo(number, &[]).id, word: word.to_owned() }
    }

    #[test]
    fn names_are_counted_by_photo_and_pets_are_not_people() {
        let items = [photo(1, &["Ben", "ben", "Pet:Rex"]), photo(2, &["Ben", "Ann"]), photo(3, &[]), photo(4, &["BEN"])];
        assert_eq!(counts(&Circle::of(&items, &[]).0), want(&[("Ben", 3), ("Ann", 1)]));
    }

    #[test]
    fn what_was_said_holds_for_late_photos_and_when_its_own_photo_has_gone() {
        let mut items = vec![photo(1, &["Ben"]), photo(2, &["Benjamin"]), photo(3, &["Ben", "Ann"]), photo(4, &["Ben"])];
        let said = [
            PeopleEdit::Same(shown(1, "ben"), shown(2, "benjamin")),
            PeopleEdit::Name { who: shown(1, "ben"), name: "Ben B.".to_owned() },
            PeopleEdit::Born { who: shown(2, "benjamin"), day: 1 },
            PeopleEdit::Apart { shown: vec![shown(4, "ben")], from: shown(1, "ben") },
            PeopleEdit::Name { who: shown(4, "ben"), name: "Old Ben".to_owned() },
        ];
        let (circle, lapsed) = Circle::of(&items, &said);
        assert_eq!((counts(&circle), lapsed), (want(&[("Ben B.", 3), ("Ann", 1), ("Old Ben", 1)]), 0));
        items.push(photo(5, &["BENJAMIN"]));
        items.remove(0);
        let (circle, lapsed) = Circle::of(&items, &said);
        assert_eq!((counts(&circle), lapsed), (want(&[("Ben B.", 3), ("Ann", 1), ("Old Ben", 1)]), 0));
        assert_eq!(circle.called("ben b.")[0].born, Some(1));
        assert_eq!(circle.called("benjamin")[0].photos.len(), 3);
        // Both are seen on one photo now: they cannot be one.
        items.push(photo(6, &["Ben", "Benjamin"]));
        let (circle, lapsed) = Circle::of(&items, &said);
        assert_eq!(lapsed, 1, "{:?}", counts(&circle));
    }

    #[test]
    fn whoever_is_like_those_who_were_parted_is_theirs_until_that_is_taken_back() {
        let apart = PeopleEdit::Apart { shown: vec![shown(3, "#p")], from: shown(1, "#p") };
        let split = apart.split().unwrap();
        let said = [apart, PeopleEdit::Name { who: shown(3, "#p"), name: "Old Ben".to_owned() }];
        let name = PeopleEdit::Name { who: shown(1, "#p"), name: "Ben".to_owned() };
        // Photos by number, with the marks of their faces.
        let circle = |marks: &[(u8, &str)], said: &[PeopleEdit]| {
            let (mut faces, mut whose) = (BTreeMap::<u8, Vec<_>>::new(), HashMap::new());
            for (place, (number, mark)) in marks.iter().enumerate() {
                let face = photovault_domain::Face { id: Some(format!("f{place}")), ..photovault_domain::Face::default() };
                whose.insert(format!("f{place}"), (*mark).to_owned());
                faces.entry(*number).or_default().push(face);
            }
            let tagged = |(number, faces): (u8, Vec<photovault_domain::Face>)| {
                let tags = Tags { faces: Some(faces), ..Tags::default() };
                Media { tags: Some(Box::new(tags)), ..photo(number, &[]) }
            };
            let items: Vec<Media> = faces.into_iter().map(tagged).collect();
            let said: Vec<PeopleEdit> = [&name].into_iter().chain(said).cloned().collect();
            let (circle, lapsed) = Circle::with_faces(&items, &whose, &said);
            (counts(&circle), lapsed)
        };
        let before = [(1, "p"), (2, "p"), (3, "p")];
        assert_eq!(circle(&before, &said), (want(&[("Ben", 2), ("Old Ben", 1)]), 0));
        // The recogniser was told, and took the fourth for whom was parted; both are on the fifth.
        let parted = format!("p:{split}");
        let after = [(1, "p"), (2, "p"), (3, &*parted), (4, &*parted), (5, &*parted), (5, "p")];
        assert_eq!(circle(&after, &said), (want(&[("Ben", 3), ("Old Ben", 3)]), 0));
        // When the parted one's photo goes, what was said of it holds for those who are like it, and is nobody else's.
        assert_eq!(circle(&after[..2], &said), (want(&[("Ben", 2)]), 2));
        assert_eq!(circle(&[(1, "p"), (2, "p"), (4, &*parted)], &said), (want(&[("Ben", 2), ("Old Ben", 1)]), 0));
        // Taken back, all are one; nobody is twice on one photo.
        assert_eq!(circle(&after[..4], &[]), (want(&[("Ben", 4)]), 0));
        assert_eq!(circle(&after, &[]), (want(&[("Ben", 5)]), 0));
        // A second split of those hangs on the marks that they had then.
        let again = PeopleEdit::Apart { shown: vec![shown(4, &format!("#{parted}"))], from: shown(3, &format!("#{parted}")) };
        let twice = format!("{parted}:{}", again.split().unwrap());
        let said =
            [&said[..], &[again, PeopleEdit::Name { who: shown(4, &format!("#{parted}")), name: "Uncle".to_owned() }]].concat();
        let third = [(1, "p"), (2, "p"), (3, &*parted), (4, &*twice), (6, &*twice)];
        assert_eq!(circle(&third, &said), (want(&[("Ben", 2), ("Uncle", 2), ("Old Ben", 1)]), 0));
    }
}
