//! Whose the faces of a photo are. Each face is taken into its user's collection once; then the recogniser says whom it resembles, persons
//! first, and [`place`] decides. Faces and person are written in one transaction over the versions that it was decided from.
//!
//! Before that the recogniser is told what its user has said since ([`splits`]).

mod splits;

use std::slice::from_ref;

use anyhow::bail;
use photovault_domain::{DAY_MS, Face, Media, MediaId, UserId, mark_by, origin_of};
use photovault_insight::people::{Alike, Arrival, Placement, SURE_PERCENT, place};
use photovault_vault::{Asked, KnownFace, Vault, seams::Written};

use splits::{heed, tell};

/// Faces of one photo that are looked for, the largest: who stands in a crowd is nobody's.
const MOST_FACES: usize = 10;
/// How often a decision is made anew when another came first.
const MAX_CONFLICTS: u32 = 20;

/// The faces of a photo, taken into its user's collection now or before.
pub(crate) async fn faces(vault: &Vault, media: &Media, picture: &str) -> anyhow::Result<Asked<Vec<Face>>> {
    if let Some(faces) = vault.faces.indexed(&media.user, &media.id).await? {
        return Ok(Asked::Seen(faces));
    }
    Ok(match vault.recogniser.take_in(&media.user, &media.id, picture).await? {
        Asked::Seen(faces) => Asked::Seen(vault.faces.keep_indexed(&media.user, &media.id, faces).await?),
        other => other,
    })
}

/// Places those faces that are nobody's yet, as far as the month has pictures left.
pub(crate) async fn recognise(vault: &Vault, media: &Media, faces: &[Face]) -> anyhow::Result<Asked<()>> {
    let user = &media.user;
    let splits = match heed(vault, user).await? {
        Asked::Seen(splits) => splits,
        other => return Ok(other.map(|_| ())),
    };
    let ids: Vec<&str> = faces.iter().filter_map(|face| face.id.as_deref()).take(MOST_FACES).collect();
    for face in &ids {
        let known = vault.faces.face(user, face).await?;
        let person = match known.and_then(|known| known.person) {
            // Who died before the recogniser was told is made up for.
            Some(person) => Some(mark_by(&splits, &person, None)),
            None => match search(vault, media, face, &splits).await? {
                Asked::Seen((persons, alike)) => settle(vault, media, face, &splits, &persons, &alike).await?,
                other => return Ok(other.map(|_| ())),
            },
        };
        if let Some(person) = person {
            match tell(vault, user, &person).await? {
                Asked::Seen(()) => {}
                other => return Ok(other),
            }
        }
    }
    Ok(Asked::Seen(()))
}

/// Somebody or something that a face is like, with the percent.
type Likeness = (String, u8);

/// Persons whom a face is like, and faces where none of these is sure.
async fn search(
    vault: &Vault,
    media: &Media,
    face: &str,
    splits: &[String],
) -> anyhow::Result<Asked<(Vec<Likeness>, Vec<Likeness>)>> {
    let mut persons = match vault.recogniser.persons_like(&media.user, face).await? {
        Asked::Seen(persons) => persons,
        other => return Ok(other.map(|persons| (persons, Vec::new()))),
    };
    for (person, _) in &mut persons {
        *person = mark_by(splits, person, None);
    }
    let here = on(vault, &media.user, &media.id, splits).await?;
    if persons.iter().any(|(person, percent)| *percent >= SURE_PERCENT && !here.contains(person)) {
        // Whom a person tells of needs no faces: that is a request less.
        return Ok(Asked::Seen((persons, Vec::new())));
    }
    let alike = vault.recogniser.faces_like(&media.user, face).await?;
    Ok(alike.map(|alike| (persons, alike)))
}

/// Decides whose a face is and writes it down; gives the person.
async fn settle(
    vault: &Vault,
    media: &Media,
    face: &str,
    splits: &[String],
    persons: &[Likeness],
    alike: &[Likeness],
) -> anyhow::Result<Option<String>> {
    let (user, day) = (&media.user, media.taken().at.0.div_euclid(DAY_MS) as i32);
    for _ in 0..MAX_CONFLICTS {
        let known = vault.faces.face(user, face).await?;
        let (arrival, rows) = gather(vault, media, splits, persons, alike).await?;
        let (person, along) = match place(&arrival) {
            Placement::Joins(person, along) => (Some(person), along),
            Placement::Founds(along) => (Some(face.to_owned()), along),
            Placement::Waits => (None, Vec::new()),
        };
        let mut faces: Vec<KnownFace> = rows.into_iter().filter(|row| along.contains(&row.face)).collect();
        let new = KnownFace { face: face.to_owned(), media: media.id.clone(), day, person: None, version: 0 };
        faces.push(known.unwrap_or(new));
        for row in &mut faces {
            row.person.clone_from(&person);
        }
        let Some(person) = person else {
            if vault.faces.write(user, &faces, &[]).await? == Written::Yes {
                return Ok(None);
            }
            continue;
        };
        let mut row = vault.faces.person(user, &person).await?.unwrap_or_default();
        row.person.clone_from(&person);
        for face in &faces {
            row.gains(&face.face, face.day);
        }
        if vault.faces.write(user, &faces, from_ref(&row)).await? == Written::Yes {
            return Ok(Some(person));
        }
    }
    bail!("others placed faces first {MAX_CONFLICTS} times")
}

/// What the catalog knows of those whom a face resembles; what it does not know counts for nothing.
async fn gather(
    vault: &Vault,
    media: &Media,
    splits: &[String],
    persons: &[Likeness],
    alike: &[Likeness],
) -> anyhow::Result<(Arrival, Vec<KnownFace>)> {
    let user = &media.user;
    let mut arrival = Arrival { persons: persons.to_vec(), not: on(vault, user, &media.id, splits).await?, ..Arrival::default() };
    let mut rows = Vec::new();
    for (other, percent) in alike.iter().filter(|(_, percent)| *percent >= SURE_PERCENT) {
        let row = vault.faces.face(user, other).await?;
        let Some(row) = row.filter(|row| row.media != media.id) else { continue };
        let person = row.person.as_deref().map(|person| mark_by(splits, person, None));
        let mut beside = if person.is_none() { on(vault, user, &row.media, splits).await? } else { Vec::new() };
        // A photo on which somebody else was said to be is not theirs from whom they were parted.
        beside.extend(beside.iter().map(|mark| origin_of(mark).to_owned()).collect::<Vec<_>>());
        arrival.alike.push(Alike { face: other.clone(), photo: row.media.to_string(), percent: *percent, person, beside });
        rows.push(row);
    }
    Ok((arrival, rows))
}

/// Who is known to be on a photo.
async fn on(vault: &Vault, user: &UserId, media: &MediaId, splits: &[String]) -> anyhow::Result<Vec<String>> {
    let mut persons = Vec::new();
    for face in vault.faces.indexed(user, media).await?.unwrap_or_default().iter().take(MOST_FACES) {
        let Some(id) = &face.id else { continue };
        let person = vault.faces.face(user, id).await?.and_then(|known| known.person);
        persons.extend(person.map(|person| mark_by(splits, &person, None)));
    }
    Ok(persons)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use photovault_domain::{Recognise, Recognising, Sought, Stage, State};
    use photovault_insight::people::Circle;
    use photovault_sim::{Fabric, Fault, labels_in, person_in};
    use photovault_vault::Change;

    use super::*;
    use crate::tests::{bytes, id, keep, photo, tag, user, watched};

    pub(super) const PEOPLE: Recognising =
        Recognising { sought: Sought { what: Recognise::People, text: false, moderation: false }, monthly_images: 1000 };

    /// Photos that show somebody, each far from the next one in time.
    pub(super) fn with_people(count: usize) -> Vec<u8> {
        (1..=255).filter(|number| labels_in(&bytes(*number)).len() > 1).take(count).collect()
    }

    pub(super) async fn library(fabric: &Fabric, vault: &Vault, numbers: &[u8]) {
        let photos = numbers.iter().map(|number| photo(*number, i64::from(*number) * 90_000_000, *number));
        keep(fabric, vault, photos.collect()).await;
    }

    /// The photos of each person that is known, by who they are in truth.
    async fn found(vault: &Vault, numbers: &[u8]) -> BTreeMap<u8, BTreeSet<Option<String>>> {
        let whose = vault.faces.whose(&user()).await.unwrap();
        let mut found: BTreeMap<u8, BTreeSet<Option<String>>> = BTreeMap::new();
        for number in numbers {
            let media = vault.catalog.media(&user(), &id(*number)).await.unwrap().unwrap();
            for face in media.tags.iter().flat_map(|tags| tags.faces.iter().flatten()) {
                let person = whose.get(face.id.as_ref().unwrap()).cloned();
                found.entry(person_in(&bytes(*number))).or_default().insert(person);
            }
        }
        found
    }

    #[tokio::test]
    async fn faces_become_people_each_user_for_themselves() {
        let fabric = watched();
        let vault = fabric.recognising(PEOPLE);
        let numbers = with_people(30);
        library(&fabric, &vault, &numbers).await;
        for number in &numbers {
            let media = tag(&vault, *number).await.unwrap();
            assert_eq!((media.ledger[&Stage::Tag].state, &media.ledger[&Stage::Tag].reason), (State::Done, &None));
        }
        let found = found(&vault, &numbers).await;
        let persons: BTreeSet<&Option<String>> = found.values().flatten().collect();
        assert!(found.len() == 3 && persons.len() == 3 && !persons.contains(&None), "{found:?}");
        // Each face was taken in once, and the recogniser was told of each person.
        let collection = fabric.world().collections["vault.ann"].clone();
        assert_eq!((collection.faces.len(), collection.persons.len()), (30, 3));
        let bob: UserId = "bob".parse().unwrap();
        let face = collection.faces.keys().next().unwrap();
        assert_eq!(vault.recogniser.persons_like(&bob, face).await.unwrap(), Asked::Seen(vec![]));
        assert!(vault.faces.whose(&bob).await.unwrap().is_empty());
        // They are people whom somebody can name.
        let items = vault.catalog.list(&user(), "", None, 100).await.unwrap().items;
        let circle = Circle::with_faces(&items, &vault.faces.whose(&user()).await.unwrap(), &[]).0;
        assert_eq!(circle.persons().iter().map(|person| person.photos.len()).sum::<usize>(), 30);
        // Four are looked at to find somebody, labels, faces, persons and faces like them; of later ones no faces like them.
        assert!(vault.recogniser.counted(photovault_domain::UtcMs(0)).await.unwrap() < 30 * 4 + 3 * 4);
    }

    #[tokio::test]
    async fn a_month_without_pictures_defers_and_another_one_goes_on() {
        let fabric = watched();
        let numbers = with_people(12);
        let vault = fabric.recognising(Recognising { monthly_images: 9, ..PEOPLE });
        library(&fabric, &vault, &numbers).await;
        for number in &numbers {
            tag(&vault, *number).await.unwrap();
        }
        assert_eq!(vault.recogniser.deferred(None, 100).await.unwrap().items.len(), 10, "two and a half were looked at");
        let vault = fabric.recognising(PEOPLE);
        for number in &numbers {
            let again = |item: Option<Media>| Change::asked_again(item, Stage::Tag);
            vault.catalog.change(&user(), &id(*number), again).await.unwrap();
            tag(&vault, *number).await.unwrap();
        }
        assert_eq!(fabric.world().collections["vault.ann"].faces.len(), 12, "each was taken in once");
        let found = found(&vault, &numbers).await;
        assert!(found.values().all(|persons| persons.len() == 1), "{found:?}");
    }

    #[tokio::test]
    async fn a_fault_at_any_call_leaves_everybody_who_they_are() {
        let numbers: Vec<u8> = with_people(60).into_iter().filter(|number| person_in(&bytes(*number)) == 0).take(5).collect();
        for at in 0..24 {
            for fault in [Fault::Before, Fault::After] {
                let fabric = watched();
                let vault = fabric.recognising(PEOPLE);
                library(&fabric, &vault, &numbers).await;
                for (place, number) in numbers.iter().enumerate() {
                    // The fourth founds a person, and the fifth joins them.
                    if place >= 3 {
                        fabric.world().faults = std::iter::repeat_n(None, at).chain([Some(fault)]).collect();
                    }
                    let mut tries = 0;
                    while !matches!(tag(&vault, *number).await, Ok(media) if media.ledger[&Stage::Tag].state == State::Done) {
                        tries += 1;
                        assert!(tries < 5, "{fault:?} at {at}");
                    }
                    fabric.world().faults.clear();
                }
                let persons = &found(&vault, &numbers).await[&0];
                assert!(persons.len() == 1 && !persons.contains(&None), "{fault:?} at {at}: {persons:?}");
                let told = fabric.world().collections["vault.ann"].persons.values().map(BTreeSet::len).sum::<usize>();
                assert!(told >= 4, "{fault:?} at {at}: the recogniser was told of {told}");
            }
        }
    }
}
