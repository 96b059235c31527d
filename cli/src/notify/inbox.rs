//! `photovault notify inbox`: the newest digests.

use std::collections::VecDeque;

use photovault_domain::UserId;
use photovault_vault::{Digest, Vault};
use serde_json::json;

use crate::{
    find::PAGE,
    table::{Table, when},
};

/// Lists the newest digests, the newest last.
pub(super) async fn list(vault: &Vault, user: &UserId, limit: usize, json: bool) -> anyhow::Result<()> {
    // A command may look through a library; a function never does.
    let (mut newest, mut after) = (VecDeque::<Digest>::new(), None::<String>);
    loop {
        let page = vault.digests.list(user, after.as_deref(), PAGE).await?;
        newest.extend(page.items);
        newest.drain(..newest.len().saturating_sub(limit));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let mut table = Table::new(&["when", "what"]);
    for digest in &newest {
        if json {
            println!("{}", json!({"when": digest.window, "text": digest.text(), "items": digest.items, "news": digest.news}));
        }
        for line in digest.text().lines() {
            table.row(vec![when(digest.window), line.to_owned()]);
        }
    }
    if newest.is_empty() && !json {
        println!("{user} was told nothing yet.");
    } else if !json {
        table.print();
    }
    Ok(())
}
