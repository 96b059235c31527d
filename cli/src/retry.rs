//! `photovault retry`: asks for failed stages again, by writing so into the item: the catalog's stream does the rest.

use photovault_domain::{Media, Stage, Status};
use photovault_vault::{Change, Vault};

use crate::{arguments::RetryArguments, connection::reach, dlq, find};

/// `retry`.
pub(crate) async fn run(arguments: &RetryArguments) -> anyhow::Result<()> {
    let vault = reach(&arguments.vault).await?.vault;
    let user = &arguments.vault.user;
    let items = match &arguments.media {
        Some(media) => vec![find::find(&vault, user, media).await?],
        None => find::all(&vault, user, usize::MAX, |media| media.status() == Status::Failed).await?,
    };
    let mut asked = 0;
    for media in &items {
        for stage in arguments.stage.map_or_else(|| media.failed_stages(), |stage| vec![stage]) {
            let again = retry(&vault, media, stage).await?;
            asked += usize::from(again);
            report(arguments.vault.json, media, stage, again);
        }
    }
    if asked == 0 && !arguments.vault.json {
        println!("Nothing to try again: no stage of {} failed.", arguments.media.as_deref().unwrap_or("any item"));
    }
    Ok(())
}

/// Validation begins with the upload's message, which is a dead letter by now; every other stage with the item.
async fn retry(vault: &Vault, media: &Media, stage: Stage) -> anyhow::Result<bool> {
    let letters = dlq::letters(vault, Some(stage.name()), Some(&media.id)).await?;
    if stage == Stage::Validate {
        for letter in &letters {
            vault.letters.redrive(letter).await?;
        }
        return Ok(!letters.is_empty());
    }
    let mut again = false;
    let ask = |item: Option<Media>| {
        let Some(mut item) = item else { return Change::Leave };
        again = item.retry(stage);
        if again { Change::Put(item) } else { Change::Leave }
    };
    vault.catalog.change(&media.user, &media.id, ask).await?;
    // The stage is asked for anew: its old message must not come back as well.
    for letter in letters.iter().filter(|_| again) {
        vault.letters.discard(letter).await?;
    }
    Ok(again)
}

fn report(json: bool, media: &Media, stage: Stage, again: bool) {
    if json {
        println!("{}", serde_json::json!({"media": media.id, "name": media.name(), "stage": stage, "asked": again}));
    } else if again {
        println!("{} {}: {stage} is asked for again", media.id, media.name());
    } else if stage == Stage::Validate {
        println!("{} {}: upload the file again (`photovault import`)", media.id, media.name());
    } else {
        println!("{} {}: {stage} has not ended, or is not one of its stages", media.id, media.name());
    }
}
