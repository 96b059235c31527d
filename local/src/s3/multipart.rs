//! Multipart uploads: parts are blobs; completing joins them into one.

use rusqlite::{Connection, OptionalExtension as _, params};
use s3s::{
    S3Request, S3Response, S3Result,
    checksum::ChecksumHasher,
    dto::{
        AbortMultipartUploadInput, AbortMultipartUploadOutput, Checksum, ChecksumAlgorithm, ChecksumType,
        CompleteMultipartUploadInput, CompleteMultipartUploadOutput, CompletedPart, CopyPartResult, CreateMultipartUploadInput,
        CreateMultipartUploadOutput, ETag, Range, UploadPartCopyInput, UploadPartCopyOutput, UploadPartInput, UploadPartOutput,
    },
    s3_error,
};

use super::{
    Buckets,
    checks::{Algorithm, Kept, composite, etag, sha256_hex},
    objects::{self, Put},
    read::{pieces, span},
    service::{internal, timestamp},
    uploads::{PartRow, Upload},
    write::{Arrived, announced, check_key, given, headers, promise, spread},
};
use crate::{clock::now_ms, store::BlobName};

/// S3's smallest part, the last one excepted.
const PART_MIN_BYTES: u64 = 5 << 20;
const PART_NUMBER_MAX: i32 = 10_000;

impl Buckets {
    pub(super) async fn begin_upload(
        &self,
        mut input: CreateMultipartUploadInput,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        self.bucket(&input.bucket)?;
        check_key(&input.key)?;
        let algorithm = input.checksum_algorithm.as_ref().and_then(|name| Algorithm::parse(name.as_str()));
        let asked = input.checksum_type.as_ref().map(ChecksumType::as_str);
        let full_object = asked.map_or(algorithm.is_none_or(|algorithm| algorithm == Algorithm::Crc64nvme), |kind| {
            kind == ChecksumType::FULL_OBJECT
        });
        let headers = serde_json::to_string(&headers!(input)).map_err(|error| internal(error.into()))?;
        let (bucket, key) = (input.bucket.clone(), input.key.clone());
        let begun = self.store.write(move |connection| {
            let id: String = connection.query_row("SELECT hex(randomblob(24))", [], |row| row.get(0))?;
            connection
                .prepare_cached(
                    "INSERT INTO uploads (id, bucket, key, started_ms, algorithm, full_object, headers) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                )?
                .execute(params![id, bucket, key, now_ms(), algorithm.map(Algorithm::name), full_object, headers])?;
            Ok(id)
        });
        let kind = if full_object { ChecksumType::FULL_OBJECT } else { ChecksumType::COMPOSITE };
        Ok(S3Response::new(CreateMultipartUploadOutput {
            upload_id: Some(begun.await.map_err(internal)?),
            bucket: Some(input.bucket),
            key: Some(input.key),
            checksum_type: input.checksum_algorithm.is_some().then(|| ChecksumType::from_static(kind)),
            checksum_algorithm: input.checksum_algorithm,
            ..Default::default()
        }))
    }

    pub(super) async fn receive_part(&self, request: S3Request<UploadPartInput>) -> S3Result<S3Response<UploadPartOutput>> {
        let announced = announced(&request.headers);
        let S3Request { mut input, trailing_headers, .. } = request;
        let upload = self.upload(&input.bucket, &input.key, &input.upload_id)?;
        let wanted =
            input.checksum_algorithm.take().or(upload.algorithm.map(|known| ChecksumAlgorithm::from(known.name().to_owned())));
        let promise = promise(given!(input), input.content_md5.take(), wanted.as_ref(), trailing_headers, announced);
        let arrived = self.arrive(input.body.take(), promise, input.content_length).await?;
        let part = self.keep_part(input.upload_id, input.part_number, arrived).await?;
        let shown = part.kept.shown();
        Ok(S3Response::new(UploadPartOutput {
            e_tag: Some(ETag::Strong(part.etag)),
            checksum_crc32: shown.checksum_crc32,
            checksum_crc32c: shown.checksum_crc32c,
            checksum_crc64nvme: shown.checksum_crc64nvme,
            checksum_sha1: shown.checksum_sha1,
            checksum_sha256: shown.checksum_sha256,
            ..Default::default()
        }))
    }

    pub(super) async fn copy_part(&self, input: UploadPartCopyInput) -> S3Result<S3Response<UploadPartCopyOutput>> {
        let upload = self.upload(&input.bucket, &input.key, &input.upload_id)?;
        let s3s::dto::CopySource::Bucket { bucket, key, version_id } = &input.copy_source else {
            return Err(s3_error!(NotImplemented, "x-amz-copy-source: only <bucket>/<key> is known here"));
        };
        let (source, file) = self.open(bucket, key, version_id.as_deref())?;
        let range = input.copy_source_range.as_deref().map(Range::parse).transpose();
        let range = range.map_err(|_| s3_error!(InvalidArgument, "x-amz-copy-source-range cannot be read"))?;
        let (span, _) = span(range.as_ref(), source.size_bytes)?;
        let wanted = upload.algorithm.map(|known| ChecksumAlgorithm::from(known.name().to_owned()));
        let promise = promise(Checksum::default(), None, wanted.as_ref(), None, None);
        let body = s3s::dto::StreamingBlob::wrap(pieces(file, span));
        let arrived = self.arrive(Some(body), promise, None).await?;
        let part = self.keep_part(input.upload_id, input.part_number, arrived).await?;
        let result = CopyPartResult {
            e_tag: Some(ETag::Strong(part.etag)),
            last_modified: Some(timestamp(part.modified_ms)),
            ..Default::default()
        };
        Ok(S3Response::new(UploadPartCopyOutput {
            copy_part_result: Some(result),
            copy_source_version_id: (source.version != "null").then_some(source.version),
            ..Default::default()
        }))
    }

    /// Writes a part's row; a part of the same number is replaced.
    async fn keep_part(&self, upload: String, number: i32, arrived: Arrived) -> S3Result<PartRow> {
        if !(1..=PART_NUMBER_MAX).contains(&number) {
            return Err(s3_error!(InvalidArgument, "part numbers go from 1 to {PART_NUMBER_MAX}"));
        }
        let Arrived { blob, size_bytes, checked } = arrived;
        let part = PartRow {
            number,
            blob,
            size_bytes,
            etag: checked.sha256.get(..32).unwrap_or_default().to_owned(),
            sha256: checked.sha256,
            modified_ms: now_ms(),
            kept: checked.kept,
        };
        let kept = self.store.write(move |connection| {
            let there: bool = connection
                .prepare_cached("SELECT EXISTS (SELECT 1 FROM uploads WHERE id = ?1)")?
                .query_row([&upload], |row| row.get(0))?;
            if !there {
                return Ok((None, Some(part.blob)));
            }
            let replaced = connection
                .prepare_cached("SELECT blob FROM parts WHERE upload = ?1 AND number = ?2")?
                .query_row(params![upload, part.number], |row| row.get(0))
                .optional()?;
            connection
                .prepare_cached(
                    "INSERT OR REPLACE INTO parts (upload, number, blob, size, sha256, etag, modified_ms, checksum)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                )?
                .execute(params![
                    upload,
                    part.number,
                    part.blob,
                    part.size_bytes as i64,
                    part.sha256,
                    part.etag,
                    part.modified_ms,
                    serde_json::to_string(&part.kept)?
                ])?;
            Ok((Some(part), objects::orphan(connection, replaced)?))
        });
        let (part, orphan) = kept.await.map_err(internal)?;
        self.store.blobs().remove(orphan.as_slice());
        part.ok_or_else(|| s3_error!(NoSuchUpload))
    }

    pub(super) async fn complete_upload(
        &self,
        mut input: CompleteMultipartUploadInput,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        let upload = self.upload(&input.bucket, &input.key, &input.upload_id)?;
        let listed = input.multipart_upload.take().and_then(|listed| listed.parts).unwrap_or_default();
        let parts = chosen(self.part_rows(&input.upload_id)?, &listed)?;
        let whole = self.whole(&upload, &parts).await?;
        if let Some(promised) = whole.kept.algorithm.of(&given!(input)).filter(|promised| **promised != whole.kept.value) {
            self.store.blobs().remove(whole.made.as_slice());
            return Err(s3_error!(BadDigest, "the sender promised {promised} and {} arrived", whole.kept.value));
        }
        let put = Put {
            bucket: input.bucket.clone(),
            key: input.key.clone(),
            blob: whole.blob,
            size_bytes: parts.iter().map(|part| part.size_bytes).sum(),
            etag: etag(&whole.sha256, parts.len()),
            sha256: whole.sha256,
            kept: whole.kept,
            headers: serde_json::from_str(&upload.headers).unwrap_or_default(),
            if_match: input.if_match,
            if_none_match: input.if_none_match,
            event: "ObjectCreated:CompleteMultipartUpload",
        };
        let (e_tag, shown) = (Some(ETag::Strong(put.etag.clone())), put.kept.shown());
        let id = upload.id;
        let written = self.store.write(move |connection| {
            let mut written = super::granted!(objects::put(connection, &put)?);
            // Of two completions, the second finds the upload gone and takes its object back with it.
            anyhow::ensure!(remove_upload(connection, &id, &mut written.orphans)?, Gone);
            Ok(Ok(written))
        });
        let written = match written.await {
            Ok(Ok(written)) => written,
            refused => {
                self.store.blobs().remove(whole.made.as_slice());
                return Err(match refused {
                    Err(error) if error.is::<Gone>() => s3_error!(NoSuchUpload),
                    Err(error) => internal(error),
                    Ok(outcome) => outcome.err().unwrap_or_else(|| s3_error!(InternalError)),
                });
            }
        };
        self.finish(&written);
        let mut output = CompleteMultipartUploadOutput {
            e_tag,
            location: Some(format!("/{}/{}", input.bucket, input.key)),
            bucket: Some(input.bucket),
            key: Some(input.key),
            version_id: written.version,
            ..Default::default()
        };
        spread!(output, shown);
        Ok(S3Response::new(output))
    }

    /// The parts as one blob; a single part becomes the object as it is.
    async fn whole(&self, upload: &Upload, parts: &[PartRow]) -> S3Result<Whole> {
        let algorithm = upload.algorithm.unwrap_or(Algorithm::Crc64nvme);
        let over_parts = || {
            let known = parts.iter().all(|part| part.kept.algorithm == algorithm);
            let values: Vec<_> = parts.iter().map(|part| part.kept.value.as_str()).collect();
            (known && !upload.full_object).then(|| composite(algorithm, &values))
        };
        if let [only] = parts
            && let Some(kept) = over_parts().or_else(|| Some(only.kept.clone()).filter(|kept| kept.algorithm == algorithm))
        {
            return Ok(Whole { blob: only.blob.clone(), made: None, sha256: only.sha256.clone(), kept });
        }
        let mut hasher = ChecksumHasher::default();
        algorithm.enable(&mut hasher);
        let blobs = self.store.blobs();
        let names = parts.iter().map(|part| part.blob.clone()).collect();
        let mut joined = blobs.join(names, hasher).await.map_err(internal)?;
        let (computed, _) = joined.checksums();
        let value = algorithm.of(&computed).cloned().unwrap_or_default();
        let kept = over_parts().unwrap_or(Kept { algorithm, value, full_object: true });
        let blob = blobs.keep(joined).await.map_err(internal)?;
        Ok(Whole { made: Some(blob.clone()), blob, sha256: sha256_hex(&computed), kept })
    }

    pub(super) async fn abort_upload(
        &self,
        input: AbortMultipartUploadInput,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        let upload = self.upload(&input.bucket, &input.key, &input.upload_id)?;
        let removed = self.store.write(move |connection| {
            let mut orphans = Vec::new();
            remove_upload(connection, &upload.id, &mut orphans)?;
            Ok(orphans)
        });
        self.store.blobs().remove(&removed.await.map_err(internal)?);
        Ok(S3Response::new(AbortMultipartUploadOutput::default()))
    }
}

/// The joined parts.
struct Whole {
    blob: BlobName,
    /// The blob, if it was made for this and goes if the completion is refused.
    made: Option<BlobName>,
    sha256: String,
    kept: Kept,
}

/// The upload was completed or aborted meanwhile.
#[derive(Debug, thiserror::Error)]
#[error("the upload is gone")]
struct Gone;

/// The parts that the client lists, in its order, which must be ascending.
fn chosen(rows: Vec<PartRow>, listed: &[CompletedPart]) -> S3Result<Vec<PartRow>> {
    if listed.is_empty() {
        return Err(s3_error!(MalformedXML, "a completion lists its parts"));
    }
    if !listed.is_sorted_by(|one, next| one.part_number < next.part_number) {
        return Err(s3_error!(InvalidPartOrder, "parts are listed in ascending order"));
    }
    let mut rows: std::collections::HashMap<_, _> = rows.into_iter().map(|part| (part.number, part)).collect();
    let mut parts = Vec::with_capacity(listed.len());
    for entry in listed {
        let number = entry.part_number.unwrap_or_default();
        let part = rows.remove(&number).ok_or_else(|| s3_error!(InvalidPart, "part {number} was not uploaded"))?;
        if entry.e_tag.as_ref().is_some_and(|etag| etag.value() != part.etag) {
            return Err(s3_error!(InvalidPart, "part {number} has another ETag"));
        }
        parts.push(part);
    }
    let small = parts.iter().rev().skip(1).find(|part| part.size_bytes < PART_MIN_BYTES);
    match small {
        Some(part) => Err(s3_error!(EntityTooSmall, "part {} has {} bytes", part.number, part.size_bytes)),
        None => Ok(parts),
    }
}

/// Removes an upload and its parts; whether it was there.
pub(super) fn remove_upload(connection: &Connection, id: &str, orphans: &mut Vec<BlobName>) -> anyhow::Result<bool> {
    let mut find = connection.prepare_cached("SELECT blob FROM parts WHERE upload = ?1")?;
    let blobs: Vec<BlobName> = find.query_map([id], |row| row.get(0))?.collect::<Result<_, _>>()?;
    connection.prepare_cached("DELETE FROM parts WHERE upload = ?1")?.execute([id])?;
    let there = connection.prepare_cached("DELETE FROM uploads WHERE id = ?1")?.execute([id])? == 1;
    for blob in blobs {
        orphans.extend(objects::orphan(connection, Some(blob))?);
    }
    Ok(there)
}
