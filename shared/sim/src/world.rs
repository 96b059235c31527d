//! What the fabric holds, and what its calls do to it when they go well: versions of objects, conditional writes, the sort
//! order of rows. Plain maps that a test can look into.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use bytes::Bytes;
use photovault_domain::{Channel, Medium, Notice, Sha256, UtcMs};
use photovault_vault::{
    MEDIA_PREFIX, Page,
    seams::{Answer, Expect, Listed, ObjectAt, Outgoing, Row, RowKey, SeamError, SeamResult, Write, Written},
};
use sha2::Digest as _;

use crate::Collection;

/// How a call to a seam goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing happened.
    Before,
    /// It happened, and the answer was lost: the ambiguous case.
    After,
    /// Of the messages of one request, some were taken.
    Part,
}

/// A message that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// To which queue.
    pub queue: String,
    /// What.
    pub message: Outgoing,
}

/// A record of the table's stream: a media item's row before and after. What the template's filter holds back is not here.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// The row before.
    pub before: Option<Arc<Row>>,
    /// The row after.
    pub after: Arc<Row>,
}

/// One stored object version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its version.
    pub version: String,
    /// Its bytes.
    pub bytes: Bytes,
    /// When it was written.
    pub modified: UtcMs,
    /// Whether the store keeps its SHA-256: it does of copies that asked for it.
    pub hashed: bool,
}

/// Something that happened, for those who watch.
#[derive(Clone, Debug)]
pub enum Happening {
    /// A row was written.
    Put {
        /// Its key.
        key: (String, String),
        /// The row that it replaced.
        before: Option<Arc<Row>>,
        /// The row.
        after: Arc<Row>,
    },
    /// A row was removed.
    Removed {
        /// Its key.
        key: (String, String),
    },
    /// An object was written.
    Stored {
        /// Where.
        at: ObjectAt,
        /// Its version.
        version: String,
        /// Its bytes.
        bytes: Bytes,
        /// The bytes that were there.
        before: Option<Bytes>,
    },
    /// An object version was removed, or all of them.
    Dropped {
        /// Where.
        at: ObjectAt,
    },
    /// A message went out through a channel.
    Published {
        /// By which.
        medium: Medium,
        /// What it says.
        notice: Notice,
    },
    /// A recogniser looked at an object: that is paid for.
    Recognised {
        /// Where.
        at: ObjectAt,
        /// For what.
        look: &'static str,
    },
}

/// Everything that is outside of a function.
#[derive(Clone, Debug, Default)]
pub struct World {
    /// Object versions by bucket and key, oldest first.
    pub objects: BTreeMap<(String, String), Vec<Stored>>,
    /// Rows by partition and sort key.
    pub rows: BTreeMap<(String, String), Arc<Row>>,
    /// The table's stream, media items only.
    pub stream: Vec<Record>,
    /// What was sent to queues.
    pub sent: Vec<Sent>,
    /// Receipts of messages that were given back, with the queue and the seconds.
    pub returned: Vec<(String, String, u32)>,
    /// What went out through channels.
    pub published: Vec<(Medium, Notice)>,
    /// What channels answer next, in order; empty: they take what they get.
    pub answers: VecDeque<Answer>,
    /// Objects that cannot be copied, by bucket and key: somebody forbade it.
    pub forbidden: BTreeSet<(String, String)>,
    /// Now.
    pub now: UtcMs,
    /// Counts calls.
    pub calls: u64,
    /// Faces that the recogniser keeps, by collection.
    pub collections: BTreeMap<String, Collection>,
    /// Counts object versions.
    pub versions: u64,
    /// What the next calls meet, in order; `None` is a call that goes well. Empty: all go well.
    pub faults: VecDeque<Option<Fault>>,
    /// What happened, since somebody looked; `None` while nobody watches.
    pub happened: Option<Vec<Happening>>,
}

impl World {
    /// The bytes of every object, by `bucket/key`, newest versions only.
    pub fn snapshot(&self) -> BTreeMap<String, usize> {
        self.objects
            .iter()
            .filter_map(|((bucket, key), versions)| Some((format!("{bucket}/{key}"), versions.last()?.bytes.len())))
            .collect()
    }

    /// An object's version, or its newest.
    pub fn object(&self, at: &ObjectAt) -> Option<&Stored> {
        let versions = self.objects.get(&(at.bucket.clone(), at.key.clone()))?;
        match &at.version {
            Some(version) => versions.iter().find(|stored| stored.version == *version),
            None => versions.last(),
        }
    }

    /// Writes an object; gives its version.
    pub fn store(&mut self, at: &ObjectAt, bytes: Bytes) -> String {
        self.add(at, bytes, false)
    }

    fn add(&mut self, at: &ObjectAt, bytes: Bytes, hashed: bool) -> String {
        self.versions += 1;
        let new = Stored { version: format!("v{}", self.versions), bytes: bytes.clone(), modified: self.now, hashed };
        let version = new.version.clone();
        let versions = self.objects.entry((at.bucket.clone(), at.key.clone())).or_default();
        let before = versions.last().map(|stored| stored.bytes.clone());
        versions.push(new);
        self.note(|| Happening::Stored { at: at.clone(), version: version.clone(), bytes, before });
        version
    }

    /// Copies an object; gives the hash of the copy, `None` if the source is not there.
    pub fn copy(&mut self, from: &ObjectAt, to: &ObjectAt) -> SeamResult<Option<Sha256>> {
        if self.forbidden.contains(&(from.bucket.clone(), from.key.clone())) {
            return Err(SeamError { asked: format!("copy of {}", from.key), answer: "access denied".into() });
        }
        let Some(bytes) = self.object(from).map(|source| source.bytes.clone()) else { return Ok(None) };
        let sha256 = hash(&bytes);
        self.add(to, bytes, true);
        Ok(Some(sha256))
    }

    /// The hash that the store keeps of an object.
    pub fn checksum(&self, at: &ObjectAt) -> Option<Sha256> {
        self.object(at).filter(|found| found.hashed).map(|found| hash(&found.bytes))
    }

    /// Removes an object's version, or the object.
    pub fn drop_object(&mut self, at: &ObjectAt) {
        let key = (at.bucket.clone(), at.key.clone());
        let Some(versions) = self.objects.get_mut(&key) else { return };
        let count = versions.len();
        match &at.version {
            Some(version) => versions.retain(|stored| stored.version != *version),
            None => versions.clear(),
        }
        let dropped = versions.len() < count;
        if versions.is_empty() {
            self.objects.remove(&key);
        }
        if dropped {
            self.note(|| Happening::Dropped { at: at.clone() });
        }
    }

    /// Writes a row if `expect` holds.
    pub fn put(&mut self, row: Row, expect: Expect) -> Written {
        let key = key_of(&row);
        if !self.holds(&key, expect) {
            return Written::Conflict;
        }
        self.set(key, row);
        Written::Yes
    }

    /// Does all of these writes if every condition holds.
    pub fn put_all(&mut self, writes: Vec<Write>) -> Written {
        let holds = |write: &Write| !matches!(write, Write::Put(row, expect) if !self.holds(&key_of(row), *expect));
        if !writes.iter().all(holds) {
            return Written::Conflict;
        }
        for write in writes {
            match write {
                Write::Put(row, _) | Write::Set(row) => self.set(key_of(&row), row),
                Write::Remove(key) => self.remove(&key),
            }
        }
        Written::Yes
    }

    fn holds(&self, key: &(String, String), expect: Expect) -> bool {
        let version = self.rows.get(key).map(|row| row.get("version").and_then(serde_json::Value::as_u64));
        match expect {
            Expect::Absent => version.is_none(),
            Expect::Version(wanted) => version == Some(Some(wanted)),
        }
    }

    fn set(&mut self, key: (String, String), row: Row) {
        let after = Arc::new(row);
        let before = self.rows.insert(key.clone(), after.clone());
        if key.1.starts_with(MEDIA_PREFIX) {
            self.stream.push(Record { before: before.clone(), after: after.clone() });
        }
        self.note(|| Happening::Put { key, before, after });
    }

    /// Removes a row.
    pub fn remove(&mut self, key: &RowKey) {
        let key = (key.pk.clone(), key.sk.clone());
        if self.rows.remove(&key).is_some() {
            self.note(|| Happening::Removed { key });
        }
    }

    /// Rows of one partition, a page of them.
    pub fn page(&self, pk: &str, prefix: &str, after: Option<&str>, limit: u32) -> Page<Arc<Row>> {
        let from = (pk.to_owned(), after.unwrap_or_default().max(prefix).to_owned());
        let partition = self.rows.range(from..).take_while(|((p, _), _)| p == pk);
        let wanted = partition.filter(|((_, sk), _)| sk.starts_with(prefix) && after.is_none_or(|after| sk.as_str() > after));
        let found: Vec<_> = wanted.take(limit as usize + 1).collect();
        let page = &found[..found.len().min(limit as usize)];
        let next = (found.len() > page.len()).then(|| page.last().map(|((_, sk), _)| sk.clone())).flatten();
        Page { items: page.iter().map(|(_, row)| Arc::clone(row)).collect(), next }
    }

    /// Rows of one partition before a sort key, the nearest first.
    pub fn page_before(&self, pk: &str, before: &str, limit: u32) -> Vec<Arc<Row>> {
        let (from, to) = ((pk.to_owned(), String::new()), (pk.to_owned(), before.to_owned()));
        self.rows.range(from..to).rev().take(limit as usize).map(|(_, row)| Arc::clone(row)).collect()
    }

    /// Versions of objects, a page of them: the newest of a key first.
    pub fn listed(&self, bucket: &str, prefix: &str, after: Option<&str>, limit: u32) -> Page<Listed> {
        let mut all: Vec<Listed> = Vec::new();
        for ((_, key), versions) in self.objects.iter().filter(|((of, key), _)| of == bucket && key.starts_with(prefix)) {
            all.extend(versions.iter().enumerate().rev().map(|(index, stored)| Listed {
                key: key.clone(),
                version: stored.version.clone(),
                is_latest: index == versions.len() - 1,
                modified: stored.modified,
            }));
        }
        if let Some((version, key)) = after.and_then(|after| after.split_once('/')) {
            match all.iter().position(|it| it.key == key && it.version == version) {
                Some(place) => all = all.split_off(place + 1),
                None => all.retain(|it| it.key.as_str() > key),
            }
        }
        let more = all.len() > limit as usize;
        all.truncate(limit as usize);
        let next = all.last().filter(|_| more).map(|it| format!("{}/{}", it.version, it.key));
        Page { items: all, next }
    }

    /// Keys of the rows in a partition of the sparse index, a page of them: oldest first.
    pub fn work(&self, list: &str, after: Option<&str>, limit: u32) -> Page<RowKey> {
        let after: Option<(i64, String, String)> = after.and_then(|after| serde_json::from_str(after).ok());
        let indexed = self.rows.iter().filter(|(_, row)| row.get("work_pk").is_some_and(|pk| pk == list));
        let place = |((pk, sk), row): (&(String, String), &Arc<Row>)| {
            (row.get("work_at").and_then(serde_json::Value::as_i64).unwrap_or(0), pk.clone(), sk.clone())
        };
        let found: BTreeSet<_> = indexed.map(place).filter(|place| after.as_ref().is_none_or(|after| place > after)).collect();
        let page: Vec<_> = found.iter().take(limit as usize).cloned().collect();
        let more = found.len() > page.len();
        let next = page.last().filter(|_| more).map(|place| serde_json::to_string(place).expect("a place is plain data"));
        Page { items: page.into_iter().map(|(_, pk, sk)| RowKey { pk, sk }).collect(), next }
    }

    /// The bytes that a recogniser looks at, for something.
    pub fn recognise(&mut self, at: &ObjectAt, look: &'static str) -> Result<Bytes, SeamError> {
        let found = self.object(at).map(|found| found.bytes.clone());
        let missing = || SeamError { asked: format!("looking at {}", at.key), answer: "it is not there".into() };
        self.note(|| Happening::Recognised { at: at.clone(), look });
        found.ok_or_else(missing)
    }

    /// A collection that the recogniser looks into: that is paid for.
    pub fn searched(&mut self, collection: &str) -> &mut Collection {
        let at = ObjectAt { bucket: collection.to_owned(), key: String::new(), version: None };
        self.note(|| Happening::Recognised { at, look: "collection" });
        self.collections.entry(collection.to_owned()).or_default()
    }

    /// A message comes to a channel.
    pub fn receive(&mut self, to: &Channel, notice: &Notice) -> Answer {
        let answer = self.answers.pop_front().unwrap_or(Answer::Taken);
        if answer == Answer::Taken {
            self.published.push((to.medium(), notice.clone()));
            self.note(|| Happening::Published { medium: to.medium(), notice: notice.clone() });
        }
        answer
    }

    fn note(&mut self, happening: impl FnOnce() -> Happening) {
        if let Some(happened) = &mut self.happened {
            happened.push(happening());
        }
    }
}

fn key_of(row: &Row) -> (String, String) {
    let text = |name: &str| row.get(name).and_then(|value| value.as_str()).unwrap_or_default().to_owned();
    (text("pk"), text("sk"))
}

fn hash(bytes: &[u8]) -> Sha256 {
    Sha256::from_digest(sha2::Sha256::digest(bytes).into())
}
