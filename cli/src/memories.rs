//! `photovault memories`: what was on this day in other years, trips, events, people, and the best of a month or a year. Each says why it is
//! one; what is hidden is told of in none.

use anyhow::ensure;
use clap::{Args, Subcommand};
use photovault_domain::{DAY_MS, Hidden, UserId, day_of_date};
use photovault_vault::{Memory, MemoryKind, Vault, circle_of, memories_of, on_this_day, seams::Written, trips_of};
use serde_json::json;

use crate::{
    arguments::VaultArguments,
    bar::waiting,
    best::{self, Wanted, period},
    connection::reach,
    table::Table,
};

/// Show memories: this day in other years, trips, events, people, and the best of a month or a year.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  photovault memories\n  photovault memories --kind trip\n  photovault memories --on 2026-07-04 --json\n  photovault memories --best-of 2024-07\n  \
    photovault memories --best-of 2024 --count 30 --without Ben --without 2024-07-01 --without Lisbon\n  \
    photovault memories hide person Ben\n  photovault memories hide day 07-01\n  photovault memories hidden\n  \
    photovault memories unhide person Ben"
)]
pub(crate) struct MemoriesArguments {
    #[command(subcommand)]
    action: Option<MemoriesAction>,
    /// Another day than today (UTC).
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    on: Option<i64>,
    /// Only this kind: on-this-day, trip, event or person. The first two look through no library.
    #[arg(long, value_parser = kind, conflicts_with = "best_of")]
    kind: Option<MemoryKind>,
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

#[derive(Debug, Subcommand)]
enum MemoriesAction {
    /// Tell no more of a person, a place or a day. Photos and lists stay as they are.
    Hide {
        #[command(subcommand)]
        what: What,
    },
    /// Tell of it again.
    Unhide {
        #[command(subcommand)]
        what: What,
    },
    /// List what is hidden.
    Hidden,
}

#[derive(Clone, Debug, Subcommand)]
enum What {
    /// Somebody whom photos show.
    Person {
        /// A name, as `photovault people` lists it.
        name: String,
    },
    /// A town, region or country.
    Place {
        /// What it is called.
        name: String,
    },
    /// A day, or a day of every year.
    #[command(alias = "date")]
    Day {
        /// When.
        #[arg(value_name = "[YYYY-]MM-DD", value_parser = hidden_day)]
        day: String,
    },
}

/// `memories`.
pub(crate) async fn run(arguments: &MemoriesArguments) -> anyhow::Result<()> {
    let vault = reach(&arguments.vault).await?.vault;
    let (user, json) = (&arguments.vault.user, arguments.vault.json);
    match &arguments.action {
        Some(MemoriesAction::Hide { what }) => return change(&vault, user, what, true, json).await,
        Some(MemoriesAction::Unhide { what }) => return change(&vault, user, what, false, json).await,
        Some(MemoriesAction::Hidden) => {
            hidden(&vault.hiding.of(user).await?, json);
            return Ok(());
        }
        None => {}
    }
    if let Some(period) = &arguments.best_of {
        let wanted = Wanted { period, count: arguments.count, without: &arguments.without, json };
        return best::run(&vault, user, &wanted).await;
    }
    let today = arguments.on.unwrap_or_else(|| vault.clock.now().0.div_euclid(DAY_MS));
    let memories = match arguments.kind {
        Some(MemoryKind::OnThisDay) => on_this_day(&vault, user, today).await?,
        Some(MemoryKind::Trip) => trips_of(&vault, user).await?,
        kind => {
            let all = waiting(memories_of(&vault, user, today)).await?;
            all.into_iter().filter(|memory| kind.is_none_or(|kind| memory.kind == kind)).collect()
        }
    };
    if json {
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

async fn change(vault: &Vault, user: &UserId, what: &What, hide: bool, json: bool) -> anyhow::Result<()> {
    let mut known = vault.hiding.of(user).await?;
    let changed = match what {
        What::Person { name } if hide => {
            let called = waiting(circle_of(vault, user)).await?.0.called(name);
            ensure!(!called.is_empty(), "no photo shows '{name}': `photovault people` lists everybody");
            let words = called.into_iter().flat_map(|person| person.words).collect();
            known.people.insert(name.to_lowercase(), words).is_none()
        }
        What::Person { name } => known.people.remove(&name.to_lowercase()).is_some(),
        What::Place { name } if hide => known.places.insert(name.to_lowercase()),
        What::Place { name } => known.places.remove(&name.to_lowercase()),
        What::Day { day } if hide => known.days.insert(day.clone()),
        What::Day { day } => known.days.remove(day),
    };
    ensure!(changed || hide, "that is not hidden: `photovault memories hidden` lists what is");
    let written = vault.hiding.write(user, &known).await?;
    ensure!(written == Written::Yes, "somebody else changed it at the same time: try again");
    hidden(&known, json);
    Ok(())
}

fn hidden(hidden: &Hidden, json: bool) {
    if json {
        println!("{}", json!({"people": hidden.people.keys().collect::<Vec<_>>(), "places": hidden.places, "days": hidden.days}));
        return;
    }
    let people = hidden.people.keys().map(|name| ("person", name));
    let places = hidden.places.iter().map(|name| ("place", name));
    let mut table = Table::new(&["hidden", "which"]);
    for (kind, which) in people.chain(places).chain(hidden.days.iter().map(|day| ("day", day))) {
        table.row(vec![kind.to_owned(), which.clone()]);
    }
    table.print();
}

pub(crate) fn day(text: &str) -> Result<i64, String> {
    day_of_date(text).ok_or_else(|| format!("'{text}' is not a day such as 2026-07-04"))
}

fn kind(text: &str) -> Result<MemoryKind, String> {
    serde_json::from_value(json!(text)).map_err(|_| format!("'{text}' is none of on-this-day, trip, event, person"))
}

/// A day, or one of every year: the year 2000 has all of them.
fn hidden_day(text: &str) -> Result<String, String> {
    let is_one = day_of_date(text).is_some() || (text.len() == 5 && day_of_date(&format!("2000-{text}")).is_some());
    if is_one { Ok(text.to_owned()) } else { Err(format!("'{text}' is neither a day such as 2024-07-01 nor one such as 07-01")) }
}
