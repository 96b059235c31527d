//! `photovault dlq`: the messages that failed every attempt: looking at them, sending them again, giving them up.

mod show;

use std::{
    collections::BTreeMap,
    io::{BufRead as _, IsTerminal as _, Write as _},
};

use anyhow::{bail, ensure};
use photovault_domain::{Letter, MediaId, STAGES, kind_of_reason};
use photovault_vault::{Vault, recount, redrive_stream};

use crate::{
    arguments::{DlqAction, DlqArguments, RedriveArguments},
    connection::reach,
    find::{PAGE, find},
    table::{Table, counted, when},
};

/// Whose letters are accounts of stream records, not messages: what sends stages their jobs, and what counts.
const DISPATCH: &str = "dispatch";
const ANALYTICS: &str = "analytics";

/// `dlq ls`, `show`, `redrive` and `drop`.
pub(crate) async fn run(arguments: &DlqArguments) -> anyhow::Result<()> {
    let vault = reach(&arguments.vault).await?.vault;
    let json = arguments.vault.json;
    match &arguments.action {
        DlqAction::Ls { dropped: true, .. } => list_dropped(&vault, json).await,
        DlqAction::Ls { stage, .. } => list(&vault, stage.as_deref(), json).await,
        DlqAction::Show { which } => show::show(&vault, &arguments.vault.user, which, json).await,
        DlqAction::Redrive(which) => redrive(&vault, arguments, which).await,
        DlqAction::Drop { which, because, yes } => give_up(&vault, arguments, which, because, *yes).await,
    }
}

/// The letters of one stage or of all, of one item or of all, oldest first within a stage.
pub(crate) async fn letters(vault: &Vault, stage: Option<&str>, media: Option<&MediaId>) -> anyhow::Result<Vec<Letter>> {
    let mut found = Vec::new();
    let every = STAGES.iter().map(|spec| spec.stage.name()).chain([DISPATCH, ANALYTICS]);
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
    if json {
        for letter in &letters {
            println!("{}", serde_json::to_string(letter)?);
        }
        return Ok(());
    }
    let mut groups: BTreeMap<(&str, String), Vec<&Letter>> = BTreeMap::new();
    for letter in &letters {
        groups.entry((&letter.stage, kind_of_reason(&letter.reason))).or_default().push(letter);
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|(_, letters)| std::cmp::Reverse(letters.len()));
    for ((stage, why), letters) in &groups {
        println!("{} of {stage}: {why}", letters.len());
        let mut table = Table::new(&["  died (UTC)", "attempts", "media", "name"]);
        for letter in letters {
            let media = letter.media.as_ref().map(|id| id.as_str()[..10].to_owned()).unwrap_or_default();
            table.row(vec![format!("  {}", when(letter.died)), letter.attempts.to_string(), media, letter.name.clone()]);
        }
        table.print();
    }
    let next = if letters.is_empty() { "" } else { " `photovault dlq show MEDIA` says what to do." };
    eprintln!("{}, for {} of reason.{next}", counted(letters.len(), "dead letter"), counted(groups.len(), "kind"));
    Ok(())
}

async fn list_dropped(vault: &Vault, json: bool) -> anyhow::Result<()> {
    let mut table = Table::new(&["given up (UTC)", "stage", "media", "name", "because", "it had failed for"]);
    let mut after: Option<String> = None;
    loop {
        let page = vault.letters.dropped(after.as_deref(), PAGE).await?;
        for dropped in page.items {
            if json {
                println!("{}", serde_json::to_string(&dropped)?);
                continue;
            }
            let media = dropped.letter.media.map(|id| id.as_str()[..10].to_owned()).unwrap_or_default();
            table.row(vec![
                when(dropped.at),
                dropped.letter.stage,
                media,
                dropped.letter.name,
                dropped.because,
                dropped.letter.reason,
            ]);
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    if !json {
        table.print();
    }
    Ok(())
}

/// The letters that are meant.
async fn chosen(vault: &Vault, arguments: &DlqArguments, which: &RedriveArguments) -> anyhow::Result<Vec<Letter>> {
    let media = match &which.media {
        Some(text) => Some(find(vault, &arguments.vault.user, text).await?.id),
        None => None,
    };
    let letters = letters(vault, which.stage.as_deref(), media.as_ref()).await?;
    if letters.is_empty() && !arguments.vault.json {
        println!("No dead letter fits: `photovault dlq ls` lists what there is.");
    }
    Ok(letters)
}

async fn redrive(vault: &Vault, arguments: &DlqArguments, which: &RedriveArguments) -> anyhow::Result<()> {
    let letters = chosen(vault, arguments, which).await?;
    let of = |stage: &str| letters.iter().filter(|letter| letter.stage == stage).cloned().collect::<Vec<_>>();
    redrive_stream(vault, &of(DISPATCH)).await?;
    let uncounted = of(ANALYTICS);
    if !uncounted.is_empty() {
        // Which changes were lost is not known, so all items are counted anew.
        recount(vault, &arguments.vault.user).await?;
    }
    for letter in &uncounted {
        vault.letters.discard(letter).await?;
    }
    for letter in letters.iter().filter(|letter| ![DISPATCH, ANALYTICS].contains(&letter.stage.as_str())) {
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
    Ok(())
}

async fn give_up(
    vault: &Vault,
    arguments: &DlqArguments,
    which: &RedriveArguments,
    because: &str,
    yes: bool,
) -> anyhow::Result<()> {
    ensure!(!because.trim().is_empty(), "--because says why: it stands beside the letter from then on");
    let letters = chosen(vault, arguments, which).await?;
    if letters.is_empty() || !(yes || confirmed(letters.len())?) {
        return Ok(());
    }
    for letter in &letters {
        vault.letters.drop(letter, because, vault.clock.now()).await?;
        if arguments.vault.json {
            println!(
                "{}",
                serde_json::json!({"stage": letter.stage, "media": letter.media, "letter": letter.id, "dropped": true})
            );
        }
    }
    if !arguments.vault.json {
        println!(
            "{} letters were given up. `photovault dlq ls --dropped` lists them; their items stay as they are.",
            letters.len()
        );
    }
    Ok(())
}

fn confirmed(letters: usize) -> anyhow::Result<bool> {
    if !std::io::stdin().is_terminal() {
        bail!("{letters} letters would be given up; nobody is there to be asked: --yes does it");
    }
    eprint!("Give up {letters} letters? Their work will not be done. [y/N] ");
    std::io::stderr().flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
