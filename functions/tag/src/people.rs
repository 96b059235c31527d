//! Whose the faces of a photo are. Each face is taken into its user's collection once; then the recogniser says whom it resembles, persons
//! first, and [`place`] decides. Faces and person are written in one transaction over the versions that it was decided from.

use anyhow::bail;
use photovault_domain::{Face, Media, MediaId, UserId};
use photovault_insight::people::{Alike, Arrival, Placement, SURE_PERCENT, is_telling, place};
use photovault_vault::{Asked, KnownFace, KnownPerson, Vault, seams::Written};

const DAY_MS: i64 = 86_400_000;
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

/// Places those faces that are nobody's yet; why not, in plain words, where the month has no pictures left.
pub(crate) async fn recognise(vault: &Vault, media: &Media, faces: &[Face]) -> anyhow::Result<Option<String>> {
    let user = &media.user;
    let ids: Vec<&str> = faces.iter().filter_map(|face| face.id.as_deref()).take(MOST_FACES).collect();
    for face in &ids {
        let known = vault.faces.face(user, face).await?;
        if let Some(person) = known.and_then(|known| known.person) {
            // Who died before the recogniser was told is made up for.
            if let Some(why) = tell(vault, user, &person).await? {
                return Ok(Some(why));
            }
            continue;
        }
        let persons = match vault.recogniser.persons_like(user, face).await? {
            Asked::Seen(persons) => persons,
            Asked::Deferred(why) | Asked::Untaken(why) => return Ok(Some(why)),
        };
        let here = on(vault, user, &media.id).await?;
        let is_sure = persons.iter().any(|(person, percent)| *percent >= SURE_PERCENT && !here.contains(person));
        // Whom a person tells of needs no faces: that is a request less.
        let asked = if is_sure { Asked::Seen(Vec::new()) } else { vault.recogniser.faces_like(user, face).await? };
        let alike = match asked {
            Asked::Seen(alike) => alike,
            Asked::Deferred(why) | Asked::Untaken(why) => return Ok(Some(why)),
        };
        let person = settle(vault, media, face, &persons, &alike).await?;
        if let Some(person) = person
            && let Some(why) = tell(vault, user, &person).await?
        {
            return Ok(Some(why));
        }
    }
    Ok(None)
}

/// Decides whose a face is and writes it down; gives the person.
async fn settle(
    vault: &Vault,
    media: &Media,
    face: &str,
    persons: &[(String, u8)],
    alike: &[(String, u8)],
) -> anyhow::Result<Option<String>> {
    let (user, day) = (&media.user, media.taken().at.0.div_euclid(DAY_MS) as i32);
    for _ in 0..MAX_CONFLICTS {
        let known = vault.faces.face(user, face).await?;
        let (arrival, rows) = gather(vault, media, persons, alike).await?;
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
            if vault.faces.write(user, &faces, None).await? == Written::Yes {
                return Ok(None);
            }
            continue;
        };
        let mut row = vault.faces.person(user, &person).await?.unwrap_or_default();
        row.person.clone_from(&person);
        for face in &faces {
            let days: Vec<i32> = row.told.iter().chain(&row.untold).map(|(_, day)| *day).collect();
            if is_telling(&days, face.day) {
                row.untold.push((face.face.clone(), face.day));
            }
        }
        if vault.faces.write(user, &faces, Some(&row)).await? == Written::Yes {
            return Ok(Some(person));
        }
    }
    bail!("others placed faces first {MAX_CONFLICTS} times")
}

/// What the catalog knows of those whom a face resembles; what it does not know counts for nothing.
async fn gather(
    vault: &Vault,
    media: &Media,
    persons: &[(String, u8)],
    alike: &[(String, u8)],
) -> anyhow::Result<(Arrival, Vec<KnownFace>)> {
    let user = &media.user;
    let mut arrival = Arrival { persons: persons.to_vec(), not: on(vault, user, &media.id).await?, ..Arrival::default() };
    let mut rows = Vec::new();
    for (other, percent) in alike.iter().filter(|(_, percent)| *percent >= SURE_PERCENT) {
        let row = vault.faces.face(user, other).await?;
        let Some(row) = row.filter(|row| row.media != media.id) else { continue };
        let beside = if row.person.is_none() { on(vault, user, &row.media).await? } else { Vec::new() };
        let (photo, person) = (row.media.to_string(), row.person.clone());
        arrival.alike.push(Alike { face: other.clone(), photo, percent: *percent, person, beside });
        rows.push(row);
    }
    Ok((arrival, rows))
}

/// Who is known to be on a photo.
async fn on(vault: &Vault, user: &UserId, media: &MediaId) -> anyhow::Result<Vec<String>> {
    let mut persons = Vec::new();
    for face in vault.faces.indexed(user, media).await?.unwrap_or_default().iter().take(MOST_FACES) {
        let Some(id) = &face.id else { continue };
        persons.extend(vault.faces.face(user, id).await?.and_then(|known| known.person));
    }
    Ok(persons)
}

/// Tells the recogniser what it is still to be told of a person; why not, where the month has no pictures left.
async fn tell(vault: &Vault, user: &UserId, person: &str) -> anyhow::Result<Option<String>> {
    let Some(known) = vault.faces.person(user, person).await?.filter(|known| !known.untold.is_empty()) else { return Ok(None) };
    let faces: Vec<String> = known.untold.iter().map(|(face, _)| face.clone()).collect();
    match vault.recogniser.associate(user, person, &faces).await? {
        Asked::Seen(()) => {}
        Asked::Deferred(why) | Asked::Untaken(why) => return Ok(Some(why)),
    }
    let told = known.told.into_iter().chain(known.untold).collect();
    let next = KnownPerson { told, untold: Vec::new(), ..known };
    // Where another wrote in between, its next visit tells again: that is the same once more.
    vault.faces.write(user, &[], Some(&next)).await?;
    Ok(None)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use photovault_domain::{Recognise, Recognising, Stage, State};
    use photovault_insight::people::Circle;
    use photovault_sim::{Fabric, Fault, labels_in, person_in};
    use photovault_vault::Change;

    use super::*;
    use crate::tests::{bytes, id, keep, photo, tag, user, watched};

    const PEOPLE: Recognising = Recognising { what: Recognise::People, monthly_images: 1000 };

    /// Photos that show somebody, each far from the next one in time.
    fn with_people(count: usize) -> Vec<u8> {
        (1..=255).filter(|number| labels_in(&bytes(*number)).len() > 1).take(count).collect()
    }

    async fn library(fabric: &Fabric, vault: &Vault, numbers: &[u8]) {
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
