//! Reads: get and head, with ranges and conditions.

use std::io::{Read as _, Seek as _, SeekFrom};

use bytes::Bytes;
use futures::Stream;
use s3s::{
    S3Error, S3Response, S3Result,
    dto::{
        ContentRange, ETag, ETagCondition, GetObjectInput, GetObjectOutput, HeadObjectInput, HeadObjectOutput, Range,
        StreamingBlob, Timestamp,
    },
    s3_error,
};

use super::{
    Buckets,
    objects::{Object, find, matches},
    service::{internal, timestamp},
    write::spread,
};

/// Bodies are read in pieces of this size.
const PIECE_BYTES: u64 = 256 * 1024;

/// Conditions of a read, by their names in HTTP.
#[expect(clippy::struct_field_names, reason = "the names of the headers")]
struct Conditions {
    if_match: Option<ETagCondition>,
    if_none_match: Option<ETagCondition>,
    if_modified_since: Option<Timestamp>,
    if_unmodified_since: Option<Timestamp>,
}

/// Fills the fields that get and head have in common.
macro_rules! describe {
    ($output:expr, $object:expr, $input:expr) => {{
        let object: &Object = $object;
        $output.accept_ranges = Some("bytes".to_owned());
        $output.e_tag = Some(ETag::Strong(object.etag.clone()));
        $output.last_modified = Some(timestamp(object.modified_ms));
        $output.version_id = (object.version != "null").then(|| object.version.clone());
        $output.cache_control = $input.response_cache_control.or_else(|| object.headers.cache_control.clone());
        $output.content_disposition = $input.response_content_disposition.or_else(|| object.headers.content_disposition.clone());
        $output.content_encoding = $input.response_content_encoding.or_else(|| object.headers.content_encoding.clone());
        $output.content_language = $input.response_content_language.or_else(|| object.headers.content_language.clone());
        let content_type = $input.response_content_type.or_else(|| object.headers.content_type.clone());
        $output.content_type = Some(content_type.unwrap_or_else(|| "binary/octet-stream".to_owned()));
        $output.metadata = Some(object.headers.metadata.clone().into_iter().collect());
        // A checksum of the whole says nothing about a range.
        if let (Some(_), Some(kept), None) = (&$input.checksum_mode, &object.kept, &$input.range) {
            spread!($output, kept.shown());
        }
    }};
}

impl Buckets {
    pub(super) fn get(&self, input: GetObjectInput) -> S3Result<S3Response<GetObjectOutput>> {
        let (object, file) = self.open(&input.bucket, &input.key, input.version_id.as_deref())?;
        Conditions {
            if_match: input.if_match,
            if_none_match: input.if_none_match,
            if_modified_since: input.if_modified_since,
            if_unmodified_since: input.if_unmodified_since,
        }
        .check(&object)?;
        let (span, content_range) = span(input.range.as_ref(), object.size_bytes)?;
        let length = span.end - span.start;
        let body = StreamingBlob::wrap(pieces(file, span));
        let mut output =
            GetObjectOutput { body: Some(body), content_length: Some(length as i64), content_range, ..Default::default() };
        describe!(output, &object, input);
        Ok(S3Response::new(output))
    }

    pub(super) fn head(&self, input: HeadObjectInput) -> S3Result<S3Response<HeadObjectOutput>> {
        let object = self.object(&input.bucket, &input.key, input.version_id.as_deref())?;
        Conditions {
            if_match: input.if_match,
            if_none_match: input.if_none_match,
            if_modified_since: input.if_modified_since,
            if_unmodified_since: input.if_unmodified_since,
        }
        .check(&object)?;
        let (span, content_range) = span(input.range.as_ref(), object.size_bytes)?;
        let content_length = Some((span.end - span.start) as i64);
        let mut output = HeadObjectOutput { content_length, content_range, ..Default::default() };
        describe!(output, &object, input);
        Ok(S3Response::new(output))
    }

    /// An object that can be read.
    fn object(&self, bucket: &str, key: &str, version: Option<&str>) -> S3Result<Object> {
        let found = self.store.read(|connection| find(connection, bucket, key, version)).map_err(internal)?;
        match found {
            Some(object) if !object.marker => Ok(object),
            other => {
                self.bucket(bucket)?;
                Err(unreadable(other.as_ref(), version.is_some()))
            }
        }
    }

    pub(super) fn open(&self, bucket: &str, key: &str, version: Option<&str>) -> S3Result<(Object, std::fs::File)> {
        // Between the look-up and the open, another write may replace the object and remove its blob: look again, once.
        let mut again = true;
        loop {
            let object = self.object(bucket, key, version)?;
            let path = self.store.blobs().path(object.blob.as_deref().unwrap_or_default());
            match std::fs::File::open(path) {
                Ok(file) => return Ok((object, file)),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound && again => again = false,
                Err(error) => return Err(internal(anyhow::Error::from(error).context(format!("the blob of {bucket}/{key}")))),
            }
        }
    }
}

impl Buckets {
    /// A whole object's bytes, for another service of this engine; `None` where there are more than `most`.
    pub(crate) fn read_whole(&self, bucket: &str, key: &str, version: Option<&str>, most: u64) -> S3Result<Option<Vec<u8>>> {
        let (_, file) = self.open(bucket, key, version)?;
        let mut bytes = Vec::new();
        file.take(most + 1).read_to_end(&mut bytes).map_err(|error| internal(error.into()))?;
        Ok((bytes.len() as u64 <= most).then_some(bytes))
    }
}

impl Conditions {
    fn check(&self, object: &Object) -> S3Result<()> {
        let since = |at: &Timestamp| timestamp(object.modified_ms) > *at;
        let failed = match &self.if_match {
            Some(wanted) => !matches(wanted, object),
            None => self.if_unmodified_since.as_ref().is_some_and(since),
        };
        if failed {
            return Err(s3_error!(PreconditionFailed, "the object is another than the condition names"));
        }
        let unchanged = match &self.if_none_match {
            Some(unwanted) => matches(unwanted, object),
            None => self.if_modified_since.as_ref().is_some_and(|at| !since(at)),
        };
        if unchanged { Err(s3_error!(NotModified)) } else { Ok(()) }
    }
}

/// Why an object cannot be read: it is not there, or a delete marker is.
pub(super) fn unreadable(found: Option<&Object>, version_named: bool) -> S3Error {
    let Some(marker) = found else {
        return if version_named { s3_error!(NoSuchVersion) } else { s3_error!(NoSuchKey, "there is no such object") };
    };
    let mut refusal =
        if version_named { s3_error!(MethodNotAllowed, "this version is a delete marker") } else { s3_error!(NoSuchKey) };
    let mut headers = http::HeaderMap::new();
    headers.insert("x-amz-delete-marker", http::HeaderValue::from_static("true"));
    if let Ok(version) = http::HeaderValue::from_str(&marker.version) {
        headers.insert("x-amz-version-id", version);
    }
    refusal.set_headers(headers);
    refusal
}

pub(super) fn span(range: Option<&Range>, size_bytes: u64) -> S3Result<(std::ops::Range<u64>, Option<ContentRange>)> {
    let Some(range) = range else { return Ok((0..size_bytes, None)) };
    let span = range.check(size_bytes).map_err(|_| s3_error!(InvalidRange, "the object has {size_bytes} bytes"))?;
    let content_range = format!("bytes {}-{}/{size_bytes}", span.start, span.end.saturating_sub(1));
    Ok((span, Some(content_range)))
}

/// A span of a file in pieces.
///
/// Read where the request is served, not on a thread for blocking work: a piece from the page cache takes less than the two
/// switches between threads, and one from the disk delays its neighbours no longer than a commit does.
pub(super) fn pieces(
    mut file: std::fs::File,
    span: std::ops::Range<u64>,
) -> impl Stream<Item = std::io::Result<Bytes>> + Send + Sync + 'static {
    let mut at = span.start;
    futures::stream::iter(std::iter::from_fn(move || {
        let length = (span.end - at).min(PIECE_BYTES);
        let read = || -> std::io::Result<Bytes> {
            let mut piece = Vec::with_capacity(length as usize);
            file.seek(SeekFrom::Start(at))?;
            if (&mut file).take(length).read_to_end(&mut piece)? as u64 == length {
                return Ok(piece.into());
            }
            Err(std::io::Error::new(std::io::ErrorKind::UnexpectedEof, "the blob is shorter than its row says"))
        };
        let piece = (length > 0).then(read);
        at += length;
        piece
    }))
}
