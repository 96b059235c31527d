//! Multipart uploads under way: look-ups and listings.

use rusqlite::OptionalExtension as _;
use s3s::{
    S3Response, S3Result,
    dto::{
        ChecksumAlgorithm, ETag, ListMultipartUploadsInput, ListMultipartUploadsOutput, ListPartsInput, ListPartsOutput,
        MultipartUpload, Part,
    },
    s3_error,
};

use super::{
    Buckets,
    checks::{Algorithm, Kept},
    listing::shown,
    service::{internal, owner, timestamp},
};
use crate::store::BlobName;

/// An upload under way.
pub(super) struct Upload {
    pub(super) id: String,
    pub(super) key: String,
    pub(super) started_ms: i64,
    pub(super) algorithm: Option<Algorithm>,
    pub(super) full_object: bool,
    pub(super) headers: String,
}

/// A part that arrived.
pub(super) struct PartRow {
    pub(super) number: i32,
    pub(super) blob: BlobName,
    pub(super) size_bytes: u64,
    pub(super) sha256: String,
    pub(super) etag: String,
    pub(super) modified_ms: i64,
    pub(super) kept: Kept,
}

impl Buckets {
    pub(super) fn parts(&self, input: ListPartsInput) -> S3Result<S3Response<ListPartsOutput>> {
        let upload = self.upload(&input.bucket, &input.key, &input.upload_id)?;
        let after = input.part_number_marker.unwrap_or(0);
        let max = usize::try_from(input.max_parts.unwrap_or(1000)).unwrap_or(0).min(1000);
        let mut rows: Vec<_> = self.part_rows(&input.upload_id)?.into_iter().filter(|part| part.number > after).collect();
        let is_truncated = rows.len() > max;
        rows.truncate(max);
        Ok(S3Response::new(ListPartsOutput {
            is_truncated: Some(is_truncated),
            next_part_number_marker: rows.last().map(|part| part.number),
            parts: Some(rows.into_iter().map(listed_part).collect()),
            checksum_algorithm: upload.algorithm.map(|algorithm| ChecksumAlgorithm::from(algorithm.name().to_owned())),
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(input.upload_id),
            max_parts: Some(max as i32),
            part_number_marker: Some(after),
            owner: Some(owner()),
            ..Default::default()
        }))
    }

    pub(super) fn uploads(&self, input: ListMultipartUploadsInput) -> S3Result<S3Response<ListMultipartUploadsOutput>> {
        self.bucket(&input.bucket)?;
        let encoded = input.encoding_type.is_some();
        let prefix = input.prefix.clone().unwrap_or_default();
        let found = self.store.read(|connection| {
            let mut all =
                connection.prepare_cached(&format!("{SELECT_UPLOAD} WHERE bucket = ?1 ORDER BY key, started_ms LIMIT 1000"))?;
            Ok(all.query_map([&input.bucket], read_upload)?.collect::<Result<Vec<_>, _>>()?)
        });
        let uploads =
            found.map_err(internal)?.into_iter().filter(|upload| upload.key.starts_with(&prefix)).map(|upload| MultipartUpload {
                initiated: Some(timestamp(upload.started_ms)),
                key: Some(shown(&upload.key, encoded)),
                upload_id: Some(upload.id),
                owner: Some(owner()),
                ..Default::default()
            });
        Ok(S3Response::new(ListMultipartUploadsOutput {
            uploads: Some(uploads.collect()),
            bucket: Some(input.bucket),
            is_truncated: Some(false),
            encoding_type: input.encoding_type,
            prefix: input.prefix,
            ..Default::default()
        }))
    }

    pub(super) fn upload(&self, bucket: &str, key: &str, id: &str) -> S3Result<Upload> {
        let found = self.store.read(|connection| {
            let mut find = connection.prepare_cached(&format!("{SELECT_UPLOAD} WHERE id = ?1 AND bucket = ?2 AND key = ?3"))?;
            Ok(find.query_row([id, bucket, key], read_upload).optional()?)
        });
        found
            .map_err(internal)?
            .ok_or_else(|| s3_error!(NoSuchUpload, "there is no such upload: it was completed, aborted or never begun"))
    }

    pub(super) fn part_rows(&self, upload: &str) -> S3Result<Vec<PartRow>> {
        let rows = self.store.read(|connection| {
            let mut all = connection.prepare_cached(
                "SELECT number, blob, size, sha256, etag, modified_ms, checksum FROM parts WHERE upload = ?1 ORDER BY number",
            )?;
            let mut rows = all.query([upload])?;
            let mut parts = Vec::new();
            while let Some(row) = rows.next()? {
                parts.push(PartRow {
                    number: row.get(0)?,
                    blob: row.get(1)?,
                    size_bytes: row.get::<_, i64>(2)? as u64,
                    sha256: row.get(3)?,
                    etag: row.get(4)?,
                    modified_ms: row.get(5)?,
                    kept: serde_json::from_str(&row.get::<_, String>(6)?)?,
                });
            }
            Ok(parts)
        });
        rows.map_err(internal)
    }
}

const SELECT_UPLOAD: &str = "SELECT id, key, started_ms, algorithm, full_object, headers FROM uploads";

fn read_upload(row: &rusqlite::Row) -> rusqlite::Result<Upload> {
    Ok(Upload {
        id: row.get(0)?,
        key: row.get(1)?,
        started_ms: row.get(2)?,
        algorithm: row.get::<_, Option<String>>(3)?.as_deref().and_then(Algorithm::parse),
        full_object: row.get(4)?,
        headers: row.get(5)?,
    })
}

fn listed_part(part: PartRow) -> Part {
    let shown = part.kept.shown();
    Part {
        checksum_crc32: shown.checksum_crc32,
        checksum_crc32c: shown.checksum_crc32c,
        checksum_crc64nvme: shown.checksum_crc64nvme,
        checksum_sha1: shown.checksum_sha1,
        checksum_sha256: shown.checksum_sha256,
        e_tag: Some(ETag::Strong(part.etag)),
        last_modified: Some(timestamp(part.modified_ms)),
        part_number: Some(part.number),
        size: Some(part.size_bytes as i64),
    }
}
