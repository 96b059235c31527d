//! What a library looks like: one small row for every picture as it comes, and pieces of the packed blob that rows become.
//!
//! A row costs the same in a vault of any size, and so does its way into a piece: a piece is written once, by who looks for
//! duplicates and finds enough rows. Rows and pieces only propose: whether an item is still there and looks like that, the catalog says.
//! So nothing has to be done where an item changes or goes.

use std::sync::Arc;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use photovault_domain::{Look, MediaId, PHash, Recipe, UserId};
use serde::{Deserialize, Serialize};

use crate::{
    Originals,
    rows::{each_row, row_of, sort_key, value_at, value_of},
    seams::{Clock, Expect, Row, RowKey, SeamError, SeamResult, Table, Written},
};

/// Rows that one request lists.
const PAGE: u32 = 1000;
/// Pieces that are read, or rows that are removed, at once.
const AT_ONCE: usize = 16;
/// Bytes of a piece at most: thousands of pictures, each near 32 others, are 5 MB.
const MAX_PIECE_BYTES: u64 = 64 << 20;

/// A picture that is in no piece yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Noted {
    /// Which.
    pub media: MediaId,
    /// Its hash.
    pub phash: PHash,
    key: RowKey,
}

/// The pieces of a user's blob.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pieces {
    /// Object keys, in the order in which they were written.
    pub keys: Vec<String>,
    /// Counts the writes.
    pub version: u64,
}

#[derive(Serialize, Deserialize)]
struct NotedRow {
    phash: PHash,
}

/// Looks.
#[derive(Clone)]
pub struct Looks {
    table: Arc<dyn Table>,
    clock: Arc<dyn Clock>,
    originals: Originals,
}

impl Looks {
    pub(crate) fn new(table: Arc<dyn Table>, clock: Arc<dyn Clock>, originals: Originals) -> Self {
        Self { table, clock, originals }
    }

    /// Notes what an item looks like, by what recipe. Twice is once.
    pub async fn note(&self, user: &UserId, media: &MediaId, recipe: &Recipe, look: &Look) -> SeamResult<()> {
        let key = RowKey { pk: partition(user), sk: format!("{media}#{recipe}") };
        self.table.put(row_of(&NotedRow { phash: look.phash }, key), Expect::Absent).await.map(|_| ())
    }

    /// The pictures that are in no piece yet, in order of their keys.
    pub async fn noted(&self, user: &UserId) -> SeamResult<Vec<Noted>> {
        let mut noted = Vec::new();
        each_row(&*self.table, &partition(user), "", None, PAGE, |row| {
            noted.push(noted_of(user, row)?);
            Ok(())
        })
        .await?;
        Ok(noted)
    }

    /// Which pieces there are.
    pub async fn pieces(&self, user: &UserId) -> SeamResult<Pieces> {
        Ok(value_at(&*self.table, &pieces_key(user)).await?.unwrap_or_default())
    }

    /// What is in them, in their order.
    pub async fn read(&self, pieces: &Pieces) -> SeamResult<Vec<Vec<u8>>> {
        let missing = |key: &str| SeamError { asked: format!("read of {key}"), answer: "it is not there".to_owned() };
        let read = |key: String| async move { self.originals.read(&key, MAX_PIECE_BYTES).await?.ok_or_else(|| missing(&key)) };
        stream::iter(pieces.keys.iter().cloned().map(read)).buffered(AT_ONCE).try_collect().await
    }

    /// Makes a piece of rows: writes it, adds it to `pieces` as they were read, and removes the rows that are in it. Where another came
    /// first nothing is changed: its piece has the rows. Where this ends half way, rows stand twice, which is once.
    pub async fn pack(&self, user: &UserId, pieces: &Pieces, rows: &[Noted], bytes: Vec<u8>) -> SeamResult<()> {
        // A random word: two who pack at once must not write over each other.
        let key = format!("looks/{user}/{:06}-{:016x}", pieces.version, self.clock.random());
        self.originals.store_piece(&key, bytes.into()).await?;
        let next = Pieces { keys: pieces.keys.iter().cloned().chain([key]).collect(), version: pieces.version + 1 };
        let expect = Expect::read(pieces.version);
        if self.table.put(row_of(&next, pieces_key(user)), expect).await? == Written::Conflict {
            return Ok(());
        }
        let removals = stream::iter(rows.iter().map(|noted| self.table.remove(&noted.key))).buffer_unordered(AT_ONCE);
        removals.try_collect::<Vec<()>>().await.map(|_| ())
    }
}

fn partition(user: &UserId) -> String {
    format!("U#{user}#L")
}

fn pieces_key(user: &UserId) -> RowKey {
    RowKey { pk: format!("U#{user}"), sk: "L#pieces".to_owned() }
}

fn noted_of(user: &UserId, row: &Row) -> SeamResult<Noted> {
    let NotedRow { phash } = value_of(row)?;
    let sk = sort_key(row);
    let media = sk.split('#').next().unwrap_or_default().parse();
    let media =
        media.map_err(|_| SeamError { asked: format!("reading of row {sk}"), answer: "its key names no item".to_owned() })?;
    Ok(Noted { media, phash, key: RowKey { pk: partition(user), sk: sk.to_owned() } })
}
