//! `dlq show`: a letter, what it is about, and what to do.

use anyhow::bail;
use photovault_domain::{Job, Letter, Media, Stage, State, UserId};
use photovault_vault::Vault;
use serde_json::{Value, json};

use super::{ANALYTICS, DISPATCH, letters};
use crate::{
    show::ledger,
    table::{bytes, when},
};

/// Letters that are shown when several are meant.
const MOST: usize = 10;

/// `dlq show`.
pub(super) async fn show(vault: &Vault, user: &UserId, which: &str, json: bool) -> anyhow::Result<()> {
    let is_meant = |letter: &Letter| {
        let of_item = letter.media.as_ref().is_some_and(|id| id.as_str().starts_with(which));
        of_item || letter.id.starts_with(which) || letter.name == which || letter.name.ends_with(&format!("/{which}"))
    };
    let meant: Vec<Letter> = letters(vault, None, None).await?.into_iter().filter(is_meant).collect();
    if meant.is_empty() {
        bail!("no dead letter or item of one is called '{which}': `photovault dlq ls` lists what there is");
    }
    for letter in meant.iter().take(MOST) {
        let owner = letter.user.as_ref().unwrap_or(user);
        let media = match &letter.media {
            Some(id) => vault.catalog.media(owner, id).await?,
            None => None,
        };
        if json {
            let item = media.as_ref().map(crate::list::item_json);
            println!("{}", json!({ "letter": letter, "item": item, "next": next(letter, media.as_ref()) }));
        } else {
            print(letter, media.as_ref());
        }
    }
    if meant.len() > MOST && !json {
        println!("And {} more.", meant.len() - MOST);
    }
    Ok(())
}

fn print(letter: &Letter, media: Option<&Media>) {
    let Letter { id, stage, name, reason, attempts, died, body, .. } = letter;
    println!("{stage} gave up on {} after {attempts} attempts, {} UTC.", if name.is_empty() { id } else { name }, when(*died));
    println!("why      {reason}");
    println!("letter   {id}");
    println!("message  {}", serde_json::from_str::<Value>(body).map_or_else(|_| body.clone(), |body| body.to_string()));
    match media {
        Some(media) => {
            println!("item     {} {}, {}", media.id, media.status().as_str(), bytes(media.size_bytes));
            ledger(media).print();
        }
        None => println!("item     none"),
    }
    println!("next     {}\n", next(letter, media));
}

/// What to do about a letter.
fn next(letter: &Letter, media: Option<&Media>) -> String {
    let redrive = |stage: &str| format!("photovault dlq redrive --stage {stage}");
    let job = serde_json::from_str::<Job>(&letter.body).ok();
    let failed = |media: &Media, stage: Stage| media.ledger.get(&stage).is_some_and(|entry| entry.state == State::Failed);
    match (letter.stage.as_str(), media, job) {
        (DISPATCH, ..) => format!("{}: the due stages of all items that are as old are sent again", redrive(DISPATCH)),
        (ANALYTICS, ..) => format!("{}: all items are counted anew", redrive(ANALYTICS)),
        (_, None, Some(_)) => {
            format!("the item is gone and the letter is of no use: photovault dlq drop --stage {} --because …", letter.stage)
        }
        (_, Some(media), Some(job)) if !failed(media, job.stage) => {
            format!(
                "the item's stage has ended since: a redrive of it would change nothing. photovault dlq redrive {}",
                short(media)
            )
        }
        (_, Some(media), _) => format!(
            "put right what the reason says, then photovault dlq redrive {}; if its work is not wanted: photovault dlq drop {} --because …",
            short(media),
            short(media)
        ),
        (stage, None, None) => format!("nobody understands the message. {} sends it again as it is", redrive(stage)),
    }
}

fn short(media: &Media) -> &str {
    &media.id.as_str()[..10]
}
