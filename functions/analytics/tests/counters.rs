//! Counters equal a full recount, whatever the stream and the table do: records that come again, batches that begin anew, calls that fail before or
//! after their effect, and several readers at once.

use std::{collections::BTreeMap, sync::Arc, task::Poll};

use async_trait::async_trait;
use futures::{
    executor::block_on,
    future::{join_all, poll_fn},
};
use photovault_analytics::on_images;
use photovault_domain::{
    Counted, Counts, Entry, Format, Group, Media, MediaId, Recipe, Sha256, Stage, State, Tally, UserId, UtcMs,
};
use photovault_lambda::Images;
use photovault_sim::{Fabric, Fault, Random};
use photovault_vault::{
    Change, Page, Seams, Vault, media_key, recount,
    seams::{Expect, Row, RowKey, SeamResult, Table, Write, Written},
};

/// Histories of each test.
const HISTORIES: u64 = 60;
/// Items of a history.
const ITEMS: u64 = 12;
/// Changes of a history.
const CHANGES: u64 = 120;

/// A library that changes at random, and all that its stream brought.
struct Library {
    fabric: Fabric,
    random: Random,
    turn: i64,
    stream: Vec<Images>,
}

impl Library {
    fn of(seed: u64) -> Self {
        let mut library = Self { fabric: Fabric::default(), random: Random::new(seed), turn: 0, stream: Vec::new() };
        for _ in 0..CHANGES {
            library.change();
        }
        library
    }

    fn change(&mut self) {
        let number = self.random.below(ITEMS);
        let user: UserId = if number.is_multiple_of(3) { "bob" } else { "ann" }.parse().unwrap();
        let id = MediaId::of_bytes(&user, &Sha256::from_digest([number as u8; 32]));
        let vault = self.fabric.vault();
        let current = block_on(vault.catalog.media(&user, &id)).unwrap();
        if current.is_some() && self.random.per_mille(60) {
            let before = self.fabric.world().rows[&(media_key(&user, &id).pk, media_key(&user, &id).sk)].clone();
            block_on(vault.catalog.remove(&user, &id)).unwrap();
            self.append(Some(before), None);
            return;
        }
        // What comes again has gone before.
        self.turn += 1;
        let created = UtcMs(self.turn * 100_000_000);
        let mut media = current.unwrap_or_else(|| Media {
            format: Some(Format::Jpeg),
            object: Some(format!("originals/{id}")),
            size_bytes: number * 1000,
            ..Media::new(user.clone(), id.clone(), created)
        });
        let stage = self.random.one_of(&[Stage::Validate, Stage::Thumbnail, Stage::Metadata, Stage::Notify]);
        if !media.retry(stage) {
            let entry = self.ended(stage);
            media.record(stage, entry, None);
        }
        block_on(vault.catalog.change(&user, &id, |_| Change::Put(media.clone()))).unwrap();
        let records = std::mem::take(&mut self.fabric.world().stream);
        for record in records {
            self.append(record.before, Some(record.after));
        }
    }

    fn ended(&mut self, stage: Stage) -> Entry {
        let end = self.random.one_of(&[State::Running, State::Done, State::Done, State::Rejected, State::Failed]);
        let bad = matches!(end, State::Rejected | State::Failed);
        let recipes: [Recipe; 2] = [stage.recipe(), serde_json::from_str("\"aaaaaabbbbbb\"").unwrap()];
        Entry {
            state: end,
            reason: bad.then(|| format!("file {} is torn", self.random.below(2000))),
            // Never the same twice, as with a clock.
            finished: end.is_final().then(|| UtcMs((self.random.bits() >> 30) as i64)),
            took_ms: self.random.below(100),
            cost_microusd: self.random.below(5000) as f64 / 1000.0,
            ..Entry::pending(recipes[self.random.below(2) as usize].clone())
        }
    }

    fn append(&mut self, before: Option<Arc<Row>>, after: Option<Arc<Row>>) {
        self.stream.push(Images { sequence: self.stream.len().to_string(), before, after });
    }

    /// What is counted, by user and group.
    fn counted(&self) -> BTreeMap<(String, Group), BTreeMap<String, i64>> {
        let world = self.fabric.world();
        let of_row = |((pk, sk), row): (&(String, String), &Arc<Row>)| {
            let user = pk.strip_prefix("A#").filter(|user| !user.contains('#'))?;
            let counts: Counts =
                serde_json::from_value(row["counts"].clone()).map(|counts| Counts { counts, version: 0 }).unwrap();
            Some(((user.to_owned(), Group::of_key(sk).unwrap()), counts.counts))
        };
        world.rows.iter().filter_map(of_row).filter(|(_, counts)| !counts.is_empty()).collect()
    }

    /// The same, reckoned from every record of the stream once.
    fn by_stream(&self) -> BTreeMap<(String, Group), BTreeMap<String, i64>> {
        let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
        let mut items: BTreeMap<MediaId, Counted> = BTreeMap::new();
        for images in &self.stream {
            let row = images.after.as_ref().or(images.before.as_ref()).unwrap();
            let media: Media = photovault_vault::media_of_row(row).unwrap();
            let after = images.after.is_some().then(|| Counted::of(&media));
            let tally = tallies.entry(media.user.to_string()).or_default();
            tally.add_all(&Tally::of_change(items.get(&media.id), after.as_ref()));
            match after {
                Some(after) => _ = items.insert(media.id, after),
                None => _ = items.remove(&media.id),
            }
        }
        let groups =
            |(user, tally): (String, Tally)| tally.groups.into_iter().map(move |(group, counts)| ((user.clone(), group), counts));
        tallies.into_iter().flat_map(groups).collect()
    }

    /// The same of what there is now, reckoned from the items.
    fn by_items(&self) -> BTreeMap<(String, Group), BTreeMap<String, i64>> {
        let vault = self.fabric.vault();
        let mut sums: BTreeMap<(String, Group), BTreeMap<String, i64>> = BTreeMap::new();
        for user in ["ann", "bob"] {
            let mut tally = Tally::default();
            for media in block_on(vault.catalog.list(&user.parse().unwrap(), "", None, 1000)).unwrap().items {
                tally.add_all(&Tally::of_change(None, Some(&Counted::of(&media))));
            }
            sums.extend(tally.groups.into_iter().map(|(group, counts)| ((user.to_owned(), group), counts)));
        }
        of_now(sums)
    }
}

/// Without what adds up what happened.
fn of_now(all: BTreeMap<(String, Group), BTreeMap<String, i64>>) -> BTreeMap<(String, Group), BTreeMap<String, i64>> {
    let is_now = |name: &str| !["runs/", "failed/", "spent_ms/", "spent_nanousd/"].iter().any(|it| name.starts_with(it));
    let groups = all.into_iter().filter(|((_, group), _)| !matches!(group, Group::Hour(_)));
    let groups = groups.map(|(key, mut counts)| {
        counts.retain(|name, _| is_now(name));
        (key, counts)
    });
    groups.filter(|(_, counts)| !counts.is_empty()).collect()
}

fn deliver(vault: Vault, batch: &[Images]) -> Option<String> {
    block_on(on_images(vault, batch.to_vec())).err()
}

#[test]
fn one_reader_counts_each_change_once_whatever_comes_again_or_fails() {
    let mut failures = 0;
    for seed in 0..HISTORIES {
        let mut library = Library::of(seed);
        let (mut at, mut turns) = (0, 0);
        while at < library.stream.len() {
            let end = (at + 1 + library.random.below(40) as usize).min(library.stream.len());
            let random = &mut library.random;
            // In time the table recovers.
            let often = if turns < 200 { 60 } else { 0 };
            let mut fault = |_| random.per_mille(often).then(|| random.one_of(&[Fault::Before, Fault::After]));
            let faults = (0..200).map(&mut fault).collect();
            library.fabric.world().faults = faults;
            let failed = deliver(library.fabric.vault(), &library.stream[at..end]);
            library.fabric.world().faults.clear();
            turns += 1;
            failures += u32::from(failed.is_some());
            // A batch begins again where it failed; some are read and come again all the same, from some earlier record on.
            at = match failed {
                Some(sequence) => sequence.parse().unwrap(),
                None if turns < 200 && library.random.per_mille(300) => at.saturating_sub(library.random.below(30) as usize),
                None => end,
            };
        }
        let (counted, want) = (library.counted(), library.by_stream());
        for (key, counts) in &want {
            assert_eq!(counted.get(key), Some(counts), "history {seed}, {key:?}");
        }
        assert_eq!(counted.len(), want.len(), "history {seed}");
        assert_eq!(of_now(library.counted()), library.by_items(), "history {seed}");
    }
    assert!(failures > 500, "only {failures} batches failed");
}

#[test]
fn several_readers_at_once_agree_with_a_recount() {
    let mut conflicts = 0;
    for seed in 0..HISTORIES {
        let mut library = Library::of(1000 + seed);
        let seams = library.fabric.seams();
        let table =
            Arc::new(Turns { table: seams.table.clone(), conflicts: 0.into(), random: std::sync::Mutex::new(Random::new(seed)) });
        let vault = Vault::new(Seams { table: table.clone(), ..seams }, library.fabric.vault().names);
        // Each reads all, in batches of its own; none waits for another.
        let readers: Vec<_> = (0..3)
            .map(|_| {
                let mut batches = Vec::new();
                let mut rest = &library.stream[..];
                while !rest.is_empty() {
                    let (batch, left) = rest.split_at((1 + library.random.below(20) as usize).min(rest.len()));
                    batches.push(batch.to_vec());
                    rest = left;
                }
                let vault = vault.clone();
                async move {
                    for batch in batches {
                        while on_images(vault.clone(), batch.clone()).await.is_err() {}
                    }
                }
            })
            .collect();
        block_on(join_all(readers));
        conflicts += table.conflicts.load(std::sync::atomic::Ordering::Relaxed);
        assert_eq!(of_now(library.counted()), library.by_items(), "history {seed}");
    }
    assert!(conflicts > 1000, "only {conflicts} conflicts");
}

#[test]
fn a_recount_finds_what_the_stream_lost() {
    for seed in 0..HISTORIES {
        let library = Library::of(2000 + seed);
        let lost = |index: usize| !(index + seed as usize).is_multiple_of(3);
        let kept: Vec<Images> = library.stream.iter().enumerate().filter(|(at, _)| lost(*at)).map(|(_, it)| it.clone()).collect();
        assert_eq!(deliver(library.fabric.vault(), &kept), None);
        let mut items = 0;
        for user in ["ann", "bob"] {
            items += block_on(recount(&library.fabric.vault(), &user.parse().unwrap())).unwrap();
        }
        assert!(items > 0);
        assert_eq!(of_now(library.counted()), library.by_items(), "history {seed}");
    }
}

/// A table whose calls wait for others' turns, at random.
struct Turns {
    table: Arc<dyn Table>,
    conflicts: std::sync::atomic::AtomicU32,
    random: std::sync::Mutex<Random>,
}

impl Turns {
    async fn turn(&self) {
        let mut left = self.random.lock().unwrap().below(4);
        poll_fn(|context| {
            if left == 0 {
                return Poll::Ready(());
            }
            left -= 1;
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }
}

#[async_trait]
impl Table for Turns {
    async fn row(&self, key: &RowKey) -> SeamResult<Option<Arc<Row>>> {
        self.turn().await;
        self.table.row(key).await
    }

    async fn put(&self, row: Row, expect: Expect) -> SeamResult<Written> {
        self.table.put(row, expect).await
    }

    async fn put_all(&self, writes: Vec<Write>) -> SeamResult<Written> {
        self.turn().await;
        let written = self.table.put_all(writes).await?;
        if written == Written::Conflict {
            self.conflicts.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
        Ok(written)
    }

    async fn remove(&self, key: &RowKey) -> SeamResult<()> {
        self.table.remove(key).await
    }

    async fn rows(&self, pk: &str, prefix: &str, after: Option<&str>, limit: u32) -> SeamResult<Page<Arc<Row>>> {
        self.table.rows(pk, prefix, after, limit).await
    }

    async fn rows_before(&self, pk: &str, before: &str, limit: u32) -> SeamResult<Vec<Arc<Row>>> {
        self.table.rows_before(pk, before, limit).await
    }

    async fn work(&self, list: &str, after: Option<&str>, limit: u32) -> SeamResult<Page<RowKey>> {
        self.table.work(list, after, limit).await
    }
}
