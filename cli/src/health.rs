//! `photovault health`: what the function `health` does, in this process and without its time limit.

use std::time::Duration;

use photovault_health::{Request, check};

use crate::{arguments::HealthArguments, connection::reach};

/// `health`.
pub(crate) async fn run(arguments: &HealthArguments) -> anyhow::Result<()> {
    let vault = reach(&arguments.vault).await?.vault;
    let request = Request { all: arguments.all, stalled_s: arguments.stalled };
    let report = check(&vault, &request, Duration::MAX).await?;
    if arguments.vault.json {
        println!("{}", serde_json::to_string(&report)?);
        return Ok(());
    }
    println!("{} looked at, {} repaired.", report.looked_at, report.repairs.values().sum::<u64>());
    for (repair, count) in &report.repairs {
        println!("  {count:>6}  {}", repair.meaning());
    }
    Ok(())
}
