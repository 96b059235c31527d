//! The whole chain over the simulated fabric: uploads in, deliveries by hand, until nothing is left to deliver.
//!
//! The deliveries are those of S3, SQS and the catalog's stream: at least once, a failed one again, the fifth failure to
//! the dead-letter queue. `copies` says how often each is delivered although it went well.

use std::collections::BTreeMap;

use bytes::Bytes;
use photovault_domain::{Media, Stage, UtcMs};
use photovault_lambda::{Changed, Message};
use photovault_sim::{Fabric, UPLOADS};
use photovault_vault::{Delivery, Vault};

/// How often a message is received before it is dead (template.yaml).
const MAX_RECEIVES: u32 = 5;
/// Longer than things are gathered for a mailing.
const MAILING_MS: i64 = 900_000;
/// Deliveries after which a chain is called endless.
const MAX_DELIVERIES: u32 = 100_000;

pub(crate) struct Chain {
    pub(crate) fabric: Fabric,
    pub(crate) vault: Vault,
    copies: u32,
    streamed: usize,
    queued: usize,
    uploads: Vec<String>,
    dead: Vec<Message>,
    /// Messages of mailings: they come when nothing else is left to come.
    mailings: Vec<String>,
}

impl Chain {
    pub(crate) fn new(copies: u32) -> Self {
        let fabric = Fabric::default();
        let vault = fabric.vault();
        Self { fabric, vault, copies, streamed: 0, queued: 0, uploads: Vec::new(), dead: Vec::new(), mailings: Vec::new() }
    }

    /// Puts an object into the uploads bucket; its event waits for [`Self::run`].
    pub(crate) async fn upload(&mut self, key: &str, bytes: &[u8]) {
        self.vault.originals.upload(key, Bytes::copy_from_slice(bytes)).await.expect("uploads meet no faults");
        let version = {
            let world = self.fabric.world();
            world.objects[&(UPLOADS.to_owned(), key.to_owned())].last().expect("just written").version.clone()
        };
        self.announce(key, &version);
    }

    /// The bucket's event of an upload, which waits for [`Self::run`].
    pub(crate) fn announce(&mut self, key: &str, version: &str) {
        self.uploads.push(created_event(key, version));
    }

    /// Delivers the uploads that wait, and nothing that comes of them.
    pub(crate) async fn take_in(&mut self) {
        while let Some(body) = self.uploads.pop() {
            self.deliver(Stage::Validate, body).await;
        }
    }

    /// Delivers the records that wait, and nothing that comes of them.
    pub(crate) async fn stream(&mut self) {
        while self.next_change().is_some() {
            self.dispatch().await;
        }
    }

    /// Everything that waits is lost: events of uploads, records of the stream, messages.
    pub(crate) fn lose_what_waits(&mut self) {
        self.uploads.clear();
        let world = self.fabric.world();
        (self.streamed, self.queued) = (world.stream.len(), world.sent.len());
    }

    /// Delivers until nothing is left.
    pub(crate) async fn run(&mut self) {
        let mut deliveries = 0;
        loop {
            deliveries += 1;
            assert!(deliveries < MAX_DELIVERIES, "the chain does not come to rest");
            if let Some(body) = self.uploads.pop() {
                self.deliver(Stage::Validate, body).await;
            } else if self.next_change().is_some() {
                self.dispatch().await;
            } else if let Some(sent) = self.next_sent() {
                self.deliver(sent.0, sent.1).await;
            } else if let Some(message) = self.dead.pop() {
                let failed = photovault_failures::on_batch(self.vault.clone(), vec![message.clone()]).await;
                if !failed.is_empty() {
                    self.dead.push(message);
                }
            } else if let Some(body) = self.mailings.pop() {
                self.fabric.world().now.0 += MAILING_MS;
                self.deliver(Stage::Notify, body).await;
            } else {
                return;
            }
        }
    }

    async fn deliver(&mut self, stage: Stage, body: String) {
        let mut well = 0;
        let id = format!("{stage}-{}", self.fabric.world().calls);
        for received in 1..=MAX_RECEIVES + self.copies {
            let message = Message {
                id: id.clone(),
                receipt: "receipt".into(),
                body: body.clone(),
                received,
                sent: UtcMs(1),
                queue_arn: format!("arn:aws:sqs:us-east-1:000000000000:photovault-{stage}-dlq"),
            };
            if self.give(stage, message.clone()).await {
                well += 1;
                if well >= self.copies {
                    return;
                }
            } else if received >= MAX_RECEIVES {
                self.dead.push(message);
                return;
            }
        }
    }

    async fn give(&self, stage: Stage, message: Message) -> bool {
        let vault = self.vault.clone();
        match stage {
            Stage::Notify => photovault_notify::on_batch(vault, vec![message]).await.is_empty(),
            Stage::Validate => alone(vault, stage, message, photovault_validate::on_message).await,
            Stage::Thumbnail => alone(vault, stage, message, photovault_thumbnail::on_message).await,
            Stage::Metadata => alone(vault, stage, message, photovault_metadata::on_message).await,
            Stage::Video => alone(vault, stage, message, photovault_video::on_message).await,
            Stage::Memories => alone(vault, stage, message, photovault_memories::on_message).await,
            Stage::Tag => alone(vault, stage, message, photovault_tag::on_message).await,
        }
    }

    async fn dispatch(&mut self) {
        let Some(change) = self.next_change() else { return };
        let mut well = 0;
        while well < self.copies {
            let dispatched = photovault_dispatch::on_changes(self.vault.clone(), vec![change.clone()]).await;
            well += u32::from(dispatched.is_ok());
        }
        self.streamed += 1;
    }

    fn next_change(&self) -> Option<Changed> {
        let record = self.fabric.world().stream.get(self.streamed).cloned()?;
        let changed = Changed::of_rows(self.streamed.to_string(), record.before.as_deref(), Some(&record.after));
        changed.expect("rows of items")
    }

    fn next_sent(&mut self) -> Option<(Stage, String)> {
        let mut sent;
        loop {
            sent = self.fabric.world().sent.get(self.queued).cloned()?;
            self.queued += 1;
            if serde_json::from_str::<Delivery>(&sent.message.body).is_err() {
                break;
            }
            self.mailings.push(sent.message.body);
        }
        Some((Stage::from_name(&sent.queue).expect("queues are named after stages"), sent.message.body))
    }

    /// Every item, by name.
    pub(crate) fn items(&self) -> BTreeMap<String, Media> {
        self.rows().into_iter().map(|media| (media.name().to_owned(), media)).collect()
    }

    /// Every item.
    pub(crate) fn rows(&self) -> Vec<Media> {
        let world = self.fabric.world();
        let rows = world.rows.iter().filter(|((_, sk), _)| sk.starts_with("M#"));
        rows.map(|(_, row)| photovault_vault::media_of_row(row).expect("an item")).collect()
    }

    /// What must be the same however it was delivered: objects, and each item's end, facets and reasons.
    pub(crate) fn end_state(&self) -> Vec<String> {
        let mut lines: Vec<String> =
            self.fabric.world().snapshot().into_iter().map(|(key, size)| format!("{key} {size}")).collect();
        for (name, media) in self.items() {
            let states: Vec<String> = media.ledger.iter().map(|(stage, entry)| format!("{stage}={:?}", entry.state)).collect();
            lines.push(format!(
                "{name} {:?} {:?} uploads={} facts={} derivatives={:?}",
                media.status(),
                states,
                media.uploads.len(),
                media.facts.is_some(),
                media.derivatives.map(|made| made.files)
            ));
        }
        let told: Vec<String> = self
            .fabric
            .world()
            .rows
            .iter()
            .filter(|((_, sk), _)| sk.starts_with("I#"))
            .map(|(_, row)| row["items"].to_string())
            .collect();
        lines.extend(told);
        lines
    }
}

async fn alone(vault: Vault, stage: Stage, message: Message, on_message: photovault_lambda::OnMessage) -> bool {
    photovault_lambda::run_each(vault, Some(stage), vec![message], on_message).await.is_empty()
}

fn created_event(key: &str, version: &str) -> String {
    let encoded = percent_encoding::utf8_percent_encode(key, percent_encoding::NON_ALPHANUMERIC).to_string();
    serde_json::json!({"Records": [{
        "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "us-east-1", "eventTime": "2026-01-01T00:00:00.000Z",
        "eventName": "ObjectCreated:Put", "userIdentity": {"principalId": "p"}, "requestParameters": {"sourceIPAddress": "127.0.0.1"},
        "responseElements": {}, "s3": {"s3SchemaVersion": "1.0", "configurationId": "c",
            "bucket": {"name": UPLOADS, "arn": "arn:aws:s3:::uploads", "ownerIdentity": {"principalId": "p"}},
            "object": {"key": encoded, "size": 1, "eTag": "e", "versionId": version, "sequencer": "0A"}}
    }]})
    .to_string()
}
