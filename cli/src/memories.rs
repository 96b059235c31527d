//! `photovault memories`: what was on this day in other years, trips, and the best of a month or a year. Each says why it is one.

use clap::Args;
use photovault_domain::day_of_date;
use photovault_vault::{Memory, on_this_day, trips_of};

use crate::{
    arguments::VaultArguments,
    best::{self, Wanted, period},
    connection::reach,
    table::Table,
};

const DAY_MS: i64 = 86_400_000;

/// Show memories: this day in other years, trips, and the best of a month or a year.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  photovault memories\n  photovault memories --on 2026-07-04 --json\n  photovault memories --best-of 2024-07\n  \
    photovault memories --best-of 2024 --count 30 --without Ben --without 2024-07-01 --without Lisbon"
)]
pub(crate) struct MemoriesArguments {
    /// Another day than today (UTC).
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    on: Option<i64>,
    /// The best photos of a month or a year instead, each with why it was chosen.
    #[arg(long, value_name = "YYYY[-MM]", value_parser = period, conflicts_with = "on")]
    best_of: Option<String>,
    /// How many of them at most.
    #[arg(long, value_name = "N", default_value_t = 12, requires = "best_of")]
    count: usize,
    /// Leave out a person who is marked in photos, a place or a day; may be given several times.
    #[arg(long, value_name = "NAME|PLACE|YYYY-MM-DD", requires = "best_of")]
    without: Vec<String>,
    #[command(flatten)]
    vault: VaultArguments,
}

/// `memories`.
pub(crate) async fn run(arguments: &MemoriesArguments) -> anyhow::Result<()> {
    let vault = reach(&arguments.vault).await?.vault;
    let user = &arguments.vault.user;
    if let Some(period) = &arguments.best_of {
        let wanted = Wanted { period, count: arguments.count, without: &arguments.without, json: arguments.vault.json };
        return best::run(&vault, user, &wanted).await;
    }
    let today = arguments.on.unwrap_or_else(|| vault.clock.now().0.div_euclid(DAY_MS));
    let mut memories = on_this_day(&vault, user, today).await?;
    memories.extend(trips_of(&vault, user, &vault.timelines.between(user, None, None).await?).await?);
    if arguments.vault.json {
        for memory in memories {
            println!("{}", serde_json::to_string(&memory)?);
        }
        return Ok(());
    }
    let mut table = Table::new(&["memory", "photos", "why this"]);
    for Memory { title, photos, why, .. } in memories {
        table.row(vec![title, photos.to_string(), why]);
    }
    table.print();
    Ok(())
}

fn day(text: &str) -> Result<i64, String> {
    day_of_date(text).ok_or_else(|| format!("'{text}' is not a day such as 2026-07-04"))
}
