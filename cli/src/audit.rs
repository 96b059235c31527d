//! `photovault audit`: what went from the vault, when, why and by whom.

use clap::Args;

use crate::{
    arguments::VaultArguments,
    connection::reach,
    table::{Table, when},
};

/// List what was removed from the vault, the latest first: when, what, why and by whom.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  photovault audit\n  photovault audit --limit 1000 --json | jq .keys")]
pub(crate) struct AuditArguments {
    /// At most so many lines.
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: u32,
    #[command(flatten)]
    vault: VaultArguments,
}

/// `audit`: the lines of all users.
pub(crate) async fn run(arguments: &AuditArguments) -> anyhow::Result<()> {
    let vault = reach(&arguments.vault).await?.vault;
    let mut table = Table::new(&["when", "what", "by", "user", "files", "name"]);
    for entry in vault.audit.latest(arguments.limit).await? {
        if arguments.vault.json {
            println!("{}", serde_json::to_string(&entry)?);
            continue;
        }
        let (files, what) = (entry.keys.len().to_string(), entry.deed.meaning().to_owned());
        table.row(vec![when(entry.at), what, entry.by, entry.user.to_string(), files, entry.name]);
    }
    if !arguments.vault.json {
        table.print();
    }
    Ok(())
}
