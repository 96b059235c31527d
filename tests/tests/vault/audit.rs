//! The audit of a vault at rest: catalog, objects and queues agree, and nothing is lost or doubled.

use std::collections::{BTreeMap, BTreeSet};

use photovault_domain::{Media, MediaId, Sha256, Status, UserId, kept_bytes};
use photovault_vault::{Names, Vault};
use sha2::Digest as _;

use crate::engine::Engine;

/// Rows and objects of a page.
const PAGE: u32 = 500;

/// What was uploaded for a user and acknowledged: the hashes of the bytes.
pub(crate) type Acknowledged = BTreeSet<Sha256>;

/// The vault behind an engine, with all its queues.
pub(crate) async fn vault(engine: &Engine, user: &str) -> Vault {
    let announced = engine.announced();
    let text = |name: &str| announced[name].as_str().expect("a field of engine.json").to_owned();
    let queues = announced["queues"].as_object().expect("queues").iter();
    let names = Names {
        uploads_bucket: text("uploads_bucket"),
        vault_bucket: text("vault_bucket"),
        backup_bucket: text("backup_bucket"),
        backup_key: photovault_vault::Secret(text("backup_key")),
        queues: queues.map(|(name, url)| (name.clone(), url.as_str().expect("a URL").to_owned())).collect(),
        topic: None,
        post: photovault_vault::Post::default(),
        owner: user.parse().expect("a user"),
        scanner: photovault_domain::Scanner::None,
        outputs: photovault_domain::Outputs::DEFAULT,
        scanner_max_bytes: 0,
        rendition: photovault_domain::Rendition::default(),
        processing: photovault_domain::Processing::default(),
        recognising: photovault_domain::Recognising::default(),
        memory_mb: 0,
    };
    Vault::new(engine.connection().await.seams, names)
}

/// The hash of bytes that are uploaded.
pub(crate) fn sha256_of(bytes: &[u8]) -> Sha256 {
    Sha256::from_digest(sha2::Sha256::digest(bytes).into())
}

/// Waits until every queue is empty and every item settled; what was dead-lettered on the way is sent again.
pub(crate) fn come_to_rest(engine: &Engine, user: &str) -> usize {
    let mut redriven = 0;
    engine.wait_for("the vault to come to rest", || {
        let idle = engine.backlog() == 0;
        let letters = engine.ask(&["dlq", "redrive", "--all"]).len();
        redriven += letters;
        let settled = |item: &serde_json::Value| {
            crate::engine::states(item).iter().all(|(_, state)| !["pending", "running"].contains(&state.as_str()))
        };
        let rest = idle && letters == 0 && engine.ask(&["ls", "--user", user, "--limit", "1000000"]).iter().all(settled);
        // Twice: between a queue and the stream nothing may be on its way.
        (rest && engine.backlog() == 0).then_some(())
    });
    redriven
}

/// Fails with everything that does not agree. `possible` holds uploads that may have arrived without an acknowledgement.
pub(crate) async fn audit(engine: &Engine, user: &str, acknowledged: &Acknowledged, possible: &Acknowledged) {
    let vault = vault(engine, user).await;
    let user: UserId = user.parse().expect("a user");
    let items = items(&vault, &user).await;
    let mut faults = Vec::new();
    for sha256 in acknowledged {
        if !items.contains_key(&MediaId::of_bytes(&user, sha256)) {
            faults.push(format!("upload {sha256} is lost"));
        }
    }
    let mut owned = BTreeSet::new();
    for item in items.values() {
        check_item(&vault, item, &mut owned, &mut faults).await;
        let sha256 = item.sha256.as_ref();
        if !sha256.is_some_and(|sha256| acknowledged.contains(sha256) || possible.contains(sha256)) {
            faults.push(format!("item {} came from nowhere", item.id));
        }
    }
    check_objects(&vault, &owned, &mut faults).await;
    check_inbox(&vault, &user, &items, &mut faults).await;
    let waiting = vault.originals.waiting_uploads(None, PAGE).await.expect("a listing").items;
    faults.extend(waiting.into_iter().map(|(upload, _)| format!("upload {} was never taken in", upload.key)));
    let backlog = engine.backlog();
    if backlog > 0 {
        faults.push(format!("{backlog} messages are left"));
    }
    assert!(faults.is_empty(), "{} faults, of which:\n{}", faults.len(), faults[..faults.len().min(20)].join("\n"));
}

async fn items(vault: &Vault, user: &UserId) -> BTreeMap<MediaId, Media> {
    let mut items = BTreeMap::new();
    let mut after: Option<String> = None;
    loop {
        let page = vault.catalog.list(user, "", after.as_deref(), PAGE).await.expect("a page of items");
        items.extend(page.items.into_iter().map(|media| (media.id.clone(), media)));
        after = page.next;
        if after.is_none() {
            return items;
        }
    }
}

/// An item is ready, and its files are there: the original with the bytes that its name says.
async fn check_item(vault: &Vault, item: &Media, owned: &mut BTreeSet<String>, faults: &mut Vec<String>) {
    if item.status() != Status::Ready || !item.is_settled() {
        faults.push(format!("item {} is {:?}: {:?}", item.id, item.status(), item.ledger));
    }
    let original = item.object.clone().unwrap_or_default();
    match vault.originals.read(&original, u64::MAX).await.expect("a read") {
        None => faults.push(format!("{original} is not there")),
        Some(bytes) if Some(sha256_of(&bytes)) != item.sha256 => faults.push(format!("{original} has other bytes")),
        Some(_) => {}
    }
    owned.insert(original);
    for file in item.derivatives.iter().flat_map(|made| &made.files) {
        if !vault.originals.holds(&file.key).await.expect("a read") {
            faults.push(format!("{} is not there", file.key));
        }
        owned.insert(file.key.clone());
    }
}

/// Every object of the vault bucket belongs to an item.
async fn check_objects(vault: &Vault, owned: &BTreeSet<String>, faults: &mut Vec<String>) {
    let mut after: Option<String> = None;
    loop {
        let page = vault.originals.kept_after("", after.as_deref(), PAGE).await.expect("a listing");
        for listed in page.items.iter().filter(|listed| !owned.contains(&listed.key)) {
            let what = if kept_bytes(&listed.key).is_some() { "an original" } else { "a derivative" };
            faults.push(format!("{} is {what} of nothing", listed.key));
        }
        after = page.next;
        if after.is_none() {
            return;
        }
    }
}

/// The owner was told of every item that it is ready, once.
async fn check_inbox(vault: &Vault, user: &UserId, items: &BTreeMap<MediaId, Media>, faults: &mut Vec<String>) {
    let mut told: BTreeMap<MediaId, u32> = BTreeMap::new();
    let mut after: Option<String> = None;
    loop {
        let page = vault.digests.list(user, after.as_deref(), PAGE).await.expect("a page of digests");
        for (id, _) in page.items.iter().flat_map(|digest| &digest.items).filter(|(_, status)| **status == Status::Ready) {
            *told.entry(id.clone()).or_default() += 1;
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    for id in items.keys() {
        match told.get(id).copied().unwrap_or(0) {
            1 => {}
            times => faults.push(format!("the owner was told {times} times that {id} is ready")),
        }
    }
}
