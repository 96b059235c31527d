//! `photovault backfill`: what is stale of a stage, what it takes to do it again, and doing it.

mod drive;
mod estimate;
mod filter;

use anyhow::{Context as _, bail, ensure};
use photovault_domain::{Counts, Needs, Stage};
use photovault_vault::{Backfill, CANARY_MOST, Phase, seams::Written};
use serde_json::json;

pub(crate) use self::filter::Filter;
use self::{drive::Drive, estimate::Estimate};
use crate::{
    arguments::BackfillArguments,
    connection::{Reached, reach},
    table::when,
};

/// `backfill`.
pub(crate) async fn run(arguments: &BackfillArguments) -> anyhow::Result<()> {
    let stage = arguments.stage;
    ensure!(
        matches!(stage.spec().needs, Needs::Done(_)),
        "{stage} works on no item that is there: its work cannot be asked for again"
    );
    let reached = reach(&arguments.vault).await?;
    let filter = arguments.filter.clone().unwrap_or_default();
    if arguments.dry_run {
        return Estimate::of(&reached, &arguments.vault.user, stage, &filter, arguments.rate).await?.print(arguments.vault.json);
    }
    if arguments.status {
        return status(arguments, &reached).await;
    }
    if arguments.pause {
        return pause(arguments, &reached).await;
    }
    let backfill = begin_or_go_on(arguments, &reached, &filter).await?;
    let filter = backfill.filter.parse().map_err(anyhow::Error::msg)?;
    Drive { vault: &reached.vault, filter: &filter, rate: arguments.rate, json: arguments.vault.json }.run(backfill).await
}

/// The backfill to work on: the one that is there, or a new one.
async fn begin_or_go_on(arguments: &BackfillArguments, reached: &Reached, filter: &Filter) -> anyhow::Result<Backfill> {
    let (vault, user, stage) = (&reached.vault, &arguments.vault.user, arguments.stage);
    let recipe = vault.names.recipe(stage);
    let known = vault.backfills.read(user, stage).await?;
    let replaced = known.as_ref().map_or(0, |known| known.version);
    let open = known.filter(|known| known.phase != Phase::Done && known.recipe == recipe && !arguments.anew);
    if let Some(mut open) = open {
        ensure!(
            arguments.filter.is_none() || open.filter == filter.text,
            "a backfill of {stage} with --where '{}' has not ended: go on with that, or begin --anew",
            open.filter
        );
        if let Some(why) = &open.paused {
            ensure!(arguments.resume, "the backfill of {stage} stands still: {why}. --resume goes on, --anew begins again");
            open.paused = None;
            ensure!(vault.backfills.write(&mut open, None).await? == Written::Yes, "somebody else works on it at this moment");
        }
        return Ok(open);
    }
    ensure!(!arguments.resume, "no backfill of {stage} stands still");
    let counts = vault.counters.now(user).await?;
    let expected = (counts.version > 0 && filter.is_empty()).then(|| stale(&counts, stage, &recipe.to_string()));
    let most = expected.unwrap_or(CANARY_MOST * 100);
    let canary = ((most as f64 * arguments.canary / 100.0).ceil() as u64).min(CANARY_MOST);
    let mut backfill = Backfill::new(user.clone(), stage, recipe, canary, vault.clock.now());
    (backfill.filter, backfill.expected) = (filter.text.clone(), expected);
    ensure!(
        vault.backfills.write(&mut backfill, Some(replaced)).await? == Written::Yes,
        "somebody else begins it at this moment"
    );
    Ok(backfill)
}

/// Items that ended by another recipe.
fn stale(counts: &Counts, stage: Stage, recipe: &str) -> u64 {
    counts.recipes(stage).into_iter().filter(|(by, _)| by != recipe).map(|(_, count)| count).sum()
}

async fn status(arguments: &BackfillArguments, reached: &Reached) -> anyhow::Result<()> {
    let stage = arguments.stage;
    let known = reached.vault.backfills.read(&arguments.vault.user, stage).await?;
    let backfill = known.with_context(|| format!("there was no backfill of {stage}"))?;
    if arguments.vault.json {
        println!("{}", serde_json::to_string(&backfill)?);
        return Ok(());
    }
    let Backfill { asked, looked_at, expected, phase, .. } = &backfill;
    let of = expected.map(|expected| format!(" of {expected}")).unwrap_or_default();
    let doing = match phase {
        Phase::Canary => "asks for its canary",
        Phase::Waiting => "waits for its canary",
        Phase::Running => "is under way",
        Phase::Done => "has asked for all",
    };
    println!("{stage} to {}: {doing}. Asked for {asked}{of} items, came past {looked_at}.", backfill.recipe);
    println!(
        "Began {} UTC.{}",
        when(backfill.begun),
        backfill.paused.map(|why| format!(" Stands still: {why}.")).unwrap_or_default()
    );
    Ok(())
}

async fn pause(arguments: &BackfillArguments, reached: &Reached) -> anyhow::Result<()> {
    let (backfills, stage) = (&reached.vault.backfills, arguments.stage);
    // A run at work writes often; it will be overtaken soon.
    for _ in 0..100 {
        let known = backfills.read(&arguments.vault.user, stage).await?.filter(|known| known.phase != Phase::Done);
        let mut backfill = known.with_context(|| format!("no backfill of {stage} is under way"))?;
        backfill.paused.get_or_insert_with(|| "somebody paused it".to_owned());
        if backfills.write(&mut backfill, None).await? == Written::Yes {
            if arguments.vault.json {
                println!("{}", json!({ "stage": stage, "paused": backfill.paused, "asked": backfill.asked }));
            } else {
                println!("The backfill of {stage} stands still after {} items. --resume goes on.", backfill.asked);
            }
            return Ok(());
        }
    }
    bail!("the backfill of {stage} could not be paused: it writes all the time")
}
