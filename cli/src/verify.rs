//! `photovault verify`: what the function `verify` does, to its end.

use std::time::Duration;

use clap::Args;
use photovault_vault::{Drill, Vault};
use photovault_verify::{drill, verify};

use crate::{
    arguments::VaultArguments,
    bar::Bar,
    connection::reach,
    table::{Table, bytes, duration, when},
};

/// Read originals, hash them and heal from the backup what is not as it was; or try whether the backup can be restored.
///
/// The function `verify` reads some every day and drills every week.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  photovault verify\n  photovault verify --all\n  photovault verify --drill\n  photovault verify --drills --json"
)]
pub(crate) struct VerifyArguments {
    /// Every original, and not only the next ones.
    #[arg(long)]
    all: bool,
    /// Read the newest backup as a restore does, and hash every original in it.
    #[arg(long, conflicts_with = "all")]
    drill: bool,
    /// List the drills so far.
    #[arg(long, conflicts_with_all = ["all", "drill"])]
    drills: bool,
    #[command(flatten)]
    vault: VaultArguments,
}

/// `verify`.
pub(crate) async fn run(arguments: &VerifyArguments) -> anyhow::Result<()> {
    let (vault, json) = (reach(&arguments.vault).await?.vault, arguments.vault.json);
    if arguments.drills {
        return list(&vault, json).await;
    }
    let bar = Bar::new("read", None, json);
    if arguments.drill {
        let run = drill(&vault, Duration::MAX, &|read| bar.at(read)).await?;
        bar.end();
        match run {
            Some(run) if json => println!("{}", serde_json::to_string(&run.drill)?),
            Some(run) => println!("{}", told(&run.drill)),
            None => println!("There is no backup yet: `photovault backup` makes one."),
        }
        return Ok(());
    }
    let report = verify(&vault, arguments.all, Duration::MAX, &|read| bar.at(read)).await?;
    bar.end();
    if json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        println!("{} originals read ({}), {} healed, {} lost.", report.read, bytes(report.bytes), report.healed, report.lost);
    }
    Ok(())
}

/// A drill in a sentence.
fn told(drill: &Drill) -> String {
    let Drill { items, originals, matched, bytes: size_bytes, took_ms, .. } = drill;
    format!("{matched} of {originals} originals match ({}), {items} items, {}.", bytes(*size_bytes), duration(*took_ms))
}

async fn list(vault: &Vault, json: bool) -> anyhow::Result<()> {
    let mut table = Table::new(&["when", "backup of", "what it came to"]);
    for drill in vault.drills.latest(50).await? {
        if json {
            println!("{}", serde_json::to_string(&drill)?);
        } else {
            table.row(vec![when(drill.started), when(drill.backup), told(&drill)]);
        }
    }
    if !json {
        table.print();
    }
    Ok(())
}
