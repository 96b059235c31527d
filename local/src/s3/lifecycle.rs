//! A bucket's lifecycle rules: what it forgets by itself, as the template says.

use rusqlite::{Connection, params};

use super::{Buckets, multipart::remove_upload, objects::orphan};
use photovault_domain::DAY_MS;

use crate::store::BlobName;

/// Rows that one transaction removes.
const ROWS: i64 = 500;

/// One rule. What it does not say it does not do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LifecycleRule {
    /// Keys that begin so.
    pub prefix: String,
    /// Objects go so many days after they were written: behind a delete marker where versions are kept.
    pub expire_days: Option<u32>,
    /// A version goes so many days after a newer one, or a delete marker, took its place.
    pub noncurrent_days: Option<u32>,
    /// Multipart uploads that nobody completed go so many days after they began.
    pub abort_days: Option<u32>,
    /// A delete marker goes when nothing is behind it any more.
    pub lone_markers: bool,
}

impl Buckets {
    /// Applies rules to a bucket, as of `now_ms`; gives how many versions, markers and uploads went.
    pub async fn forget(&self, bucket: &str, rules: &[LifecycleRule], now_ms: i64) -> anyhow::Result<u64> {
        let mut forgotten = 0;
        for rule in rules {
            loop {
                let (bucket, rule) = (bucket.to_owned(), rule.clone());
                let (count, orphans) = self.store.write(move |connection| step(connection, &bucket, &rule, now_ms)).await?;
                self.store.blobs().remove(&orphans);
                forgotten += count;
                if count == 0 {
                    break;
                }
            }
        }
        Ok(forgotten)
    }
}

/// Some of what a rule says, in one transaction; nothing when all is done.
fn step(connection: &Connection, bucket: &str, rule: &LifecycleRule, now_ms: i64) -> anyhow::Result<(u64, Vec<BlobName>)> {
    let before = |days: u32| now_ms - i64::from(days) * DAY_MS;
    // Behind every key of the prefix: no key has this character.
    let until = format!("{}\u{10ffff}", rule.prefix);
    let mut orphans = Vec::new();
    let mut count = 0;
    if let Some(days) = rule.expire_days {
        let mut expire = connection.prepare_cached(
            "SELECT key FROM objects WHERE bucket = ?1 AND key >= ?2 AND key < ?3 AND latest = 1 AND marker = 0 AND modified_ms <= ?4 LIMIT ?5",
        )?;
        let found = expire.query_map(params![bucket, rule.prefix, until, before(days), ROWS], |row| row.get(0))?;
        for key in found.collect::<Result<Vec<String>, _>>()? {
            let deleted = super::objects::delete(connection, bucket, &key, None, None)?;
            orphans.extend(deleted.map_err(|refusal| anyhow::anyhow!("{refusal}"))?.orphans);
            count += 1;
        }
    }
    if let Some(days) = rule.noncurrent_days {
        let mut old = connection.prepare_cached(
            "SELECT id, blob FROM objects AS old WHERE bucket = ?1 AND key >= ?2 AND key < ?3 AND latest = 0
             AND (SELECT modified_ms FROM objects AS newer WHERE newer.bucket = old.bucket AND newer.key = old.key AND newer.id > old.id
                  ORDER BY newer.id LIMIT 1) <= ?4 LIMIT ?5",
        )?;
        let found =
            old.query_map(params![bucket, rule.prefix, until, before(days), ROWS], |row| Ok((row.get(0)?, row.get(1)?)))?;
        for (row, blob) in found.collect::<Result<Vec<(i64, Option<BlobName>)>, _>>()? {
            connection.prepare_cached("DELETE FROM objects WHERE id = ?1")?.execute([row])?;
            orphans.extend(orphan(connection, blob)?);
            count += 1;
        }
    }
    if rule.lone_markers {
        count += connection
            .prepare_cached(
                "DELETE FROM objects WHERE id IN (SELECT id FROM objects AS marker WHERE bucket = ?1 AND key >= ?2 AND key < ?3
                 AND latest = 1 AND marker = 1 AND NOT EXISTS
                 (SELECT 1 FROM objects AS other WHERE other.bucket = ?1 AND other.key = marker.key AND other.id <> marker.id) LIMIT ?4)",
            )?
            .execute(params![bucket, rule.prefix, until, ROWS])? as u64;
    }
    if let Some(days) = rule.abort_days {
        let mut begun = connection.prepare_cached(
            "SELECT id FROM uploads WHERE bucket = ?1 AND key >= ?2 AND key < ?3 AND started_ms <= ?4 LIMIT ?5",
        )?;
        let found = begun.query_map(params![bucket, rule.prefix, until, before(days), ROWS], |row| row.get(0))?;
        for id in found.collect::<Result<Vec<String>, _>>()? {
            remove_upload(connection, &id, &mut orphans)?;
            count += 1;
        }
    }
    Ok((count, orphans))
}
