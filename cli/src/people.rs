//! `photovault people`: whom photos show, as far as somebody said so. A face that was found has no name.

use std::collections::BTreeMap;

use photovault_domain::Media;
use serde_json::json;

use crate::{
    arguments::PeopleArguments,
    connection::reach,
    find::all,
    list::{print_json, short},
    table::Table,
};

/// `people`.
pub(crate) async fn run(arguments: &PeopleArguments) -> anyhow::Result<()> {
    let vault = reach(&arguments.vault).await?.vault;
    let shows = |media: &Media| match &arguments.name {
        Some(name) => names(media).any(|other| other.eq_ignore_ascii_case(name)),
        None => names(media).next().is_some() || faces(media) > 0,
    };
    let mut items = all(&vault, &arguments.vault.user, usize::MAX, shows).await?;
    items.sort_by(|one, other| one.taken().at.cmp(&other.taken().at).then_with(|| one.id.cmp(&other.id)));
    if arguments.name.is_some() {
        photos(&items, arguments.vault.json);
        return Ok(());
    }
    let people = counted(&items);
    let (found, with_faces) = (items.iter().map(faces).sum::<usize>(), items.iter().filter(|media| faces(media) > 0).count());
    if arguments.vault.json {
        for (name, photos) in people {
            println!("{}", json!({"name": name, "photos": photos}));
        }
        println!("{}", json!({"name": null, "faces": found, "photos": with_faces}));
        return Ok(());
    }
    let mut table = Table::new(&["name", "photos"]);
    for (name, photos) in people {
        table.row(vec![name, photos.to_string()]);
    }
    table.print();
    eprintln!(
        "{found} faces found on {with_faces} photos. Names are those that somebody marked in the files; nobody is recognised."
    );
    Ok(())
}

fn photos(items: &[Media], json: bool) {
    if json {
        return print_json(items);
    }
    let mut table = Table::new(&["media", "captured", "name"]);
    for media in items {
        let captured = media.facts.as_ref().and_then(|facts| facts.captured.as_ref());
        let local = captured.map(|captured| captured.local.replace('T', " ")).unwrap_or_default();
        table.row(vec![short(media), local, media.name().to_owned()]);
    }
    table.print();
}

/// Photos of each name, the most frequent first; spellings that differ in upper and lower case are one name.
fn counted(items: &[Media]) -> Vec<(String, usize)> {
    let mut photos: BTreeMap<String, (String, usize)> = BTreeMap::new();
    for media in items {
        let of_photo: BTreeMap<String, &str> = names(media).map(|name| (name.to_lowercase(), name)).collect();
        for (key, name) in of_photo {
            photos.entry(key).or_insert_with(|| (name.to_owned(), 0)).1 += 1;
        }
    }
    let mut people: Vec<_> = photos.into_values().collect();
    people.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
    people
}

/// Who is marked by name. Areas of other kinds, such as pets, have names too.
fn names(media: &Media) -> impl Iterator<Item = &str> {
    let regions = media.facts.iter().flat_map(|facts| &facts.regions);
    regions.filter(|region| region.kind.as_deref() == Some("Face")).filter_map(|region| region.name.as_deref())
}

/// Faces that a recogniser found.
fn faces(media: &Media) -> usize {
    media.tags.iter().filter_map(|tags| tags.faces.as_ref()).map(Vec::len).sum()
}

#[cfg(test)]
mod tests {
    use photovault_domain::{Face, Facts, MediaId, Region, Sha256, Tags, UtcMs};

    use super::*;

    fn photo(number: u8, names: &[(&str, &str)], found: usize) -> Media {
        let region = |(name, kind): &(&str, &str)| Region {
            name: Some((*name).to_owned()),
            kind: Some((*kind).to_owned()),
            ..Region::default()
        };
        let user: photovault_domain::UserId = "ann".parse().unwrap();
        let id = MediaId::of_bytes(&user, &Sha256::from_digest([number; 32]));
        let facts = Facts { regions: names.iter().map(region).collect(), ..Facts::default() };
        let tags = Tags { faces: Some(vec![Face::default(); found]), ..Tags::default() };
        Media { facts: Some(Box::new(facts)), tags: Some(Box::new(tags)), ..Media::new(user, id, UtcMs(0)) }
    }

    #[test]
    fn names_are_counted_by_photo_and_pets_are_not_people() {
        let items = [
            photo(1, &[("Ben", "Face"), ("ben", "Face"), ("Rex", "Pet")], 2),
            photo(2, &[("BEN", "Face"), ("Ann", "Face")], 1),
            photo(3, &[], 0),
        ];
        let ben_first: Vec<_> = counted(&items).into_iter().map(|(name, photos)| (name.to_lowercase(), photos)).collect();
        assert_eq!(ben_first, [("ben".to_owned(), 2), ("ann".to_owned(), 1)]);
        assert_eq!(items.iter().map(faces).sum::<usize>(), 3);
    }
}
