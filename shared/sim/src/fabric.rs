//! The five seams over a [`World`].

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::{Arc, Mutex, MutexGuard},
};

use async_trait::async_trait;
use bytes::Bytes;
use photovault_domain::{STAGES, Sha256, UtcMs};
use photovault_vault::{
    MEDIA_PREFIX, Names, Page, Seams, Vault, media_of_row,
    seams::{
        Clock, Expect, Listed, Notifier, ObjectAt, Objects, Opened, Outgoing, Queue, Row, RowKey, SeamError, SeamResult, Served,
        Table, Written,
    },
};
use sha2::Digest as _;

use crate::{
    Fault, World,
    world::{Record, Sent, Stored},
};

/// The uploads bucket's name in the fabric.
pub const UPLOADS: &str = "uploads";
/// The vault bucket's name in the fabric.
pub const VAULT: &str = "vault";

/// A handle on the simulated outside; clones share it.
#[derive(Clone, Default)]
pub struct Fabric(Arc<Mutex<World>>);

impl Fabric {
    /// The world behind the seams.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().expect("one thread at a time, and none panics while it holds the world")
    }

    /// A vault over this fabric. Queue URLs are the stages' names.
    pub fn vault(&self) -> Vault {
        let shared = || Arc::new(self.clone());
        let seams = Seams { objects: shared(), table: shared(), queue: shared(), clock: shared(), notifier: shared() };
        let names = Names {
            uploads_bucket: UPLOADS.into(),
            vault_bucket: VAULT.into(),
            queues: STAGES.iter().map(|spec| (spec.stage.name().to_owned(), spec.stage.name().to_owned())).collect(),
            topic: Some("topic".into()),
            owner: "owner".parse().expect("a good name"),
            memory_mb: 1024,
        };
        Vault::new(seams, names)
    }

    /// One call: meets the next fault of the script, and passes a millisecond.
    fn call<T>(&self, asked: &str, effect: impl FnOnce(&mut World) -> SeamResult<T>) -> SeamResult<T> {
        let mut world = self.world();
        world.calls += 1;
        world.now.0 += 1;
        let broken = || SeamError { asked: asked.to_owned(), answer: "simulated fault".into() };
        match world.faults.pop_front().flatten() {
            Some(Fault::Before) => Err(broken()),
            Some(Fault::After) => effect(&mut world).and_then(|_| Err(broken())),
            None => effect(&mut world),
        }
    }
}

fn stored(world: &World, at: &ObjectAt) -> Option<Stored> {
    let versions = world.objects.get(&(at.bucket.clone(), at.key.clone()))?;
    match &at.version {
        Some(version) => versions.iter().find(|stored| stored.version == *version).cloned(),
        None => versions.last().cloned(),
    }
}

fn store(world: &mut World, at: &ObjectAt, bytes: Bytes) {
    let new = Stored { version: format!("v{}", world.calls), bytes, modified: world.now };
    world.objects.entry((at.bucket.clone(), at.key.clone())).or_default().push(new);
}

fn hash(bytes: &[u8]) -> Sha256 {
    Sha256::from_digest(sha2::Sha256::digest(bytes).into())
}

#[async_trait]
impl Objects for Fabric {
    async fn open(&self, at: &ObjectAt, range: Option<Range<u64>>) -> SeamResult<Option<Opened>> {
        self.call("open", |world| {
            Ok(stored(world, at).map(|found| {
                let all = 0..found.bytes.len() as u64;
                let range = range.unwrap_or(all.clone());
                let bytes = found.bytes.slice(range.start as usize..range.end.min(all.end) as usize);
                let size_bytes = bytes.len() as u64;
                Opened { size_bytes, modified: found.modified, body: Box::pin(futures::stream::iter([Ok(bytes)])) }
            }))
        })
    }

    async fn write(&self, at: &ObjectAt, bytes: Bytes, _served: &Served) -> SeamResult<()> {
        self.call("write", |world| {
            store(world, at, bytes);
            Ok(())
        })
    }

    async fn copy(&self, from: &ObjectAt, to: &ObjectAt, _served: &Served) -> SeamResult<Option<Sha256>> {
        self.call("copy", |world| {
            let Some(source) = stored(world, from) else { return Ok(None) };
            let sha256 = hash(&source.bytes);
            store(world, to, source.bytes);
            Ok(Some(sha256))
        })
    }

    async fn checksum(&self, at: &ObjectAt) -> SeamResult<Option<Sha256>> {
        self.call("checksum", |world| Ok(stored(world, at).map(|found| hash(&found.bytes))))
    }

    async fn remove(&self, at: &ObjectAt) -> SeamResult<()> {
        self.call("remove", |world| {
            let key = (at.bucket.clone(), at.key.clone());
            if let Some(versions) = world.objects.get_mut(&key) {
                match &at.version {
                    Some(version) => versions.retain(|stored| stored.version != *version),
                    None => versions.clear(),
                }
                if versions.is_empty() {
                    world.objects.remove(&key);
                }
            }
            Ok(())
        })
    }

    async fn versions(&self, bucket: &str, prefix: &str, after: Option<&str>, limit: u32) -> SeamResult<Page<Listed>> {
        self.call("versions", |world| {
            let mut all = listed(world, bucket, prefix);
            if let Some((version, key)) = after.and_then(|after| after.split_once('/')) {
                let place = all.iter().position(|it| it.key == key && it.version == version);
                all = match place {
                    Some(place) => all.split_off(place + 1),
                    None => all.into_iter().filter(|it| it.key.as_str() > key).collect(),
                };
            }
            let more = all.len() > limit as usize;
            all.truncate(limit as usize);
            let next = all.last().filter(|_| more).map(|it| format!("{}/{}", it.version, it.key));
            Ok(Page { items: all, next })
        })
    }
}

/// In key order, each key's newest version first; `after` is `<version>/<key>`, the version empty behind all of them.
fn listed(world: &World, bucket: &str, prefix: &str) -> Vec<Listed> {
    let wanted = world.objects.iter().filter(|((of, key), _)| of == bucket && key.starts_with(prefix));
    let of_key = |((_, key), versions): (&(String, String), &Vec<Stored>)| {
        let newest = versions.len() - 1;
        let entry = |(index, stored): (usize, &Stored)| Listed {
            key: key.clone(),
            version: stored.version.clone(),
            is_latest: index == newest,
            modified: stored.modified,
        };
        versions.iter().enumerate().rev().map(entry).collect::<Vec<_>>()
    };
    wanted.flat_map(of_key).collect()
}

#[async_trait]
impl Table for Fabric {
    async fn row(&self, key: &RowKey) -> SeamResult<Option<Row>> {
        self.call("row", |world| Ok(world.rows.get(&(key.pk.clone(), key.sk.clone())).cloned()))
    }

    async fn put(&self, row: Row, expect: Expect) -> SeamResult<Written> {
        self.call("put", |world| {
            let text = |name: &str| row.get(name).and_then(|value| value.as_str()).unwrap_or_default().to_owned();
            let key = (text("pk"), text("sk"));
            let before = world.rows.get(&key).cloned();
            let version = before.as_ref().map(|row| row.get("version").and_then(serde_json::Value::as_u64));
            let holds = match expect {
                Expect::Absent => version.is_none(),
                Expect::Version(wanted) => version == Some(Some(wanted)),
            };
            if !holds {
                return Ok(Written::Conflict);
            }
            if key.1.starts_with(MEDIA_PREFIX) {
                let before = before.map(media_of_row).transpose()?;
                world.stream.push(Record { before, after: Some(media_of_row(row.clone())?) });
            }
            world.rows.insert(key, row);
            Ok(Written::Yes)
        })
    }

    async fn remove(&self, key: &RowKey) -> SeamResult<()> {
        self.call("remove", |world| {
            world.rows.remove(&(key.pk.clone(), key.sk.clone()));
            Ok(())
        })
    }

    async fn rows(&self, pk: &str, prefix: &str, after: Option<&str>, limit: u32) -> SeamResult<Page<Row>> {
        self.call("rows", |world| {
            let after = after.unwrap_or_default();
            let partition = world.rows.iter().filter(|((p, _), _)| p == pk);
            let wanted = partition.filter(|((_, sk), _)| sk.starts_with(prefix) && sk.as_str() > after);
            let found: BTreeMap<&str, &Row> = wanted.map(|((_, sk), row)| (sk.as_str(), row)).collect();
            let page: Vec<_> = found.iter().take(limit as usize).collect();
            let next = (found.len() > page.len()).then(|| page.last().map(|(sk, _)| (**sk).to_owned())).flatten();
            Ok(Page { items: page.iter().map(|(_, row)| (**row).clone()).collect(), next })
        })
    }

    async fn work(&self, after: Option<&str>, limit: u32) -> SeamResult<Page<RowKey>> {
        self.call("work", |world| {
            let after: Option<(i64, String, String)> = after.and_then(|after| serde_json::from_str(after).ok());
            let indexed = world.rows.iter().filter(|(_, row)| row.get("work_pk").is_some_and(|pk| pk == "work"));
            let place = |((pk, sk), row): (&(String, String), &Row)| {
                (row.get("work_at").and_then(serde_json::Value::as_i64).unwrap_or(0), pk.clone(), sk.clone())
            };
            let found: BTreeSet<_> =
                indexed.map(place).filter(|place| after.as_ref().is_none_or(|after| place > after)).collect();
            let page: Vec<_> = found.iter().take(limit as usize).cloned().collect();
            let more = found.len() > page.len();
            let next = page.last().filter(|_| more).map(|place| serde_json::to_string(place).expect("a place is plain data"));
            Ok(Page { items: page.into_iter().map(|(_, pk, sk)| RowKey { pk, sk }).collect(), next })
        })
    }
}

#[async_trait]
impl Queue for Fabric {
    async fn send(&self, queue: &str, messages: Vec<Outgoing>) -> SeamResult<()> {
        self.call("send", |world| {
            world.sent.extend(messages.into_iter().map(|message| Sent { queue: queue.to_owned(), message }));
            Ok(())
        })
    }

    async fn return_after(&self, _queue: &str, receipt: &str, seconds: u32) -> SeamResult<()> {
        self.call("return_after", |world| {
            world.returned.push((receipt.to_owned(), seconds));
            Ok(())
        })
    }
}

impl Clock for Fabric {
    fn now(&self) -> UtcMs {
        self.world().now
    }

    fn random(&self) -> u64 {
        let mut world = self.world();
        world.calls += 1;
        world.calls
    }
}

#[async_trait]
impl Notifier for Fabric {
    async fn publish(&self, _topic: &str, _subject: &str, text: &str) -> SeamResult<()> {
        self.call("publish", |world| {
            world.published.push(text.to_owned());
            Ok(())
        })
    }
}
