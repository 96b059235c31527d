//! Whether these credentials may read what the commands read. Writing is not tried: nothing is changed here.

use photovault_domain::STAGES;
use photovault_vault::{Vault, seams::SeamResult};

use super::{Check, State};

/// One check of all of it, with every refusal.
pub(super) async fn check(vault: &Vault) -> Check {
    let tried = tried(vault).await;
    let refused: Vec<String> =
        tried.iter().filter_map(|(what, answer)| Some(format!("{what}: {}", answer.as_ref().err()?))).collect();
    if refused.is_empty() {
        let names: Vec<&str> = tried.iter().map(|(what, _)| what.as_str()).collect();
        return Check::good("permissions", format!("may read {}", names.join(", ")));
    }
    Check::new(
        "permissions",
        State::Bad,
        refused.join("; "),
        "these credentials need s3:ListBucket on the buckets and sqs:GetQueueAttributes on the queues; check that the names are those of this deployment",
    )
}

async fn tried(vault: &Vault) -> Vec<(String, SeamResult<()>)> {
    let mut tried = vec![
        ("uploads".to_owned(), vault.originals.waiting_uploads(None, 1).await.map(|_| ())),
        ("originals".to_owned(), vault.originals.kept_after("originals/", None, 1).await.map(|_| ())),
    ];
    if !vault.names.backup_bucket.is_empty() {
        tried.push(("backups".to_owned(), vault.backups.manifests().await.map(|_| ())));
    }
    for stage in STAGES.iter().map(|spec| spec.stage).filter(|stage| vault.names.queues.contains_key(stage.name())) {
        tried.push((format!("the queue of {stage}"), vault.jobs.waiting(stage).await.map(|_| ())));
    }
    tried
}
