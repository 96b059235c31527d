//! What `photovault people` shows: everybody, or the photos of one.

use photovault_domain::{UserId, date_of_day};
use photovault_insight::people::Acquaintance;
use photovault_vault::{FacesFound, Vault, everybody as everybody_of};
use serde_json::json;

use crate::{
    bar::waiting,
    list::{print_json, short},
    table::{Table, counted},
};

pub(super) async fn everybody(vault: &Vault, user: &UserId, json: bool) -> anyhow::Result<()> {
    let (circle, lapsed, FacesFound { faces, photos: with_faces }) = waiting(everybody_of(vault, user)).await?;
    let born = |person: &Acquaintance| person.born.map(|day| date_of_day(day.into()));
    if json {
        for person in circle.persons() {
            let (words, photos, born) = (&person.words, person.photos.len(), born(&person));
            println!("{}", json!({"name": person.name, "words": words, "photos": photos, "born": born}));
        }
        println!("{}", json!({"name": null, "faces": faces, "photos": with_faces, "lapsed": lapsed}));
        return Ok(());
    }
    let is_recognised = circle.persons().iter().any(|person| person.words.iter().any(|word| word.starts_with('#')));
    let mut table = Table::new(&["name", "photos", "born", "also"]);
    for person in circle.persons() {
        let born = born(&person).unwrap_or_default();
        // Whom a recogniser found and nobody named has a mark.
        let name = person.name.or_else(|| person.words.first().cloned()).unwrap_or_default();
        let also: Vec<&str> = person.words.iter().map(String::as_str).filter(|word| *word != name.to_lowercase()).collect();
        table.row(vec![name.clone(), person.photos.len().to_string(), born, also.join(", ")]);
    }
    table.print();
    eprintln!(
        "{} found on {}. Names are those that somebody marked in the files, or gave here{}.",
        counted(faces, "face"),
        counted(with_faces, "photo"),
        if is_recognised { "; whoever has a # was found by a recogniser" } else { "; nobody is recognised" }
    );
    if lapsed > 0 {
        eprintln!("Of what was said, {} cannot be any more and does not count.", counted(lapsed, "thing"));
    }
    Ok(())
}

pub(super) async fn photos(vault: &Vault, user: &UserId, person: &Acquaintance, json: bool) -> anyhow::Result<()> {
    let mut items = Vec::new();
    for (_, id) in &person.photos {
        items.extend(vault.catalog.media(user, id).await?);
    }
    if json {
        print_json(&items);
        return Ok(());
    }
    let mut table = Table::new(&["media", "captured", "name"]);
    for media in &items {
        let captured = media.facts.as_ref().and_then(|facts| facts.captured.as_ref());
        let local = captured.map(|captured| captured.local.replace('T', " ")).unwrap_or_default();
        table.row(vec![short(media), local, media.name().to_owned()]);
    }
    table.print();
    Ok(())
}
