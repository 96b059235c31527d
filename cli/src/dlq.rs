//! `photovault dlq`: the messages that failed every attempt, and sending them again.

use photovault_domain::{Letter, MediaId, STAGES};
use photovault_vault::{Vault, redrive_stream};

use crate::{
    arguments::{DlqAction, DlqArguments, RedriveArguments},
    connection::reach,
    find::{PAGE, find},
    table::{Table, when},
};

/// Whose letters are accounts of stream records, not messages.
const DISPATCH: &str = "dispatch";

/// `dlq ls` and `dlq redrive`.
pub(crate) async fn run(arguments: &DlqArguments) -> anyhow::Result<()> {
    let vault = reach(&arguments.vault).await?.vault;
    match &arguments.action {
        DlqAction::Ls { stage } => list(&vault, stage.as_deref(), arguments.vault.json).await,
        DlqAction::Redrive(which) => redrive(&vault, arguments, which).await,
    }
}

/// The letters of one stage or of all, of one item or of all, oldest first within a stage.
pub(crate) async fn letters(vault: &Vault, stage: Option<&str>, media: Option<&MediaId>) -> anyhow::Result<Vec<Letter>> {
    let mut found = Vec::new();
    let every = STAGES.iter().map(|spec| spec.stage.name()).chain([DISPATCH]);
    for stage in every.filter(|name| stage.is_none_or(|stage| stage == *name)) {
        let mut after: Option<String> = None;
        loop {
            let page = vault.letters.list(stage, after.as_deref(), PAGE).await?;
            found.extend(page.items.into_iter().filter(|letter| media.is_none() || letter.media.as_ref() == media));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
    }
    Ok(found)
}

async fn list(vault: &Vault, stage: Option<&str>, json: bool) -> anyhow::Result<()> {
    let letters = letters(vault, stage, None).await?;
    let mut table = Table::new(&["stage", "died (UTC)", "attempts", "media", "name", "why"]);
    for letter in &letters {
        if json {
            println!("{}", serde_json::to_string(letter)?);
        }
        let media = letter.media.as_ref().map(|id| id.as_str()[..10].to_owned()).unwrap_or_default();
        let cells = [when(letter.died), letter.attempts.to_string(), media, letter.name.clone(), letter.reason.clone()];
        table.row([letter.stage.clone()].into_iter().chain(cells).collect());
    }
    if !json {
        table.print();
        eprintln!(
            "{} dead letters.{}",
            letters.len(),
            if letters.is_empty() { "" } else { " Send them again: photovault dlq redrive" }
        );
    }
    Ok(())
}

async fn redrive(vault: &Vault, arguments: &DlqArguments, which: &RedriveArguments) -> anyhow::Result<()> {
    let media = match &which.media {
        Some(text) => Some(find(vault, &arguments.vault.user, text).await?.id),
        None => None,
    };
    let letters = letters(vault, which.stage.as_deref(), media.as_ref()).await?;
    let (of_stream, of_queues): (Vec<_>, Vec<_>) = letters.iter().cloned().partition(|letter| letter.stage == DISPATCH);
    redrive_stream(vault, &of_stream).await?;
    for letter in &of_queues {
        vault.letters.redrive(letter).await?;
    }
    for letter in &letters {
        let name = if letter.name.is_empty() { &letter.id } else { &letter.name };
        if arguments.vault.json {
            println!("{}", serde_json::json!({"stage": letter.stage, "media": letter.media, "name": name, "redriven": true}));
        } else {
            println!("{}: {name} is on its way again", letter.stage);
        }
    }
    if letters.is_empty() && !arguments.vault.json {
        println!("No dead letter fits: `photovault dlq ls` lists what there is.");
    }
    Ok(())
}
