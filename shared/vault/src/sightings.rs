//! Sightings: what seemed to belong to nothing, and since when. Nothing is removed at first sight.

use std::sync::Arc;

use photovault_domain::UtcMs;
use serde::{Deserialize, Serialize};

use crate::{
    rows::{row_of, value_at},
    seams::{Clock, RowKey, SeamResult, Table, Write},
};

/// The sightings' partition.
const SIGHTINGS: &str = "ORPHANS";

#[derive(Serialize, Deserialize)]
struct Sighting {
    at: UtcMs,
}

/// What was seen before.
#[derive(Clone)]
pub struct Sightings {
    table: Arc<dyn Table>,
    clock: Arc<dyn Clock>,
}

impl Sightings {
    pub(crate) fn new(table: Arc<dyn Table>, clock: Arc<dyn Clock>) -> Self {
        Self { table, clock }
    }

    /// When it was seen first, if it was.
    pub async fn first(&self, key: &str) -> SeamResult<Option<UtcMs>> {
        Ok(value_at::<Sighting>(&*self.table, &row_key(key)).await?.map(|sighting| sighting.at))
    }

    /// It is seen now, for the first time.
    pub async fn begin(&self, key: &str) -> SeamResult<()> {
        let row = row_of(&Sighting { at: self.clock.now() }, row_key(key));
        self.table.put_all(vec![Write::Set(row)]).await.map(|_| ())
    }

    /// It is gone.
    pub async fn end(&self, key: &str) -> SeamResult<()> {
        self.table.remove(&row_key(key)).await
    }
}

fn row_key(key: &str) -> RowKey {
    RowKey { pk: SIGHTINGS.to_owned(), sk: key.to_owned() }
}
