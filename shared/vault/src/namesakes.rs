//! What photos and sidecars know of each other, one row for each stem of a name.

use photovault_domain::{Namesakes, UserId, stem_key};

use crate::{
    Catalog,
    catalog::{MAX_CONFLICTS, overtaken},
    rows::{row_of, value_at},
    seams::{Expect, RowKey, SeamResult, Written},
};

impl Catalog {
    /// What was uploaded under names with this stem.
    pub async fn namesakes(&self, user: &UserId, stem: &str) -> SeamResult<Namesakes> {
        Ok(value_at(&*self.table, &key(user, stem)).await?.unwrap_or_default())
    }

    /// Changes them, and gives them as they are then. `change` says whether it changed anything; it may run several times.
    pub async fn change_namesakes(
        &self,
        user: &UserId,
        stem: &str,
        mut change: impl FnMut(&mut Namesakes) -> bool + Send,
    ) -> SeamResult<Namesakes> {
        for _ in 0..MAX_CONFLICTS {
            let mut names = self.namesakes(user, stem).await?;
            if !change(&mut names) {
                return Ok(names);
            }
            let expect = Expect::read(names.version);
            names.version += 1;
            if self.table.put(row_of(&names, key(user, stem)), expect).await? == Written::Yes {
                return Ok(names);
            }
        }
        Err(overtaken("change of the files with one name".to_owned()))
    }
}

fn key(user: &UserId, stem: &str) -> RowKey {
    RowKey { pk: format!("U#{user}"), sk: format!("N#{}", stem_key(stem)) }
}
