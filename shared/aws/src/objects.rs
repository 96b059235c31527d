//! Buckets: S3.

use std::ops::Range;

use async_trait::async_trait;
use aws_sdk_s3::{
    Client,
    error::SdkError,
    primitives::ByteStream,
    types::{ChecksumAlgorithm, ChecksumMode, EncodingType, MetadataDirective, ObjectVersion},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures::StreamExt as _;
use percent_encoding::percent_decode_str;
use photovault_domain::{Sha256, UtcMs};
use photovault_vault::{
    Page,
    seams::{Listed, ObjectAt, Objects, Opened, SeamError, SeamResult, Served},
};
use sha2::Digest as _;

use crate::failure;

/// What an immutable object is served with: a year, the longest that caches heed (RFC 9111, RFC 8246).
const FOR_EVER: &str = "private, max-age=31536000, immutable";

pub(crate) struct S3(pub(crate) Client);

#[async_trait]
impl Objects for S3 {
    async fn open(&self, at: &ObjectAt, range: Option<Range<u64>>) -> SeamResult<Option<Opened>> {
        let asked = format!("read of {}/{}", at.bucket, at.key);
        // HTTP counts the last byte in (RFC 9110, 14.1.2).
        let range = range.map(|range| format!("bytes={}-{}", range.start, range.end.saturating_sub(1)));
        let get = self.0.get_object().bucket(&at.bucket).key(&at.key).set_version_id(at.version.clone());
        let got = get.set_range(range).send().await;
        let Some(object) = found(got, &asked)? else { return Ok(None) };
        let size_bytes = u64::try_from(object.content_length().unwrap_or(0)).unwrap_or(0);
        let modified = object.last_modified().and_then(|time| time.to_millis().ok()).map_or(UtcMs(0), UtcMs);
        let body = futures::stream::unfold(object.body, move |mut body| {
            let asked = asked.clone();
            async move {
                let chunk = body.next().await?;
                Some((chunk.map_err(|error| SeamError { asked, answer: error.to_string() }), body))
            }
        });
        Ok(Some(Opened { size_bytes, modified, body: Box::pin(body) }))
    }

    async fn write(&self, at: &ObjectAt, bytes: Bytes, served: &Served) -> SeamResult<()> {
        let put = self.0.put_object().bucket(&at.bucket).key(&at.key).content_type(&served.mime);
        let put = put.set_cache_control(served.immutable.then(|| FOR_EVER.to_owned())).body(ByteStream::from(bytes));
        put.send().await.map(|_| ()).map_err(|error| failure(format!("write of {}/{}", at.bucket, at.key), &error))
    }

    async fn copy(&self, from: &ObjectAt, to: &ObjectAt, served: &Served) -> SeamResult<Option<Sha256>> {
        let asked = format!("copy of {}/{} to {}", from.bucket, from.key, to.key);
        let copied = self
            .0
            .copy_object()
            .copy_source(copy_source(from))
            .bucket(&to.bucket)
            .key(&to.key)
            .checksum_algorithm(ChecksumAlgorithm::Sha256)
            .metadata_directive(MetadataDirective::Replace)
            .content_type(&served.mime)
            .set_cache_control(served.immutable.then(|| FOR_EVER.to_owned()))
            .send()
            .await;
        let Some(copied) = found(copied, &asked)? else { return Ok(None) };
        let checksum = copied.copy_object_result().and_then(|result| result.checksum_sha256());
        match checksum.and_then(sha256_of) {
            Some(sha256) => Ok(Some(sha256)),
            // S3 tells the copy's hash; a store that does not is read.
            None => self.hash(&ObjectAt { version: copied.version_id().map(str::to_owned), ..to.clone() }).await,
        }
    }

    async fn checksum(&self, at: &ObjectAt) -> SeamResult<Option<Sha256>> {
        let asked = format!("checksum of {}/{}", at.bucket, at.key);
        let head = self.0.head_object().bucket(&at.bucket).key(&at.key).set_version_id(at.version.clone());
        let head = found(head.checksum_mode(ChecksumMode::Enabled).send().await, &asked)?;
        Ok(head.and_then(|head| sha256_of(head.checksum_sha256()?)))
    }

    async fn remove(&self, at: &ObjectAt) -> SeamResult<()> {
        let delete = self.0.delete_object().bucket(&at.bucket).key(&at.key).set_version_id(at.version.clone());
        found(delete.send().await, &format!("removal of {}/{}", at.bucket, at.key)).map(|_| ())
    }

    async fn versions(&self, bucket: &str, prefix: &str, after: Option<&str>, limit: u32) -> SeamResult<Page<Listed>> {
        let asked = format!("listing of {bucket}/{prefix}");
        let list = self.0.list_object_versions().bucket(bucket).prefix(prefix).encoding_type(EncodingType::Url);
        let (version, key) = after.and_then(|after| after.split_once('/')).unzip();
        let list = list
            .set_key_marker(key.map(str::to_owned))
            .set_version_id_marker(version.filter(|it| !it.is_empty()).map(str::to_owned));
        let page = list.max_keys(i32::try_from(limit).unwrap_or(i32::MAX)).send().await;
        let page = page.map_err(|error| failure(&asked, &error))?;
        let decoded = |key: Option<&str>| {
            let key = key.unwrap_or_default().replace('+', " ");
            let decoded = percent_decode_str(&key).decode_utf8().map(std::borrow::Cow::into_owned);
            decoded.map_err(|error| SeamError { asked: asked.clone(), answer: error.to_string() })
        };
        let listed = |version: &ObjectVersion| {
            Ok(Listed {
                key: decoded(version.key())?,
                // "null" names the version of a bucket without versions.
                version: version.version_id().unwrap_or_default().to_owned(),
                is_latest: version.is_latest().unwrap_or(false),
                modified: version.last_modified().and_then(|time| time.to_millis().ok()).map_or(UtcMs(0), UtcMs),
            })
        };
        let items = page.versions().iter().map(listed).collect::<SeamResult<_>>()?;
        let next = match page.is_truncated() {
            Some(true) => {
                Some(format!("{}/{}", page.next_version_id_marker().unwrap_or_default(), decoded(page.next_key_marker())?))
            }
            _ => None,
        };
        Ok(Page { items, next })
    }
}

impl S3 {
    /// The hash of what lies there.
    async fn hash(&self, at: &ObjectAt) -> SeamResult<Option<Sha256>> {
        let Some(mut opened) = self.open(at, None).await? else { return Ok(None) };
        let mut hash = sha2::Sha256::new();
        while let Some(chunk) = opened.body.next().await {
            hash.update(chunk?);
        }
        Ok(Some(Sha256::from_digest(hash.finalize().into())))
    }
}

/// A 404 is an answer: it is not there.
fn found<T, E>(result: Result<T, SdkError<E, aws_sdk_s3::config::http::HttpResponse>>, asked: &str) -> SeamResult<Option<T>>
where
    E: std::error::Error + 'static,
{
    match result {
        Ok(output) => Ok(Some(output)),
        Err(error) if error.raw_response().is_some_and(|response| response.status().as_u16() == 404) => Ok(None),
        Err(error) => Err(failure(asked, &error)),
    }
}

fn sha256_of(base64: &str) -> Option<Sha256> {
    STANDARD.decode(base64).ok()?.try_into().ok().map(Sha256::from_digest)
}

/// `bucket/key?versionId=…`, every byte of the key but unreserved ones and `/` percent-encoded.
fn copy_source(at: &ObjectAt) -> String {
    use std::fmt::Write as _;
    let mut source = format!("{}/", at.bucket);
    for byte in at.key.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~' | b'/') {
            source.push(char::from(byte));
        } else {
            write!(source, "%{byte:02X}").expect("writing to a string");
        }
    }
    if let Some(version) = &at.version {
        write!(source, "?versionId={version}").expect("writing to a string");
    }
    source
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Reach, connect,
        server::{answering, at},
    };

    #[tokio::test]
    async fn the_bucket_stands_in_the_path_where_the_endpoint_has_a_name() {
        let (mut endpoint, asked) = answering(&[(404, "")]).await;
        endpoint.url = endpoint.url.replace("127.0.0.1", "localhost");
        let opened = connect(Reach::Endpoint(&endpoint), "").await.seams.objects.open(&at(), None).await.unwrap();
        assert!(opened.is_none());
        let asked = asked.await.unwrap();
        assert!(asked.starts_with("GET /vault/derivatives/ann/1/large.jpg?"), "{asked}");
    }

    #[test]
    fn a_copy_source_carries_any_key() {
        let at =
            |key: &str, version: Option<&str>| ObjectAt { bucket: "b".into(), key: key.into(), version: version.map(Into::into) };
        for (at, want) in
            [(at("a/b.jpg", None), "b/a/b.jpg"), (at("ü +%2B/../x", Some("v1")), "b/%C3%BC%20%2B%252B/../x?versionId=v1")]
        {
            assert_eq!(copy_source(&at), want);
        }
    }
}
