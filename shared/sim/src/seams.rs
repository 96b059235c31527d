//! The six seams, once, over any way to get a call's turn: at once by a script of faults ([`crate::Fabric`]), or when the
//! scheduler of a simulation says so ([`crate::Seat`]).

use std::{
    ops::Range,
    sync::{Arc, MutexGuard},
};

use async_trait::async_trait;
use bytes::Bytes;
use photovault_domain::{Channel, Face, Label, Moderation, Notice, STAGES, Sha256, UtcMs, Word};
use photovault_vault::{
    Names, Page, Post, SLOW_QUEUE, Seams, Secret,
    seams::{
        Answer, Clock, Expect, Listed, Notifier, ObjectAt, Objects, Opened, Outgoing, Queue, Recognition, Row, RowKey, SeamError,
        SeamResult, Served, Table, Unseen, Write, Written,
    },
};

use crate::{Fault, MODEL, World, faces_in, labels_in, moderation_in, text_in, world::Sent};

/// The uploads bucket's name in the fabric.
pub const UPLOADS: &str = "uploads";
/// The backup bucket's name in the fabric.
pub const BACKUP: &str = "backup";
/// The vault bucket's name in the fabric.
pub const VAULT: &str = "vault";

/// Where a call waits for its turn and learns how it goes.
pub(crate) trait Door: Clone + Send + Sync + 'static {
    /// Gives the fault that the call meets, if any.
    type Turn: Future<Output = Option<Fault>> + Send;

    /// Asks for a turn; `about` tells what the call is about, for a story.
    fn turn(&self, call: &'static str, about: &dyn Fn() -> String) -> Self::Turn;
    /// The world behind.
    fn world(&self) -> MutexGuard<'_, World>;
    /// The time, as who calls knows it.
    fn now(&self) -> UtcMs;
    /// 64 random bits.
    fn random(&self) -> u64;
}

/// The seams over a door.
#[derive(Clone)]
pub(crate) struct Outside<D>(pub(crate) D);

/// What deployments in the fabric are called: queue URLs are the stages' names.
pub(crate) fn names() -> Names {
    Names {
        uploads_bucket: UPLOADS.into(),
        vault_bucket: VAULT.into(),
        backup_bucket: BACKUP.into(),
        backup_key: Secret("a key of the fabric".into()),
        queues: STAGES.iter().map(|spec| spec.stage.name()).chain([SLOW_QUEUE]).map(|name| (name.into(), name.into())).collect(),
        topic: Some("topic".into()),
        post: Post::default(),
        owner: "owner".parse().expect("a good name"),
        scanner: photovault_domain::Scanner::None,
        outputs: photovault_domain::Outputs::DEFAULT,
        scanner_max_bytes: 0,
        rendition: photovault_domain::Rendition::default(),
        processing: photovault_domain::Processing::default(),
        recognising: photovault_domain::Recognising::default(),
        memory_mb: 1024,
    }
}

impl<D: Door> Outside<D> {
    pub(crate) fn seams(self) -> Seams {
        let shared = Arc::new(self);
        Seams {
            objects: shared.clone(),
            table: shared.clone(),
            queue: shared.clone(),
            clock: shared.clone(),
            notifier: shared.clone(),
            recognition: shared,
        }
    }

    async fn call<T>(
        &self,
        call: &'static str,
        about: impl Fn() -> String + Send,
        effect: impl FnOnce(&mut World) -> SeamResult<T> + Send,
    ) -> SeamResult<T> {
        let turn = self.0.turn(call, &about);
        let fault = turn.await;
        let mut world = self.0.world();
        world.calls += 1;
        let broken = || SeamError { asked: format!("{call} {}", about()), answer: "simulated fault".into() };
        match fault {
            None => effect(&mut world),
            Some(Fault::After) => effect(&mut world).and_then(|_| Err(broken())),
            Some(Fault::Before | Fault::Part) => Err(broken()),
        }
    }
}

fn place(at: &ObjectAt) -> String {
    format!("{}/{} {}", at.bucket, at.key, at.version.as_deref().unwrap_or(""))
}

#[async_trait]
impl<D: Door> Objects for Outside<D> {
    async fn open(&self, at: &ObjectAt, range: Option<Range<u64>>) -> SeamResult<Option<Opened>> {
        let effect = |world: &mut World| {
            Ok(world.object(at).map(|found| {
                let all = 0..found.bytes.len() as u64;
                let range = range.unwrap_or(all.clone());
                let bytes = found.bytes.slice(range.start as usize..range.end.min(all.end) as usize);
                let size_bytes = bytes.len() as u64;
                Opened { size_bytes, modified: found.modified, body: Box::pin(futures::stream::iter([Ok(bytes)])) }
            }))
        };
        self.call("open", || place(at), effect).await
    }

    async fn write(&self, at: &ObjectAt, bytes: Bytes, _served: &Served) -> SeamResult<()> {
        let effect = |world: &mut World| {
            world.store(at, bytes);
            Ok(())
        };
        self.call("write", || place(at), effect).await
    }

    async fn copy(&self, from: &ObjectAt, to: &ObjectAt, _served: &Served) -> SeamResult<Option<Sha256>> {
        self.call("copy", || format!("{} to {}", place(from), place(to)), |world| world.copy(from, to)).await
    }

    async fn checksum(&self, at: &ObjectAt) -> SeamResult<Option<Sha256>> {
        self.call("checksum", || place(at), |world| Ok(world.checksum(at))).await
    }

    async fn remove(&self, at: &ObjectAt) -> SeamResult<()> {
        let effect = |world: &mut World| {
            world.drop_object(at);
            Ok(())
        };
        self.call("remove", || place(at), effect).await
    }

    async fn versions(&self, bucket: &str, prefix: &str, after: Option<&str>, limit: u32) -> SeamResult<Page<Listed>> {
        let effect = |world: &mut World| Ok(world.listed(bucket, prefix, after, limit));
        self.call("versions", || format!("{bucket}/{prefix}"), effect).await
    }
}

#[async_trait]
impl<D: Door> Table for Outside<D> {
    async fn row(&self, key: &RowKey) -> SeamResult<Option<Arc<Row>>> {
        let about = || format!("{} {}", key.pk, key.sk);
        let effect = |world: &mut World| Ok(world.rows.get(&(key.pk.clone(), key.sk.clone())).cloned());
        self.call("row", about, effect).await
    }

    async fn put(&self, row: Row, expect: Expect) -> SeamResult<Written> {
        let name = row.get("sk").and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
        self.call("put", || format!("{name} if {expect:?}"), |world| Ok(world.put(row, expect))).await
    }

    async fn put_all(&self, writes: Vec<Write>) -> SeamResult<Written> {
        let count = writes.len();
        self.call("put all", || format!("{count} rows"), |world| Ok(world.put_all(writes))).await
    }

    async fn remove(&self, key: &RowKey) -> SeamResult<()> {
        let effect = |world: &mut World| {
            world.remove(key);
            Ok(())
        };
        self.call("delete", || format!("{} {}", key.pk, key.sk), effect).await
    }

    async fn rows(&self, pk: &str, prefix: &str, after: Option<&str>, limit: u32) -> SeamResult<Page<Arc<Row>>> {
        self.call("rows", || format!("{pk} {prefix}"), |world| Ok(world.page(pk, prefix, after, limit))).await
    }

    async fn rows_before(&self, pk: &str, before: &str, limit: u32) -> SeamResult<Vec<Arc<Row>>> {
        self.call("rows before", || format!("{pk} {before}"), |world| Ok(world.page_before(pk, before, limit))).await
    }

    async fn work(&self, list: &str, after: Option<&str>, limit: u32) -> SeamResult<Page<RowKey>> {
        self.call("work", || list.to_owned(), |world| Ok(world.work(list, after, limit))).await
    }
}

#[async_trait]
impl<D: Door> Queue for Outside<D> {
    async fn send(&self, queue: &str, messages: Vec<Outgoing>) -> SeamResult<()> {
        let fault = self.0.turn("send", &|| format!("{} to {queue}", messages.len())).await;
        let mut world = self.0.world();
        world.calls += 1;
        let count = messages.len();
        let taken = match fault {
            None | Some(Fault::After) => count,
            Some(Fault::Part) => count / 2,
            Some(Fault::Before) => 0,
        };
        let sent = messages.into_iter().take(taken).map(|message| Sent { queue: queue.to_owned(), message });
        world.sent.extend(sent);
        match fault {
            None => Ok(()),
            Some(_) => Err(SeamError { asked: format!("send to {queue}"), answer: "simulated fault".into() }),
        }
    }

    async fn return_after(&self, queue: &str, receipt: &str, seconds: u32) -> SeamResult<()> {
        let effect = |world: &mut World| {
            world.returned.push((queue.to_owned(), receipt.to_owned(), seconds));
            Ok(())
        };
        self.call("return", || format!("{receipt} after {seconds} s"), effect).await
    }

    async fn waiting(&self, queue: &str) -> SeamResult<u64> {
        let effect = |world: &mut World| Ok(world.sent.iter().filter(|sent| sent.queue == queue).count() as u64);
        self.call("waiting", || queue.to_owned(), effect).await
    }
}

impl<D: Door> Clock for Outside<D> {
    fn now(&self) -> UtcMs {
        self.0.now()
    }

    fn random(&self) -> u64 {
        self.0.random()
    }
}

#[async_trait]
impl<D: Door> Notifier for Outside<D> {
    async fn send(&self, _post: &Post, to: &Channel, notice: &Notice) -> SeamResult<Answer> {
        self.call("send out", || notice.id.clone(), |world| Ok(world.receive(to, notice))).await
    }
}

#[async_trait]
impl<D: Door> Recognition for Outside<D> {
    async fn labels(&self, at: &ObjectAt) -> SeamResult<Result<(Vec<Label>, String), Unseen>> {
        let effect = |world: &mut World| Ok(Ok((labels_in(&world.recognise(at, "labels")?), MODEL.to_owned())));
        self.call("labels", || place(at), effect).await
    }

    async fn faces(&self, at: &ObjectAt) -> SeamResult<Result<Vec<Face>, Unseen>> {
        let effect = |world: &mut World| Ok(Ok(faces_in(&world.recognise(at, "faces")?)));
        self.call("faces", || place(at), effect).await
    }

    async fn text(&self, at: &ObjectAt) -> SeamResult<Result<Vec<Word>, Unseen>> {
        let effect = |world: &mut World| Ok(Ok(text_in(&world.recognise(at, "text")?)));
        self.call("text", || place(at), effect).await
    }

    async fn moderation(&self, at: &ObjectAt) -> SeamResult<Result<Moderation, Unseen>> {
        let effect = |world: &mut World| Ok(Ok(moderation_in(&world.recognise(at, "moderation")?)));
        self.call("moderation", || place(at), effect).await
    }

    async fn take_in(&self, collection: &str, at: &ObjectAt, _name: &str) -> SeamResult<Result<Vec<Face>, Unseen>> {
        let effect = |world: &mut World| {
            let bytes = world.object(at).map(|found| found.bytes.clone());
            let missing = || SeamError { asked: place(at), answer: "it is not there".into() };
            let bytes = bytes.ok_or_else(missing)?;
            Ok(Ok(world.searched(collection).take_in(collection, &bytes)))
        };
        self.call("take in", || place(at), effect).await
    }

    async fn persons_like(&self, collection: &str, face: &str) -> SeamResult<Result<Vec<(String, u8)>, Unseen>> {
        let effect = |world: &mut World| Ok(Ok(world.searched(collection).persons_like(face)));
        self.call("persons like", || face.to_owned(), effect).await
    }

    async fn faces_like(&self, collection: &str, face: &str) -> SeamResult<Result<Vec<(String, u8)>, Unseen>> {
        let effect = |world: &mut World| Ok(Ok(world.searched(collection).faces_like(face)));
        self.call("faces like", || face.to_owned(), effect).await
    }

    async fn associate(&self, collection: &str, person: &str, faces: &[String]) -> SeamResult<Result<(), Unseen>> {
        let effect = |world: &mut World| {
            world.searched(collection).associate(person, faces);
            Ok(Ok(()))
        };
        self.call("associate", || person.to_owned(), effect).await
    }

    async fn part(&self, collection: &str, person: &str, faces: &[String]) -> SeamResult<Result<(), Unseen>> {
        let effect = |world: &mut World| {
            // Nobody's picture is looked at: it is not paid for.
            world.collections.entry(collection.to_owned()).or_default().part(person, faces);
            Ok(Ok(()))
        };
        self.call("part", || person.to_owned(), effect).await
    }

    async fn forget(&self, collection: &str, faces: &[String]) -> SeamResult<Result<(), Unseen>> {
        let effect = |world: &mut World| {
            // Nor is it here.
            world.collections.entry(collection.to_owned()).or_default().forget(faces);
            Ok(Ok(()))
        };
        self.call("forget", || faces.join(" "), effect).await
    }
}
