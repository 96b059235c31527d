//! The memories of the day, as they were prepared for a user in the morning.

use photovault_domain::UserId;
use serde::{Deserialize, Serialize};

use crate::{
    Memory, Vault,
    rows::{row_of, value_at},
    seams::{RowKey, SeamResult, Write},
};

/// What was on this day in other years.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayMemories {
    /// Which day, `YYYY-MM-DD` where the user lives.
    pub day: String,
    /// The latest year first; empty where there is nothing to tell.
    pub memories: Vec<Memory>,
}

impl Vault {
    /// What was prepared last.
    pub async fn day_memories(&self, user: &UserId) -> SeamResult<Option<DayMemories>> {
        value_at(&*self.catalog.table, &key(user)).await
    }

    /// Keeps what was prepared, in place of what was before.
    pub async fn keep_day_memories(&self, user: &UserId, memories: &DayMemories) -> SeamResult<()> {
        self.catalog.table.put_all(vec![Write::Set(row_of(memories, key(user)))]).await.map(|_| ())
    }
}

fn key(user: &UserId) -> RowKey {
    RowKey { pk: format!("U#{user}"), sk: "memories".to_owned() }
}
