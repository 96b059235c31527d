//! `photovault stats`: the counters that the function `analytics` keeps, as tables and sparklines.

use std::collections::BTreeMap;

use photovault_domain::{Counts, Stage, Status, TRASH, UserId, hour_of};
use photovault_vault::{Vault, recount};
use serde::Serialize;

use crate::{
    arguments::StatsArguments,
    connection::reach,
    table::{Table, bytes, duration},
};

const KINDS: [&str; 3] = ["photo", "video", "other"];
/// How items are counted: by their end, or as trash.
const ENDS: [&str; 6] = [
    Status::Processing.as_str(),
    Status::Ready.as_str(),
    Status::Rejected.as_str(),
    Status::Quarantined.as_str(),
    Status::Failed.as_str(),
    TRASH,
];
/// Reasons that are shown.
const REASONS: usize = 20;

/// All that is shown.
#[derive(Debug, PartialEq, Serialize)]
struct Stats {
    user: UserId,
    kinds: Vec<OfKind>,
    stages: Vec<OfStage>,
    reasons: Vec<Reason>,
    /// Items that came, by hour, the last of them being this one.
    arrived: Vec<u64>,
}

#[derive(Debug, PartialEq, Serialize)]
struct OfKind {
    kind: &'static str,
    items: BTreeMap<&'static str, u64>,
    original_bytes: u64,
    derivative_bytes: u64,
}

#[derive(Debug, PartialEq, Serialize)]
struct OfStage {
    stage: Stage,
    /// Items by where the stage stands with them.
    states: BTreeMap<String, u64>,
    /// Ends, of all attempts and askings.
    runs: u64,
    /// Ends that were failures.
    failed: u64,
    /// Milliseconds of all runs.
    spent_ms: u64,
    /// Cost of all runs on Lambda, in US dollars.
    usd: f64,
    /// Of an item on which it ended well.
    mean_ms: Option<f64>,
    /// Runs by hour.
    by_hour: Vec<u64>,
}

#[derive(Debug, PartialEq, Serialize)]
struct Reason {
    stage: Stage,
    why: String,
    items: u64,
}

/// `stats`.
pub(crate) async fn run(arguments: &StatsArguments) -> anyhow::Result<()> {
    let vault = reach(&arguments.vault).await?.vault;
    let user = &arguments.vault.user;
    if arguments.recount {
        let items = recount(&vault, user).await?;
        eprintln!("{items} items were counted anew.");
    }
    let now = vault.counters.now(user).await?;
    let stats = gather(&vault, user, &now, arguments.hours).await?;
    if arguments.vault.json {
        println!("{}", serde_json::to_string(&stats)?);
        return Ok(());
    }
    if now.version == 0 {
        println!(
            "Nothing of {user}'s is counted yet. Counters follow a change within half a minute; `photovault stats --recount` counts what is there."
        );
        return Ok(());
    }
    print(&stats);
    Ok(())
}

async fn gather(vault: &Vault, user: &UserId, now: &Counts, hours: u32) -> anyhow::Result<Stats> {
    let first = hour_of(vault.clock.now()) + 1 - i64::from(hours);
    let by_hour: BTreeMap<i64, Counts> = vault.counters.hours(user, first).await?.into_iter().collect();
    let series =
        |name: &str| (first..first + i64::from(hours)).map(|hour| by_hour.get(&hour).map_or(0, |it| it.count(name))).collect();
    let of_kind = |kind: &'static str| OfKind {
        kind,
        items: ENDS.map(|end| (end, now.count(&format!("items/{kind}/{end}")))).into(),
        original_bytes: now.count(&format!("originals/{kind}")),
        derivative_bytes: now.count(&format!("derivatives/{kind}")),
    };
    let of_stage = |stage: Stage| OfStage {
        stage,
        states: now.under(&format!("state/{stage}/")).map(|(state, count)| (state.to_owned(), count)).collect(),
        runs: now.count(&format!("runs/{stage}")),
        failed: now.count(&format!("failed/{stage}")),
        spent_ms: now.count(&format!("spent_ms/{stage}")),
        usd: now.count(&format!("spent_nanousd/{stage}")) as f64 / 1e9,
        mean_ms: now.mean(stage).map(|(ms, _)| ms),
        by_hour: series(&format!("runs/{stage}")),
    };
    let reason = |(stage, why, items)| Reason { stage, why, items };
    Ok(Stats {
        user: user.clone(),
        kinds: KINDS.map(of_kind).into_iter().filter(|it| it.items.values().any(|count| *count > 0)).collect(),
        stages: now.stages().map(of_stage).collect(),
        reasons: vault.counters.reasons(user).await?.into_iter().map(reason).collect(),
        arrived: series("arrived"),
    })
}

fn print(stats: &Stats) {
    let header: Vec<&str> = ["kind"].into_iter().chain(ENDS).chain(["originals", "made of them"]).collect();
    let mut kinds = Table::new(&header);
    for of in &stats.kinds {
        let items = ENDS.map(|end| of.items[end].to_string());
        let sizes = [bytes(of.original_bytes), bytes(of.derivative_bytes)];
        kinds.row([of.kind.to_owned()].into_iter().chain(items).chain(sizes).collect());
    }
    kinds.print();
    let hours = stats.arrived.len();
    println!("\nCame in the last {hours} hours: {} {}\n", stats.arrived.iter().sum::<u64>(), sparkline(&stats.arrived));
    let mut stages =
        Table::new(&["stage", "open", "failed now", "runs", "failed", "mean", "in all", "US dollars", "runs by hour"]);
    for of in &stats.stages {
        let items = |name: &str| of.states.get(name).copied().unwrap_or(0);
        stages.row(vec![
            of.stage.to_string(),
            (items("pending") + items("running")).to_string(),
            items("failed").to_string(),
            of.runs.to_string(),
            of.failed.to_string(),
            of.mean_ms.map(|ms| duration(ms.round() as u64)).unwrap_or_default(),
            duration(of.spent_ms),
            format!("{:.6}", of.usd),
            sparkline(&of.by_hour),
        ]);
    }
    stages.print();
    if !stats.reasons.is_empty() {
        println!();
        let mut reasons = Table::new(&["items", "stage", "why"]);
        for of in stats.reasons.iter().take(REASONS) {
            reasons.row(vec![of.items.to_string(), of.stage.to_string(), of.why.clone()]);
        }
        reasons.print();
    }
}

/// Numbers as heights of blocks, the largest being the highest; what is not nothing is seen.
fn sparkline(numbers: &[u64]) -> String {
    const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let most = numbers.iter().copied().max().unwrap_or(0).max(1);
    let block = |number: u64| if number == 0 { ' ' } else { BLOCKS[((number * 8).div_ceil(most) - 1) as usize] };
    let line: String = numbers.iter().map(|number| block(*number)).collect();
    line.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sparkline_shows_what_there_is() {
        assert_eq!(sparkline(&[0, 1, 500, 1000, 0]), " ▁▄█");
        assert_eq!(sparkline(&[0, 0]), "");
        assert_eq!(sparkline(&[]), "");
    }
}
