//! Restore drills: the one that is under way, and what the others came to.

use std::sync::Arc;

use photovault_domain::UtcMs;
use serde::{Deserialize, Serialize};

use crate::{
    rows::{row_of, value_at, value_of},
    seams::{RowKey, SeamResult, Table, Write},
};

const DRILLS: &str = "DRILL";
/// Behind every finished one.
const BEGUN: &str = "begun";

/// What a drill came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drill {
    /// When the backup was made that it read.
    pub backup: UtcMs,
    /// When it began.
    pub started: UtcMs,
    /// How long its runs took.
    pub took_ms: u64,
    /// Segments that were read.
    pub segments: u64,
    /// Items that the backup has alive.
    pub items: u64,
    /// Originals that were read.
    pub originals: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Originals whose SHA-256 is the one of their item.
    pub matched: u64,
}

/// The drills.
#[derive(Clone)]
pub struct Drills {
    table: Arc<dyn Table>,
}

impl Drills {
    pub(crate) fn new(table: Arc<dyn Table>) -> Self {
        Self { table }
    }

    /// The one that is under way.
    pub async fn begun(&self) -> SeamResult<Option<Drill>> {
        value_at(&*self.table, &row_key(BEGUN)).await
    }

    /// Keeps what a drill has come to.
    pub async fn keep(&self, drill: &Drill, complete: bool) -> SeamResult<()> {
        let writes = if complete {
            vec![Write::Set(row_of(drill, row_key(&drill.started.sort_key()))), Write::Remove(row_key(BEGUN))]
        } else {
            vec![Write::Set(row_of(drill, row_key(BEGUN)))]
        };
        self.table.put_all(writes).await.map(|_| ())
    }

    /// The latest that came to their end, the latest first.
    pub async fn latest(&self, limit: u32) -> SeamResult<Vec<Drill>> {
        self.table.rows_before(DRILLS, BEGUN, limit).await?.iter().map(|row| value_of(row)).collect()
    }
}

fn row_key(sk: &str) -> RowKey {
    RowKey { pk: DRILLS.to_owned(), sk: sk.to_owned() }
}
