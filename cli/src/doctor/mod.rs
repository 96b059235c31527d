//! `photovault doctor`: whether this machine and this vault are fit, and what to do where they are not.

mod codecs;
mod machine;
mod permissions;
mod place;

use std::{path::PathBuf, process::ExitCode};

use clap::Args;
use serde::Serialize;

use crate::{arguments::VaultArguments, table::Table};

/// Check the machine, the codecs, the limits, the data folder, the endpoint, permissions, the clock and the disk, and say what to do.
///
/// Nothing is changed but for a file that is written into the data folder and removed. The exit status is 1 where something would not work.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  photovault doctor\n  photovault doctor --data ~/vault\n  photovault doctor --json | jq 'select(.state != \"good\")'"
)]
pub(crate) struct DoctorArguments {
    /// Where DynamoDB answers, for the clock: by default the engine, or the region's endpoint.
    #[arg(long, env = "AWS_ENDPOINT_URL", hide = true)]
    pub(crate) endpoint: Option<String>,
    #[arg(long, env = "AWS_REGION", hide = true)]
    pub(crate) region: Option<String>,
    #[command(flatten)]
    pub(crate) vault: VaultArguments,
}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    /// As it should be.
    Good,
    /// It works, and might be better.
    Poor,
    /// It does not work.
    Bad,
    /// It was not looked at, for the reason that is told.
    Skipped,
}

/// What was looked at.
#[derive(Clone, Debug, Serialize)]
struct Check {
    what: String,
    state: State,
    /// What was found.
    found: String,
    /// What to do; empty where there is nothing to be done.
    advice: String,
}

impl Check {
    fn new(what: impl Into<String>, state: State, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { what: what.into(), state, found: found.into(), advice: advice.into() }
    }

    fn good(what: impl Into<String>, found: impl Into<String>) -> Self {
        Self::new(what, State::Good, found, "")
    }
}

/// `doctor`.
pub(crate) async fn run(arguments: &DoctorArguments) -> anyhow::Result<ExitCode> {
    let mut checks = machine::checks();
    checks.extend(codecs::checks());
    checks.extend(place::folder(&arguments.vault.data));
    checks.extend(place::vault(arguments).await);
    let is_bad = checks.iter().any(|check| check.state == State::Bad);
    if arguments.vault.json {
        for check in &checks {
            println!("{}", serde_json::to_string(check)?);
        }
    } else {
        print(&checks);
    }
    Ok(if is_bad { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn print(checks: &[Check]) {
    let mut table = Table::new(&["", "what", "found"]);
    for check in checks {
        let sign = match check.state {
            State::Good => "✓",
            State::Poor => "!",
            State::Bad => "✗",
            State::Skipped => "–",
        };
        table.row(vec![sign.to_owned(), check.what.clone(), check.found.clone()]);
    }
    table.print();
    let advised: Vec<_> = checks.iter().filter(|check| !check.advice.is_empty()).collect();
    for check in &advised {
        println!("\n{}: {}", check.what, check.advice);
    }
    if advised.is_empty() {
        println!("\nEverything is as it should be.");
    }
}

/// The program of that name beside this one.
fn beside(name: &str) -> Option<PathBuf> {
    std::env::current_exe().ok().map(|program| program.with_file_name(name)).filter(|program| program.is_file())
}
