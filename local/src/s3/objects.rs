//! Rows of objects: put, copy, find, delete. Every function runs inside the caller's transaction.

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use s3s::{S3Result, dto::ETagCondition, s3_error};

use super::{
    Bucket, Headers, Versioning, bucket,
    checks::Kept,
    events::{Event, notify},
    granted,
};
use crate::{
    clock::now_ms,
    store::{BlobName, is_referenced},
};

const COLUMNS: &str = "id, key, version, latest, marker, blob, size, sha256, etag, modified_ms, checksum, headers";

/// One version of one key.
#[derive(Clone, Debug)]
pub(super) struct Object {
    pub(super) row: i64,
    pub(super) key: String,
    pub(super) version: String,
    pub(super) latest: bool,
    /// Whether it is a delete marker: no blob, nothing to read.
    pub(super) marker: bool,
    pub(super) blob: Option<BlobName>,
    pub(super) size_bytes: u64,
    pub(super) sha256: String,
    pub(super) etag: String,
    pub(super) modified_ms: i64,
    pub(super) kept: Option<Kept>,
    pub(super) headers: Headers,
}

/// What a put writes.
pub(super) struct Put {
    pub(super) bucket: String,
    pub(super) key: String,
    pub(super) blob: BlobName,
    pub(super) size_bytes: u64,
    pub(super) sha256: String,
    pub(super) etag: String,
    pub(super) kept: Kept,
    pub(super) headers: Headers,
    pub(super) if_match: Option<ETagCondition>,
    pub(super) if_none_match: Option<ETagCondition>,
    /// Event name, `ObjectCreated:Put`.
    pub(super) event: &'static str,
}

/// What a write leaves to do once it is committed, and what it tells the client.
#[derive(Default)]
pub(super) struct Written {
    /// The version's id, in a bucket that keeps versions.
    pub(super) version: Option<String>,
    pub(super) modified_ms: i64,
    /// Whether a delete marker was written or removed.
    pub(super) marker: bool,
    /// Blobs that no row names any more.
    pub(super) orphans: Vec<BlobName>,
    /// Queues with a new message.
    pub(super) rung: Vec<String>,
}

pub(super) fn put(connection: &Connection, put: &Put) -> anyhow::Result<S3Result<Written>> {
    let bucket = granted!(bucket(connection, &put.bucket)?);
    let current = find(connection, &put.bucket, &put.key, None)?.filter(|object| !object.marker);
    granted!(conditions(current.as_ref(), put.if_match.as_ref(), put.if_none_match.as_ref()));
    let (version, mut orphans) = make_room(connection, &bucket, &put.key)?;
    let modified_ms = now_ms();
    connection
        .prepare_cached(
            "INSERT INTO objects (bucket, key, version, latest, marker, blob, size, sha256, etag, modified_ms, checksum, headers)
             VALUES (?1, ?2, ?3, 1, 0, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?
        .execute(params![
            put.bucket,
            put.key,
            version,
            put.blob,
            put.size_bytes as i64,
            put.sha256,
            put.etag,
            modified_ms,
            serde_json::to_string(&put.kept)?,
            serde_json::to_string(&put.headers)?
        ])?;
    let row = connection.last_insert_rowid();
    // A copy onto itself keeps its blob.
    orphans.retain(|blob| *blob != put.blob);
    let version = (bucket.versioning != Versioning::Off).then_some(version);
    let event = Event {
        name: put.event,
        key: &put.key,
        size_bytes: put.size_bytes,
        etag: &put.etag,
        version: version.as_deref(),
        row,
        at_ms: modified_ms,
    };
    let rung = notify(connection, &bucket, &event)?;
    Ok(Ok(Written { version, modified_ms, marker: false, orphans, rung }))
}

/// Deletes as S3 does: a named version for good; else the newest, behind a delete marker where versions are kept.
pub(super) fn delete(
    connection: &Connection,
    bucket_name: &str,
    key: &str,
    version: Option<&str>,
    if_match: Option<&ETagCondition>,
) -> anyhow::Result<S3Result<Written>> {
    let bucket = granted!(bucket(connection, bucket_name)?);
    let found = find(connection, bucket_name, key, version)?;
    granted!(conditions(found.as_ref().filter(|object| !object.marker), if_match, None));
    if version.is_some() || bucket.versioning == Versioning::Off {
        let Some(object) = found else {
            return Ok(Ok(Written { version: version.map(str::to_owned), ..Written::default() }));
        };
        return remove_row(connection, &bucket, &object, version.is_some()).map(Ok);
    }
    let (version, orphans) = make_room(connection, &bucket, key)?;
    let modified_ms = now_ms();
    connection
        .prepare_cached(
            "INSERT INTO objects (bucket, key, version, latest, marker, blob, size, sha256, etag, modified_ms, checksum, headers)
             VALUES (?1, ?2, ?3, 1, 1, NULL, 0, '', '', ?4, 'null', '{}')",
        )?
        .execute(params![bucket_name, key, version, modified_ms])?;
    let row = connection.last_insert_rowid();
    let event = Event {
        name: "ObjectRemoved:DeleteMarkerCreated",
        key,
        size_bytes: 0,
        etag: "",
        version: Some(&version),
        row,
        at_ms: modified_ms,
    };
    let rung = notify(connection, &bucket, &event)?;
    Ok(Ok(Written { version: Some(version.clone()), modified_ms, marker: true, orphans, rung }))
}

/// A version of a key, or its newest; a delete marker is found like any other.
pub(super) fn find(connection: &Connection, bucket: &str, key: &str, version: Option<&str>) -> anyhow::Result<Option<Object>> {
    let object = match version {
        Some(version) => connection
            .prepare_cached(&format!("SELECT {COLUMNS} FROM objects WHERE bucket = ?1 AND key = ?2 AND version = ?3"))?
            .query_row(params![bucket, key, version], read)
            .optional()?,
        None => connection
            .prepare_cached(&format!("SELECT {COLUMNS} FROM objects WHERE bucket = ?1 AND key = ?2 AND latest = 1"))?
            .query_row(params![bucket, key], read)
            .optional()?,
    };
    Ok(object)
}

/// Rows of a listing: the newest of each key from `from` on, or every version.
pub(super) fn select_sql(condition: &str) -> String {
    format!("SELECT {COLUMNS} FROM objects WHERE bucket = ?1 AND {condition}")
}

pub(super) fn read(row: &Row) -> rusqlite::Result<Object> {
    let (checksum, headers): (String, String) = (row.get(10)?, row.get(11)?);
    Ok(Object {
        row: row.get(0)?,
        key: row.get(1)?,
        version: row.get(2)?,
        latest: row.get(3)?,
        marker: row.get(4)?,
        blob: row.get(5)?,
        size_bytes: row.get::<_, i64>(6)? as u64,
        sha256: row.get(7)?,
        etag: row.get(8)?,
        modified_ms: row.get(9)?,
        kept: serde_json::from_str(&checksum).unwrap_or_default(),
        headers: serde_json::from_str(&headers).unwrap_or_default(),
    })
}

/// The conditions of a write against what the key holds.
fn conditions(current: Option<&Object>, if_match: Option<&ETagCondition>, if_none_match: Option<&ETagCondition>) -> S3Result<()> {
    if let Some(wanted) = if_match {
        let current = current.ok_or_else(|| s3_error!(NoSuchKey, "If-Match: there is no such object"))?;
        if !matches(wanted, current) {
            return Err(s3_error!(PreconditionFailed, "If-Match: the object's ETag is another"));
        }
    }
    match (if_none_match, current) {
        (Some(unwanted), Some(current)) if matches(unwanted, current) => {
            Err(s3_error!(PreconditionFailed, "If-None-Match: the object is there"))
        }
        _ => Ok(()),
    }
}

pub(super) fn matches(condition: &ETagCondition, object: &Object) -> bool {
    condition.is_any() || condition.as_etag().is_some_and(|etag| etag.value() == object.etag)
}

/// Makes way for a new newest version: gives its id and the blobs that lost their last row.
fn make_room(connection: &Connection, bucket: &Bucket, key: &str) -> anyhow::Result<(String, Vec<BlobName>)> {
    if bucket.versioning == Versioning::Enabled {
        connection
            .prepare_cached("UPDATE objects SET latest = 0 WHERE bucket = ?1 AND key = ?2 AND latest = 1")?
            .execute([&bucket.name, key])?;
        let version = connection.prepare_cached("SELECT hex(randomblob(16))")?.query_row([], |row| row.get(0))?;
        return Ok((version, Vec::new()));
    }
    // The one version without an id is replaced; older ones of a suspended bucket stay.
    let replaced = find(connection, &bucket.name, key, Some("null"))?;
    connection
        .prepare_cached("UPDATE objects SET latest = 0 WHERE bucket = ?1 AND key = ?2 AND latest = 1")?
        .execute([&bucket.name, key])?;
    let mut orphans = Vec::new();
    if let Some(replaced) = replaced {
        connection.prepare_cached("DELETE FROM objects WHERE id = ?1")?.execute([replaced.row])?;
        orphans.extend(orphan(connection, replaced.blob)?);
    }
    Ok(("null".to_owned(), orphans))
}

fn remove_row(connection: &Connection, bucket: &Bucket, object: &Object, named: bool) -> anyhow::Result<Written> {
    connection.prepare_cached("DELETE FROM objects WHERE id = ?1")?.execute([object.row])?;
    if object.latest {
        connection
            .prepare_cached(
                "UPDATE objects SET latest = 1 WHERE id = (SELECT MAX(id) FROM objects WHERE bucket = ?1 AND key = ?2)",
            )?
            .execute([&bucket.name, &object.key])?;
    }
    let orphans = orphan(connection, object.blob.clone())?.into_iter().collect();
    let version = named.then(|| object.version.clone());
    let event = Event {
        name: "ObjectRemoved:Delete",
        key: &object.key,
        size_bytes: 0,
        etag: "",
        version: version.as_deref(),
        row: object.row,
        at_ms: now_ms(),
    };
    let rung = notify(connection, bucket, &event)?;
    Ok(Written { version, modified_ms: 0, marker: object.marker, orphans, rung })
}

/// The blob, if no row names it any more.
pub(super) fn orphan(connection: &Connection, blob: Option<BlobName>) -> anyhow::Result<Option<BlobName>> {
    match blob {
        Some(blob) if !is_referenced(connection, &blob)? => Ok(Some(blob)),
        _ => Ok(None),
    }
}
