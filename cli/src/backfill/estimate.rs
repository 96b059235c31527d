//! `--dry-run`: how many items, how long, how dear.

use std::collections::BTreeMap;

use anyhow::ensure;
use photovault_domain::{Stage, UserId};
use serde::Serialize;

use super::{Filter, stale};
use crate::{connection::Reached, cost::usd_per_item, find::PAGE, table::duration};

/// Bytes of a read unit of the table, where reads are consistent.
const READ_UNIT_BYTES: usize = 4096;

/// What a backfill would be.
#[derive(Debug, Serialize)]
pub(super) struct Estimate {
    stage: Stage,
    /// What the items would be made by.
    recipe: String,
    /// Items that are stale.
    items: u64,
    /// What they were made by.
    by_recipe: BTreeMap<String, u64>,
    /// All work, one item after the other, in milliseconds; by the ledger's mean.
    work_ms: Option<u64>,
    /// At the rate, in milliseconds, at least.
    at_rate_ms: u64,
    /// US dollars.
    usd: Option<f64>,
    /// What `usd` was reckoned from.
    reckoned_by: &'static str,
    /// Read units that this very dry run took.
    read_units: u64,
}

impl Estimate {
    pub(super) async fn of(reached: &Reached, user: &UserId, stage: Stage, filter: &Filter, rate: u32) -> anyhow::Result<Self> {
        let vault = &reached.vault;
        let recipe = vault.names.recipe(stage).to_string();
        let counts = vault.counters.now(user).await?;
        ensure!(counts.version > 0, "nothing of {user}'s is counted yet: `photovault stats --recount` counts what is there");
        let (mut by_recipe, mut read_units) = (counts.recipes(stage), 1);
        let mut items = stale(&counts, stage, &recipe);
        if !filter.is_empty() {
            (items, by_recipe, read_units) = walk(reached, user, stage, filter).await?;
        }
        by_recipe.remove(&recipe);
        let mean = counts.mean(stage);
        let measured = reached.engine.as_ref().and_then(|engine| usd_per_item(&engine.endpoint, stage));
        let (each, reckoned_by) = match (measured, mean) {
            (Some(usd), _) => (Some(usd), "what the engine counted of this stage and of its dispatch since its start"),
            (None, Some((_, nanousd))) => {
                (Some(nanousd / 1e9), "the ledgers' cost on Lambda; requests come on top (docs/cost.md)")
            }
            (None, None) => (None, "nothing: the stage has never ended well here"),
        };
        Ok(Self {
            stage,
            recipe,
            items,
            by_recipe,
            work_ms: mean.map(|(ms, _)| (ms * items as f64) as u64),
            at_rate_ms: items * 60_000 / u64::from(rate),
            usd: each.map(|usd| usd * items as f64),
            reckoned_by,
            read_units,
        })
    }

    pub(super) fn print(&self, json: bool) -> anyhow::Result<()> {
        if json {
            println!("{}", serde_json::to_string(self)?);
            return Ok(());
        }
        let Self { stage, recipe, items, .. } = self;
        println!("{stage} to {recipe}: {items} items are stale.");
        for (by, count) in &self.by_recipe {
            println!("  {count:>9}  by {by}");
        }
        match (self.work_ms, self.usd) {
            (Some(work_ms), Some(usd)) => {
                println!(
                    "time    {} of work, one item after the other; at this rate at least {}",
                    duration(work_ms),
                    duration(self.at_rate_ms)
                );
                println!("money   ${usd:.4}, by {}", self.reckoned_by);
            }
            _ => println!("Time and money are not known: the stage has never ended well here."),
        }
        println!("This dry run took {} read units. Nothing was changed.", self.read_units);
        Ok(())
    }
}

/// Stale items that the filter takes, by recipe, and the read units of looking at them all.
async fn walk(
    reached: &Reached,
    user: &UserId,
    stage: Stage,
    filter: &Filter,
) -> anyhow::Result<(u64, BTreeMap<String, u64>, u64)> {
    let recipe = reached.vault.names.recipe(stage);
    let (mut by_recipe, mut bytes, mut after) = (BTreeMap::new(), 0, None::<String>);
    loop {
        let page = reached.vault.catalog.list(user, "", after.as_deref(), PAGE).await?;
        for media in &page.items {
            bytes += serde_json::to_string(media)?.len();
            let stays = !media.is_put_away();
            if stays && media.is_stale(stage, &recipe) && filter.takes(media, stage) {
                *by_recipe.entry(media.ledger[&stage].recipe.to_string()).or_insert(0) += 1;
            }
        }
        after = page.next;
        if after.is_none() {
            return Ok((by_recipe.values().sum(), by_recipe, bytes.div_ceil(READ_UNIT_BYTES) as u64));
        }
    }
}
