//! `photovault retry`: asks for failed stages again, by writing so into the item: the catalog's stream does the rest.

use photovault_domain::{Media, Stage, Status};

use crate::{arguments::RetryArguments, connection::reach, find};

/// `retry`.
pub(crate) async fn run(arguments: &RetryArguments) -> anyhow::Result<()> {
    let vault = reach(&arguments.vault).await?.vault;
    let user = &arguments.vault.user;
    let items = match &arguments.media {
        Some(media) => vec![find::find(&vault, user, media).await?],
        None => find::all(&vault, user, |media| media.status() == Status::Failed).await?,
    };
    let mut asked = 0;
    for media in &items {
        for stage in arguments.stage.map_or_else(|| media.failed_stages(), |stage| vec![stage]) {
            let again = vault.letters.retry(media, stage).await?;
            asked += usize::from(again);
            report(arguments.vault.json, media, stage, again);
        }
    }
    if asked == 0 && !arguments.vault.json {
        println!("Nothing to try again: no stage of {} failed.", arguments.media.as_deref().unwrap_or("any item"));
    }
    Ok(())
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
