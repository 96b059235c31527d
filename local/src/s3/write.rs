//! Writes: put, copy, delete.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use s3s::{
    S3Error, S3Request, S3Response, S3Result, TrailingHeaders,
    checksum::ChecksumHasher,
    dto::{
        Checksum, ChecksumAlgorithm, CopyObjectInput, CopyObjectOutput, CopyObjectResult, CopySource, DeleteObjectInput,
        DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput, DeletedObject, ETag, ETagCondition, MetadataDirective,
        PutObjectInput, PutObjectOutput, StreamingBlob,
    },
    s3_error,
};

use super::{
    Buckets,
    checks::{Algorithm, Checked, Kept, Promise, etag},
    objects::{self, Object, Put, Written, find, matches},
    read::unreadable,
    service::{internal, timestamp},
};
use crate::store::BlobName;

/// S3's limit, in bytes of UTF-8.
const KEY_MAX_BYTES: usize = 1024;
/// `DeleteObjects` and listings take so many keys at most.
const DELETE_MAX: usize = 1000;

/// A body that arrived whole, kept its promise and has a blob.
pub(super) struct Arrived {
    pub(super) blob: BlobName,
    pub(super) size_bytes: u64,
    pub(super) checked: Checked,
}

/// Collects the checksum fields that several inputs have in common.
macro_rules! given {
    ($input:expr) => {
        Checksum {
            checksum_crc32: $input.checksum_crc32.take(),
            checksum_crc32c: $input.checksum_crc32c.take(),
            checksum_crc64nvme: $input.checksum_crc64nvme.take(),
            checksum_sha1: $input.checksum_sha1.take(),
            checksum_sha256: $input.checksum_sha256.take(),
            checksum_type: None,
        }
    };
}
pub(super) use given;

/// Spreads a checksum over the fields that several outputs have in common.
macro_rules! spread {
    ($output:expr, $checksum:expr) => {{
        let checksum = $checksum;
        $output.checksum_crc32 = checksum.checksum_crc32;
        $output.checksum_crc32c = checksum.checksum_crc32c;
        $output.checksum_crc64nvme = checksum.checksum_crc64nvme;
        $output.checksum_sha1 = checksum.checksum_sha1;
        $output.checksum_sha256 = checksum.checksum_sha256;
        $output.checksum_type = checksum.checksum_type;
    }};
}
pub(super) use spread;

/// Collects the headers that several inputs have in common.
macro_rules! headers {
    ($input:expr) => {
        $crate::s3::Headers {
            content_type: $input.content_type.take(),
            cache_control: $input.cache_control.take(),
            content_disposition: $input.content_disposition.take(),
            // `aws-chunked` is how the body travels, not what the object is.
            content_encoding: $input.content_encoding.take().and_then(|encoding| $crate::s3::write::without_chunking(&encoding)),
            content_language: $input.content_language.take(),
            metadata: $input.metadata.take().unwrap_or_default().into_iter().collect(),
        }
    };
}
pub(super) use headers;

impl Buckets {
    pub(super) async fn put(&self, request: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        let announced = announced(&request.headers);
        let S3Request { mut input, trailing_headers, .. } = request;
        self.bucket(&input.bucket)?;
        check_key(&input.key)?;
        let promise =
            promise(given!(input), input.content_md5.take(), input.checksum_algorithm.as_ref(), trailing_headers, announced);
        let arrived = self.arrive(input.body.take(), promise, input.content_length).await?;
        let put = Put {
            etag: etag(&arrived.checked.sha256, 1),
            bucket: input.bucket.clone(),
            key: input.key.clone(),
            blob: arrived.blob,
            size_bytes: arrived.size_bytes,
            sha256: arrived.checked.sha256,
            kept: arrived.checked.kept,
            headers: headers!(input),
            if_match: input.if_match.take(),
            if_none_match: input.if_none_match.take(),
            event: "ObjectCreated:Put",
        };
        let (e_tag, shown) = (ETag::Strong(put.etag.clone()), put.kept.shown());
        let written = self.commit(put).await?;
        let mut output = PutObjectOutput { e_tag: Some(e_tag), version_id: written.version, ..Default::default() };
        spread!(output, shown);
        Ok(S3Response::new(output))
    }

    /// Receives a body and compares it with its promise; only then it gets a blob.
    pub(super) async fn arrive(&self, body: Option<StreamingBlob>, promise: Promise, length: Option<i64>) -> S3Result<Arrived> {
        let blobs = self.store.blobs();
        let (hasher, md5) = (promise.hasher(), promise.md5.is_some());
        let received = match body {
            Some(body) => blobs.receive(body, hasher, md5).await,
            None => blobs.receive(futures::stream::empty::<Result<_, std::io::Error>>(), hasher, md5).await,
        };
        let mut incoming = received.map_err(internal)?;
        let size_bytes = incoming.size_bytes;
        if length.is_some_and(|length| length as u64 != size_bytes) {
            return Err(s3_error!(
                IncompleteBody,
                "{size_bytes} bytes arrived and {} were announced",
                length.unwrap_or_default()
            ));
        }
        let checked = promise.check(&mut incoming)?;
        let blob = blobs.keep(incoming).await.map_err(internal)?;
        Ok(Arrived { blob, size_bytes, checked })
    }

    /// Writes the row and its event in one transaction; a refused put leaves no blob.
    pub(super) async fn commit(&self, put: Put) -> S3Result<Written> {
        let blob = put.blob.clone();
        let written = self.store.write(move |connection| objects::put(connection, &put)).await.map_err(internal);
        match written.and_then(|granted| granted) {
            Ok(written) => {
                self.finish(&written);
                Ok(written)
            }
            Err(refusal) => {
                let unused = self.store.read(|connection| objects::orphan(connection, Some(blob))).map_err(internal)?;
                self.store.blobs().remove(unused.as_slice());
                Err(refusal)
            }
        }
    }

    /// What is left to do after a commit.
    pub(super) fn finish(&self, written: &Written) {
        self.store.blobs().remove(&written.orphans);
        for queue in &written.rung {
            self.queues.ring(queue);
        }
    }

    pub(super) async fn copy(&self, request: S3Request<CopyObjectInput>) -> S3Result<S3Response<CopyObjectOutput>> {
        // Newer than s3s's model of the action.
        let condition =
            |name: &str| request.headers.get(name).and_then(|value| ETagCondition::parse_http_header(value.as_bytes()).ok());
        let (if_match, if_none_match) = (condition("if-match"), condition("if-none-match"));
        let mut input = request.input;
        self.bucket(&input.bucket)?;
        check_key(&input.key)?;
        let source = self.copy_source(&input.copy_source)?;
        check_source(&source, input.copy_source_if_match.as_ref(), input.copy_source_if_none_match.as_ref())?;
        let replaced =
            input.metadata_directive.as_ref().is_some_and(|directive| directive.as_str() == MetadataDirective::REPLACE);
        let given = headers!(input);
        let kept = self.kept_of_copy(&source, input.checksum_algorithm.as_ref()).await?;
        let put = Put {
            bucket: input.bucket,
            key: input.key,
            blob: source.blob.clone().ok_or_else(|| s3_error!(NoSuchKey))?,
            size_bytes: source.size_bytes,
            sha256: source.sha256.clone(),
            etag: etag(&source.sha256, 1),
            kept,
            headers: if replaced { given } else { source.headers.clone() },
            if_match,
            if_none_match,
            event: "ObjectCreated:Copy",
        };
        let (e_tag, shown) = (Some(ETag::Strong(put.etag.clone())), put.kept.shown());
        let row = source.row;
        let written = self.store.write(move |connection| {
            // The copy shares the source's blob, which must still have its row.
            let there: bool = connection
                .prepare_cached("SELECT EXISTS (SELECT 1 FROM objects WHERE id = ?1)")?
                .query_row([row], |found| found.get(0))?;
            if there { objects::put(connection, &put) } else { Ok(Err(s3_error!(NoSuchKey, "the source went away"))) }
        });
        let written = written.await.map_err(internal)??;
        self.finish(&written);
        let mut result = CopyObjectResult { e_tag, last_modified: Some(timestamp(written.modified_ms)), ..Default::default() };
        spread!(result, shown);
        Ok(S3Response::new(CopyObjectOutput {
            copy_object_result: Some(result),
            copy_source_version_id: (source.version != "null").then_some(source.version),
            version_id: written.version,
            ..Default::default()
        }))
    }

    /// The object that a copy names.
    pub(super) fn copy_source(&self, source: &CopySource) -> S3Result<Object> {
        let CopySource::Bucket { bucket, key, version_id } = source else {
            return Err(s3_error!(NotImplemented, "x-amz-copy-source: only <bucket>/<key> is known here"));
        };
        let found = self.store.read(|connection| find(connection, bucket, key, version_id.as_deref())).map_err(internal)?;
        let refusal = |found: Option<&Object>| unreadable(found, version_id.is_some());
        match found {
            Some(object) if !object.marker => Ok(object),
            other => {
                self.bucket(bucket)?;
                Err(refusal(other.as_ref()))
            }
        }
    }

    /// The checksum of a copy: the asked algorithm over the same bytes, without reading them where it is known.
    async fn kept_of_copy(&self, source: &Object, asked: Option<&ChecksumAlgorithm>) -> S3Result<Kept> {
        let asked = asked.and_then(|asked| Algorithm::parse(asked.as_str()));
        let algorithm = asked.or(source.kept.as_ref().map(|kept| kept.algorithm)).unwrap_or(Algorithm::Crc64nvme);
        if let Some(kept) = source.kept.clone().filter(|kept| kept.algorithm == algorithm && kept.full_object) {
            return Ok(kept);
        }
        let mut hasher = ChecksumHasher::default();
        if algorithm == Algorithm::Sha256 {
            let value = STANDARD.encode(hex::decode(&source.sha256).unwrap_or_default());
            return Ok(Kept { algorithm, value, full_object: true });
        }
        algorithm.enable(&mut hasher);
        let blob = source.blob.clone().into_iter().collect();
        let mut read = self.store.blobs().join(blob, hasher).await.map_err(internal)?;
        let value = algorithm.of(&read.checksums().0).cloned().unwrap_or_default();
        Ok(Kept { algorithm, value, full_object: true })
    }

    pub(super) async fn delete(&self, input: DeleteObjectInput) -> S3Result<S3Response<DeleteObjectOutput>> {
        let written = self.delete_one(input.bucket, input.key, input.version_id, input.if_match).await?;
        let delete_marker = written.marker.then_some(true);
        Ok(S3Response::new(DeleteObjectOutput { delete_marker, version_id: written.version, ..Default::default() }))
    }

    pub(super) async fn delete_many(&self, input: DeleteObjectsInput) -> S3Result<S3Response<DeleteObjectsOutput>> {
        if input.delete.objects.len() > DELETE_MAX {
            return Err(s3_error!(MalformedXML, "at most {DELETE_MAX} keys are deleted at once"));
        }
        self.bucket(&input.bucket)?;
        let quiet = input.delete.quiet.unwrap_or(false);
        let each = input.delete.objects.into_iter().map(async |object| {
            let (key, version) = (object.key, object.version_id);
            let condition = object.e_tag.map(ETagCondition::ETag);
            (key.clone(), version.clone(), self.delete_one(input.bucket.clone(), key, version, condition).await)
        });
        let (mut deleted, mut errors) = (Vec::new(), Vec::new());
        // All at once: they share the writer's transactions.
        for (key, version_id, outcome) in futures::future::join_all(each).await {
            match outcome {
                Ok(_) if quiet => {}
                Ok(written) => deleted.push(DeletedObject {
                    delete_marker: written.marker.then_some(true),
                    delete_marker_version_id: if written.marker { written.version } else { None },
                    key: Some(key),
                    version_id,
                }),
                Err(refusal) => errors.push(failed(key, version_id, &refusal)),
            }
        }
        Ok(S3Response::new(DeleteObjectsOutput { deleted: Some(deleted), errors: Some(errors), ..Default::default() }))
    }

    async fn delete_one(
        &self,
        bucket: String,
        key: String,
        version: Option<String>,
        if_match: Option<ETagCondition>,
    ) -> S3Result<Written> {
        let delete = move |connection: &rusqlite::Connection| {
            objects::delete(connection, &bucket, &key, version.as_deref(), if_match.as_ref())
        };
        let written = self.store.write(delete).await.map_err(internal)??;
        self.finish(&written);
        Ok(written)
    }
}

/// Names of the trailers that a request announces, if one is a checksum.
pub(super) fn announced(headers: &http::HeaderMap) -> Option<String> {
    let names = headers.get("x-amz-trailer")?.to_str().ok()?;
    names.contains("x-amz-checksum-").then(|| names.to_owned())
}

pub(super) fn promise(
    given: Checksum,
    md5: Option<String>,
    wanted: Option<&ChecksumAlgorithm>,
    trailers: Option<TrailingHeaders>,
    announced: Option<String>,
) -> Promise {
    Promise { given, md5, wanted: wanted.and_then(|wanted| Algorithm::parse(wanted.as_str())), trailers, announced }
}

pub(super) fn check_key(key: &str) -> S3Result<()> {
    if key.len() > KEY_MAX_BYTES {
        return Err(s3_error!(KeyTooLongError, "the key has {} bytes; at most {KEY_MAX_BYTES} are allowed", key.len()));
    }
    Ok(())
}

pub(super) fn without_chunking(encoding: &str) -> Option<String> {
    let kept: Vec<_> = encoding.split(',').map(str::trim).filter(|coding| !coding.eq_ignore_ascii_case("aws-chunked")).collect();
    let kept = kept.join(",");
    (!kept.is_empty()).then_some(kept)
}

fn check_source(source: &Object, if_match: Option<&ETagCondition>, if_none_match: Option<&ETagCondition>) -> S3Result<()> {
    if if_match.is_some_and(|wanted| !matches(wanted, source)) || if_none_match.is_some_and(|unwanted| matches(unwanted, source))
    {
        return Err(s3_error!(PreconditionFailed, "x-amz-copy-source-if: the source's ETag is another"));
    }
    Ok(())
}

fn failed(key: String, version_id: Option<String>, refusal: &S3Error) -> s3s::dto::Error {
    s3s::dto::Error {
        code: Some(refusal.code().as_str().to_owned()),
        key: Some(key),
        message: refusal.message().map(str::to_owned),
        version_id,
    }
}
