//! What a user says about people, told to the recogniser: whoever a split parts is a person of their own there too, and late photos join whom
//! they resemble.
//!
//! The journal is what counts. Before faces are looked for, what was told is brought in accord with it, if anybody has said anything since: so a
//! split is told when it first matters, by whoever looks, and one that was taken back is untold in the same way. Whom it may be about is written
//! first, each step before the recogniser is told of it, and last that all is done: who dies in between is made up for by the next photo.

use std::{collections::BTreeMap, slice::from_ref};

use anyhow::bail;
use futures::future::try_join_all;
use photovault_domain::{PeopleEdit, Shown, UserId, is_mark_of, mark_by, mark_in, origin_of, splits_in, splits_of};
use photovault_vault::{Asked, KnownFace, KnownPerson, Vault, seams::Written};

use super::MAX_CONFLICTS;

/// Faces that are read at once, and moved in one transaction.
const TOGETHER: usize = 40;

/// Brings the recogniser in accord with what a user said; gives the splits that hold, in their order.
pub(super) async fn heed(vault: &Vault, user: &UserId) -> anyhow::Result<Asked<Vec<String>>> {
    let Some(word) = vault.last_word(user).await? else { return Ok(Asked::Seen(Vec::new())) };
    let mut heeded = vault.faces.heeded(user).await?;
    if heeded.word == Some(word) {
        return Ok(Asked::Seen(heeded.splits));
    }
    let said: Vec<PeopleEdit> = vault.people_said.lines(user).await?.concat();
    let splits = splits_in(&said);
    let parted: Vec<(String, Vec<&Shown>)> = said.iter().filter_map(|edit| Some((edit.split()?, marked(edit)))).collect();
    let marks = parted.iter().flat_map(|(_, shown)| shown).filter_map(|shown| mark_in(&shown.word));
    let known = heeded.origins.len();
    heeded.origins.extend(marks.map(|mark| origin_of(mark).to_owned()));
    if heeded.origins.len() > known {
        if vault.faces.keep_heeded(user, &heeded).await? == Written::Conflict {
            bail!("another heeds what {user} said");
        }
        heeded.version += 1;
    }
    for person in persons(vault, user, &heeded.origins).await? {
        let (from, to) = (&person.person, mark_by(&splits, &person.person, None));
        let faces: Vec<String> = person.told.iter().chain(&person.untold).map(|(face, _)| face.clone()).collect();
        transfer(vault, user, &faces, from, &to).await?;
    }
    for (split, shown) in &parted {
        part(vault, user, &splits, shown, split).await?;
    }
    let persons = persons(vault, user, &heeded.origins).await?;
    // All of these first: the recogniser takes no face for a person while another has it.
    for person in &persons {
        if let Asked::Deferred(why) | Asked::Untaken(why) = tell_parted(vault, user, &person.person).await? {
            return Ok(Asked::Deferred(why));
        }
    }
    for person in &persons {
        if let Asked::Deferred(why) | Asked::Untaken(why) = tell(vault, user, &person.person).await? {
            return Ok(Asked::Deferred(why));
        }
    }
    (heeded.word, heeded.splits) = (Some(word), splits);
    // Where another was faster, it has done the same.
    vault.faces.keep_heeded(user, &heeded).await?;
    Ok(Asked::Seen(heeded.splits))
}

/// Whom a split parts by the marks of a recogniser: names in files are no concern of it.
fn marked(edit: &PeopleEdit) -> Vec<&Shown> {
    match edit {
        PeopleEdit::Apart { shown, .. } => shown.iter().filter(|shown| mark_in(&shown.word).is_some()).collect(),
        _ => Vec::new(),
    }
}

/// Everybody who was ever parted from somebody, or somebody from them.
async fn persons(vault: &Vault, user: &UserId, origins: impl IntoIterator<Item = &String>) -> anyhow::Result<Vec<KnownPerson>> {
    let mut persons = Vec::new();
    for origin in origins {
        persons.extend(vault.faces.persons_of(user, origin).await?);
    }
    Ok(persons)
}

/// Gives the faces that a split is about to the person whom it makes.
async fn part(vault: &Vault, user: &UserId, splits: &[String], shown: &[&Shown], split: &str) -> anyhow::Result<()> {
    let mut of: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for shown in shown.chunks(TOGETHER) {
        let faces = try_join_all(shown.iter().map(|shown| face_of(vault, user, splits, shown))).await?;
        for (face, person) in faces.into_iter().flatten() {
            of.entry(person).or_default().push(face);
        }
    }
    for (from, faces) in &of {
        transfer(vault, user, faces, from, &mark_by(splits, from, Some(split))).await?;
    }
    Ok(())
}

/// The face on a photo for which a word stands, or stood before it was parted; and whose it is.
async fn face_of(vault: &Vault, user: &UserId, splits: &[String], shown: &Shown) -> anyhow::Result<Option<(String, String)>> {
    let mut found = Vec::new();
    for id in vault.faces.indexed(user, &shown.media).await?.into_iter().flatten().filter_map(|face| face.id) {
        found.extend(vault.faces.face(user, &id).await?.and_then(|known| Some((known.face, known.person?))));
    }
    let mark = mark_in(&shown.word).unwrap_or_default();
    found.retain(|(_, person)| is_mark_of(&mark_by(splits, person, None), mark));
    Ok(found.into_iter().min_by_key(|(_, person)| splits_of(person).count()))
}

/// Makes faces of one person another's, as far as they are still theirs.
async fn transfer(vault: &Vault, user: &UserId, faces: &[String], from: &str, to: &str) -> anyhow::Result<()> {
    if from == to {
        return Ok(());
    }
    'parts: for part in faces.chunks(TOGETHER) {
        for _ in 0..MAX_CONFLICTS {
            let rows = try_join_all(part.iter().map(|face| vault.faces.face(user, face))).await?;
            let mut rows: Vec<KnownFace> = rows.into_iter().flatten().collect();
            rows.retain(|row| row.person.as_deref() == Some(from));
            if rows.is_empty() {
                continue 'parts;
            }
            let mut loser = vault.faces.person(user, from).await?.unwrap_or_default();
            let mut gainer = vault.faces.person(user, to).await?.unwrap_or_default();
            (loser.person, gainer.person) = (from.to_owned(), to.to_owned());
            for row in &mut rows {
                row.person = Some(to.to_owned());
                loser.loses(&row.face);
                gainer.gains(&row.face, row.day);
            }
            if vault.faces.write(user, &rows, &[loser, gainer]).await? == Written::Yes {
                continue 'parts;
            }
        }
        bail!("others placed faces first {MAX_CONFLICTS} times");
    }
    Ok(())
}

/// Tells the recogniser which faces are a person's no more; why not, where the account is refused.
async fn tell_parted(vault: &Vault, user: &UserId, person: &str) -> anyhow::Result<Asked<()>> {
    for _ in 0..MAX_CONFLICTS {
        let Some(known) = vault.faces.person(user, person).await?.filter(|known| !known.parted.is_empty()) else {
            return Ok(Asked::Seen(()));
        };
        let told = vault.recogniser.part(user, person, &known.parted).await?;
        if told != Asked::Seen(()) {
            return Ok(told);
        }
        // Until that is written nobody tells of them again: they would be parted once more.
        vault.faces.write(user, &[], &[KnownPerson { parted: Vec::new(), ..known }]).await?;
    }
    bail!("others placed faces first {MAX_CONFLICTS} times")
}

/// Tells the recogniser what it is still to be told of a person; why not, where the month has no pictures left.
pub(super) async fn tell(vault: &Vault, user: &UserId, person: &str) -> anyhow::Result<Asked<()>> {
    let Some(known) = vault.faces.person(user, person).await?.filter(|known| !known.untold.is_empty()) else {
        return Ok(Asked::Seen(()));
    };
    let faces: Vec<String> = known.untold.iter().map(|(face, _)| face.clone()).collect();
    let answer = vault.recogniser.associate(user, person, &faces).await?;
    if answer == Asked::Seen(()) {
        let told = known.told.into_iter().chain(known.untold).collect();
        let next = KnownPerson { told, untold: Vec::new(), ..known };
        // Where another wrote in between, its next visit tells again: that is the same once more.
        vault.faces.write(user, &[], from_ref(&next)).await?;
    }
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use photovault_domain::State;
    use photovault_sim::{Fabric, Fault, person_in};
    use photovault_vault::circle_of;

    use super::*;
    use crate::{
        people::tests::{PEOPLE, library, with_people},
        tests::{bytes, id, tag, user, watched},
    };

    /// Photos of one of the three people.
    fn of(person: u8, count: usize) -> Vec<u8> {
        with_people(200).into_iter().filter(|number| person_in(&bytes(*number)) == person).take(count).collect()
    }

    /// Whose the face of each photo is.
    async fn whose(vault: &Vault, numbers: &[u8]) -> BTreeMap<u8, Option<String>> {
        let whose = vault.faces.whose(&user()).await.unwrap();
        let mut of = BTreeMap::new();
        for number in numbers {
            let face = vault.faces.indexed(&user(), &id(*number)).await.unwrap().and_then(|faces| faces[0].id.clone());
            of.insert(*number, face.and_then(|face| whose.get(&face).cloned()));
        }
        of
    }

    /// Five photos of Ann are known, and two of Ben, who was taken for her.
    async fn confused(ann: &[u8], ben: &[u8]) -> (Fabric, Vault, String) {
        let fabric = watched();
        let vault = fabric.recognising(PEOPLE);
        library(&fabric, &vault, &[ann, ben].concat()).await;
        for number in ben[..2].iter().chain(&ann[..4]) {
            tag(&vault, *number).await.unwrap();
        }
        let mark = whose(&vault, ann).await[&ann[0]].clone().unwrap();
        let mut row = vault.faces.person(&user(), &mark).await.unwrap().unwrap();
        let mut faces: Vec<KnownFace> = Vec::new();
        for number in &ben[..2] {
            let face = vault.faces.indexed(&user(), &id(*number)).await.unwrap().unwrap()[0].id.clone().unwrap();
            let known = vault.faces.face(&user(), &face).await.unwrap().unwrap();
            assert_eq!(known.person, None, "two are too few");
            row.gains(&face, known.day);
            faces.push(KnownFace { person: Some(mark.clone()), ..known });
        }
        assert_eq!(vault.faces.write(&user(), &faces, &[row]).await.unwrap(), Written::Yes);
        tag(&vault, ann[4]).await.unwrap();
        (fabric, vault, mark)
    }

    /// Says that the first two of Ben are not Ann.
    async fn say(vault: &Vault, ann: &[u8], ben: &[u8], mark: &str) -> String {
        let shown = |number: u8| Shown { media: id(number), word: format!("#{mark}") };
        let apart = PeopleEdit::Apart { shown: vec![shown(ben[0]), shown(ben[1])], from: shown(ann[0]) };
        let split = apart.split().unwrap();
        let name = PeopleEdit::Name { who: shown(ben[0]), name: "Ben".to_owned() };
        let (mut circle, _) = circle_of(vault, &user()).await.unwrap();
        circle.say(&apart).unwrap();
        vault.people_said.add(&user(), vec![apart, name]).await.unwrap();
        format!("{mark}:{split}")
    }

    async fn counts(vault: &Vault) -> Vec<(String, usize)> {
        let (circle, lapsed) = circle_of(vault, &user()).await.unwrap();
        assert_eq!(lapsed, 0);
        circle.persons().into_iter().map(|person| (person.name.unwrap_or_default(), person.photos.len())).collect()
    }

    /// The numbers of the photos whose faces the recogniser knows of each person.
    async fn told(fabric: &Fabric, vault: &Vault, numbers: &[u8]) -> BTreeMap<String, BTreeSet<u8>> {
        let mut of: BTreeMap<String, u8> = BTreeMap::new();
        for number in numbers {
            let faces = vault.faces.indexed(&user(), &id(*number)).await.unwrap().unwrap_or_default();
            of.extend(faces.into_iter().filter_map(|face| Some((face.id?, *number))));
        }
        let persons = fabric.world().collections["vault.ann"].persons.clone();
        let numbers = |told: BTreeSet<String>| told.iter().filter_map(|face| of.get(face).copied()).collect::<BTreeSet<u8>>();
        persons.into_iter().map(|(person, told)| (person, numbers(told))).filter(|(_, told)| !told.is_empty()).collect()
    }

    /// Tags a photo, with a fault at one of the calls, until it is done; whether it came to that.
    async fn tag_with(fabric: &Fabric, vault: &Vault, number: u8, at: usize, fault: Fault) -> bool {
        fabric.world().faults = std::iter::repeat_n(None, at).chain([Some(fault)]).collect();
        let mut tries = 0;
        while !matches!(tag(vault, number).await, Ok(media) if media.ledger[&photovault_domain::Stage::Tag].state == State::Done)
        {
            tries += 1;
            assert!(tries < 5, "{fault:?} at {at}");
        }
        std::mem::take(&mut fabric.world().faults).is_empty()
    }

    #[tokio::test]
    async fn without_a_word_late_photos_go_on_joining_whom_they_were_taken_for() {
        let (ann, ben) = (of(0, 6), of(1, 3));
        let (_, vault, mark) = confused(&ann, &ben).await;
        tag(&vault, ben[2]).await.unwrap();
        assert_eq!(whose(&vault, &ben).await[&ben[2]].as_deref(), Some(mark.as_str()));
    }

    #[tokio::test]
    async fn late_photos_join_whom_a_split_parted_until_it_is_taken_back_whatever_call_fails() {
        let (ann, ben) = (of(0, 7), of(1, 5));
        let all = [&ann[..], &ben].concat();
        let mut reached = 0;
        for at in 0.. {
            let fault = if at % 2 == 0 { Fault::Before } else { Fault::After };
            let (fabric, vault, mark) = confused(&ann, &ben).await;
            let parted = say(&vault, &ann, &ben, &mark).await;
            let was_split_hurt = tag_with(&fabric, &vault, ben[2], at, fault).await;
            tag(&vault, ann[5]).await.unwrap();
            let now = whose(&vault, &all).await;
            let of_ben = |number: &u8| now[number].as_deref() == Some(parted.as_str());
            assert!(ben[..3].iter().all(of_ben) && now[&ann[5]].as_ref() == Some(&mark), "{at}: {now:?}");
            let want = BTreeMap::from([
                (mark.clone(), ann[..6].iter().copied().collect::<BTreeSet<u8>>()),
                (parted.clone(), ben[..3].iter().copied().collect()),
            ]);
            assert_eq!(told(&fabric, &vault, &all).await, want, "{at}");
            assert_eq!(counts(&vault).await, [(String::new(), 6), ("Ben".to_owned(), 3)], "{at}");
            let (key, _) = vault.people_said.last(&user()).await.unwrap().unwrap();
            vault.people_said.take_back(&user(), &key).await.unwrap();
            assert_eq!(counts(&vault).await, [(String::new(), 9)], "{at}");
            let was_undo_hurt = tag_with(&fabric, &vault, ben[3], at, fault).await;
            tag(&vault, ann[6]).await.unwrap();
            let now = whose(&vault, &all).await;
            assert!(now[&ben[3]].as_ref() == Some(&mark) && now[&ann[6]].as_ref() == Some(&mark), "{at}: {now:?}");
            let everybody = ann.iter().chain(&ben[..4]).copied().collect();
            assert_eq!(told(&fabric, &vault, &all).await, BTreeMap::from([(mark.clone(), everybody)]), "{at}");
            assert_eq!(counts(&vault).await, [(String::new(), 11)], "{at}");
            say(&vault, &ann, &ben, &mark).await;
            tag(&vault, ben[4]).await.unwrap();
            assert_eq!(whose(&vault, &ben).await[&ben[0]].as_ref(), Some(&parted), "{at}: said again, it holds again");
            if !was_split_hurt && !was_undo_hurt {
                break;
            }
            reached = at;
        }
        assert!(reached > 40, "{reached} calls were hurt");
    }

    #[tokio::test]
    async fn what_a_month_has_no_pictures_for_is_told_in_another() {
        let (ann, ben) = (of(0, 6), of(1, 3));
        let (fabric, vault, mark) = confused(&ann, &ben).await;
        let parted = say(&vault, &ann, &ben, &mark).await;
        let used = vault.recogniser.counted(photovault_domain::UtcMs(0)).await.unwrap();
        // Enough to see the photo and take its face in, and not to tell of Ben.
        let poor = fabric.recognising(photovault_domain::Recognising { monthly_images: used + 2, ..PEOPLE });
        let media = tag(&poor, ben[2]).await.unwrap();
        let reason = media.ledger[&photovault_domain::Stage::Tag].reason.clone().unwrap();
        assert!(reason.starts_with("deferred") && whose(&vault, &ben).await[&ben[2]].is_none(), "{reason}");
        tag(&vault, ann[5]).await.unwrap();
        let again =
            |item: Option<photovault_domain::Media>| photovault_vault::Change::asked_again(item, photovault_domain::Stage::Tag);
        vault.catalog.change(&user(), &id(ben[2]), again).await.unwrap();
        tag(&vault, ben[2]).await.unwrap();
        assert_eq!(whose(&vault, &ben).await[&ben[2]].as_ref(), Some(&parted));
    }
}
