//! `photovault people`: whom photos show, and what somebody knows better about them.

mod list;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use photovault_domain::{PeopleEdit, Shown, UserId, date_of_day};
use photovault_insight::people::{Acquaintance, Circle};
use photovault_vault::{Vault, circle_of};
use serde_json::json;

use crate::{arguments::VaultArguments, bar::waiting, connection::reach, find::find, memories::day};

/// List whom photos show, and say who they are: names, births, who is one person and who is two.
///
/// Names come from the files and their sidecars; nobody is recognised by their face without a recogniser that tells people apart.
/// What is said is kept beside the photos, holds for those that come late, and is taken back by `undo`, the latest first.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  photovault people\n  photovault people show Ben\n  photovault people merge Ben Benjamin\n  \
    photovault people name Ben 'Ben Baker'\n  photovault people birth Ben 2015-03-09\n  \
    photovault people split Ben 3f2a 77b0 --as 'Old Ben'\n  photovault people undo\n  photovault people ls --json | jq .name"
)]
pub(crate) struct PeopleArguments {
    #[command(subcommand)]
    action: Option<PeopleAction>,
    #[command(flatten)]
    vault: VaultArguments,
}

#[derive(Debug, Subcommand)]
enum PeopleAction {
    /// List people, who is on the most photos first, and how many faces were found.
    Ls,
    /// List the photos of one of them.
    Show {
        /// A name, or the mark of somebody who has none.
        who: String,
    },
    /// Call somebody by another name.
    Name {
        /// A name, or the mark of somebody who has none.
        who: String,
        /// What they are called.
        name: String,
    },
    /// Say when somebody was born: no earlier photo shows them.
    Birth {
        /// A name, or the mark of somebody who has none.
        who: String,
        /// The day.
        #[arg(value_name = "YYYY-MM-DD", value_parser = day)]
        day: i64,
    },
    /// These are one person, who keeps the first one's name.
    Merge {
        /// A name, or the mark of somebody who has none.
        who: String,
        /// The others.
        #[arg(required = true)]
        others: Vec<String>,
    },
    /// On these photos it is somebody else, and on late ones that a recogniser takes for them.
    Split {
        /// A name, or the mark of somebody who has none.
        who: String,
        /// Ids, beginnings of ids, or uploads' names.
        #[arg(required = true)]
        media: Vec<String>,
        /// What the other is called.
        #[arg(long = "as", value_name = "NAME")]
        name: String,
    },
    /// Take back what was said last.
    Undo,
}

/// `people`.
pub(crate) async fn run(arguments: &PeopleArguments) -> anyhow::Result<()> {
    let vault = reach(&arguments.vault).await?.vault;
    let (user, json) = (&arguments.vault.user, arguments.vault.json);
    let action = arguments.action.as_ref().unwrap_or(&PeopleAction::Ls);
    match action {
        PeopleAction::Ls => return list::everybody(&vault, user, json).await,
        PeopleAction::Undo => return undo(&vault, user, json).await,
        _ => {}
    }
    let (circle, _) = waiting(circle_of(&vault, user)).await?;
    match action {
        PeopleAction::Ls | PeopleAction::Undo => Ok(()),
        PeopleAction::Show { who } => list::photos(&vault, user, &one(&circle, who)?, json).await,
        PeopleAction::Name { who, name } => {
            let who = one(&circle, who)?.anchor;
            say(&vault, user, circle, vec![PeopleEdit::Name { who, name: given(name)? }], json).await
        }
        PeopleAction::Birth { who, day } => {
            let who = one(&circle, who)?.anchor;
            say(&vault, user, circle, vec![PeopleEdit::Born { who, day: *day as i32 }], json).await
        }
        PeopleAction::Merge { who, others } => {
            let edits = merged(&circle, who, others)?;
            say(&vault, user, circle, edits, json).await
        }
        PeopleAction::Split { who, media, name } => {
            let person = one(&circle, who)?;
            let mut shown = Vec::new();
            for text in media {
                let id = find(&vault, user, text).await?.id;
                let words = person.words.iter().map(|word| Shown { media: id.clone(), word: word.clone() });
                let here: Vec<Shown> = words.filter(|shown| circle.shows(shown)).collect();
                anyhow::ensure!(!here.is_empty(), "'{text}' does not show {who}");
                shown.extend(here);
            }
            let is_whole = person.photos.iter().all(|(_, id)| shown.iter().any(|shown| shown.media == *id));
            anyhow::ensure!(!is_whole, "these are all photos of {who}: `photovault people name` gives them another name");
            let first = shown[0].clone();
            let edits =
                vec![PeopleEdit::Apart { shown, from: person.anchor }, PeopleEdit::Name { who: first, name: given(name)? }];
            say(&vault, user, circle, edits, json).await
        }
    }
}

/// The one person who is meant.
fn one(circle: &Circle, who: &str) -> anyhow::Result<Acquaintance> {
    let mut called = circle.called(who);
    match called.len() {
        0 => bail!("no photo shows '{who}': `photovault people` lists everybody"),
        1 => Ok(called.remove(0)),
        count => bail!("{count} are called '{who}': give one of them another name by `photovault people split`"),
    }
}

fn merged(circle: &Circle, who: &str, others: &[String]) -> anyhow::Result<Vec<PeopleEdit>> {
    let first = one(circle, who)?;
    let mut edits = Vec::new();
    for other in others {
        let other = one(circle, other)?;
        anyhow::ensure!(other.anchor != first.anchor, "they are one person already");
        edits.push(PeopleEdit::Same(first.anchor.clone(), other.anchor));
    }
    // Else the name might be that of the others' photos, where those are more.
    edits.extend(first.name.map(|name| PeopleEdit::Name { who: first.anchor, name }));
    Ok(edits)
}

/// Says what can be: all of it or nothing.
async fn say(vault: &Vault, user: &UserId, mut circle: Circle, edits: Vec<PeopleEdit>, json: bool) -> anyhow::Result<()> {
    for edit in &edits {
        circle.say(edit).map_err(|impossible| anyhow::anyhow!("that cannot be: {}", impossible.words()))?;
    }
    vault.people_said.add(user, edits.clone()).await?;
    if json {
        println!("{}", json!({"said": edits}));
    } else {
        println!("Said. `photovault people undo` takes it back.");
    }
    Ok(())
}

async fn undo(vault: &Vault, user: &UserId, json: bool) -> anyhow::Result<()> {
    let last = vault.people_said.last(user).await?;
    let (key, edits) = last.context("nothing was said about people that is not taken back")?;
    vault.people_said.take_back(user, &key).await?;
    if json {
        println!("{}", json!({"taken_back": edits}));
    } else {
        println!("Taken back: {}.", edits.iter().map(words).collect::<Vec<_>>().join(", "));
    }
    Ok(())
}

fn words(edit: &PeopleEdit) -> String {
    match edit {
        PeopleEdit::Name { name, .. } => format!("the name {name}"),
        PeopleEdit::Born { day, .. } => format!("the birth on {}", date_of_day((*day).into())),
        PeopleEdit::Same(one, other) => format!("that {} and {} are one", one.word, other.word),
        PeopleEdit::Apart { shown, from } => format!("that {} photos show another than {}", shown.len(), from.word),
    }
}

fn given(name: &str) -> anyhow::Result<String> {
    let name = name.trim();
    anyhow::ensure!(!name.is_empty() && !name.starts_with('#'), "'{name}' is no name");
    Ok(name.to_owned())
}
