//! The S3 model through `s3s::S3`, as the gateway calls it: versions, conditions, listings, blobs and events.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use futures::TryStreamExt as _;
use photovault_domain::DAY_MS;
use s3s::{
    S3, S3Request, S3Result,
    dto::{
        CopyObjectInput, CopySource, CreateMultipartUploadInput, DeleteObjectInput, ETagCondition, GetObjectInput,
        HeadObjectInput, ListObjectVersionsInput, ListObjectsV2Input, PutObjectInput, StreamingBlob,
    },
};
use tempfile::TempDir;

use super::{BucketSpec, Buckets, LifecycleRule, Notification};
use crate::{
    sqs::{Holder, QueueSpec, Queues},
    store::Store,
};

pub(super) struct Bench {
    folder: TempDir,
    buckets: Buckets,
    pub(super) queues: Arc<Queues>,
}

impl Bench {
    pub(super) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let queues = Arc::new(Queues::new(Arc::clone(&store)));
        queues.create(QueueSpec::named("events")).await.unwrap();
        let buckets = Buckets::new(store, Arc::clone(&queues));
        let events = vec!["s3:ObjectCreated:*".to_owned()];
        let notification =
            Notification { id: "n".to_owned(), events, prefix: Some("in/".to_owned()), suffix: None, queue: "events".to_owned() };
        let plain = BucketSpec { name: "plain".to_owned(), versioned: false, notifications: vec![notification] };
        buckets.create(plain).await.unwrap();
        buckets.create(BucketSpec { name: "kept".to_owned(), versioned: true, notifications: vec![] }).await.unwrap();
        Self { folder, buckets, queues }
    }

    pub(super) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    pub(super) async fn put(&self, bucket: &str, key: &str, body: &[u8]) -> S3Result<Option<String>> {
        self.put_with(bucket, key, body, |_| {}).await
    }

    async fn put_with(
        &self,
        bucket: &str,
        key: &str,
        body: &[u8],
        change: impl FnOnce(&mut PutObjectInput),
    ) -> S3Result<Option<String>> {
        let body = StreamingBlob::from(s3s::Body::from(bytes::Bytes::copy_from_slice(body)));
        let mut input =
            PutObjectInput { bucket: bucket.to_owned(), key: key.to_owned(), body: Some(body), ..PutObjectInput::default() };
        change(&mut input);
        Ok(self.buckets.put_object(request(input)).await?.output.version_id)
    }

    pub(super) async fn get(&self, bucket: &str, key: &str, version: Option<&str>) -> S3Result<Vec<u8>> {
        let (bucket, key, version_id) = (bucket.to_owned(), key.to_owned(), version.map(str::to_owned));
        let input = GetObjectInput { bucket, key, version_id, ..GetObjectInput::default() };
        let body = self.buckets.get_object(request(input)).await?.output.body.unwrap();
        Ok(body.try_collect::<Vec<_>>().await.unwrap().concat())
    }

    async fn delete(&self, bucket: &str, key: &str, version: Option<&str>) -> Option<String> {
        let (bucket, key, version_id) = (bucket.to_owned(), key.to_owned(), version.map(str::to_owned));
        let input = DeleteObjectInput { bucket, key, version_id, ..DeleteObjectInput::default() };
        self.buckets.delete_object(request(input)).await.unwrap().output.version_id
    }

    /// Files under `blobs/`, temporary ones included.
    pub(super) fn files(&self) -> usize {
        let folders = std::fs::read_dir(self.folder.path().join("blobs")).unwrap();
        folders.map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap().count()).sum()
    }
}

fn request<T>(input: T) -> S3Request<T> {
    S3Request {
        input,
        method: http::Method::GET,
        uri: http::Uri::default(),
        headers: http::HeaderMap::new(),
        extensions: http::Extensions::new(),
        credentials: None,
        region: None,
        service: None,
        trailing_headers: None,
    }
}

fn code<T: std::fmt::Debug>(result: S3Result<T>) -> String {
    result.unwrap_err().code().as_str().to_owned()
}

#[tokio::test]
async fn versions_stay_readable_behind_a_delete_marker() {
    let bench = Bench::new().await;
    let first = bench.put("kept", "k", b"one").await.unwrap().unwrap();
    let second = bench.put("kept", "k", b"two").await.unwrap().unwrap();
    assert_eq!(bench.get("kept", "k", None).await.unwrap(), b"two");
    let marker = bench.delete("kept", "k", None).await.unwrap();
    assert_eq!(code(bench.get("kept", "k", None).await), "NoSuchKey");
    assert_eq!(code(bench.get("kept", "k", Some(&marker)).await), "MethodNotAllowed");
    assert_eq!(bench.get("kept", "k", Some(&first)).await.unwrap(), b"one");
    bench.delete("kept", "k", Some(&marker)).await;
    assert_eq!(bench.get("kept", "k", None).await.unwrap(), b"two");
    bench.delete("kept", "k", Some(&second)).await;
    assert_eq!(bench.get("kept", "k", None).await.unwrap(), b"one");
    assert_eq!(bench.files(), 1);
}

#[tokio::test]
async fn conditions_hold_against_what_is_there() {
    let bench = Bench::new().await;
    let unless_there = |input: &mut PutObjectInput| input.if_none_match = Some(ETagCondition::Any);
    bench.put_with("plain", "k", b"one", unless_there).await.unwrap();
    assert_eq!(code(bench.put_with("plain", "k", b"two", unless_there).await), "PreconditionFailed");
    let input = HeadObjectInput { bucket: "plain".to_owned(), key: "k".to_owned(), ..HeadObjectInput::default() };
    let etag = bench.buckets.head_object(request(input)).await.unwrap().output.e_tag.unwrap();
    let if_same = |input: &mut PutObjectInput| input.if_match = Some(ETagCondition::ETag(etag.clone()));
    bench.put_with("plain", "k", b"two", if_same).await.unwrap();
    assert_eq!(code(bench.put_with("plain", "k", b"three", if_same).await), "PreconditionFailed");
    assert_eq!(code(bench.put_with("plain", "new", b"three", if_same).await), "NoSuchKey");
    assert_eq!(bench.get("plain", "k", None).await.unwrap(), b"two");
    assert_eq!(bench.files(), 1);
}

#[tokio::test]
async fn a_wrong_checksum_changes_nothing_and_sends_no_event() {
    let bench = Bench::new().await;
    bench.put("plain", "in/k", b"one").await.unwrap();
    let refused = bench.put_with("plain", "in/k", b"two", |input| input.checksum_crc32 = Some("AAAAAA==".to_owned())).await;
    assert_eq!(code(refused), "BadDigest");
    let refused = bench.put_with("plain", "in/k", b"two", |input| input.content_length = Some(4)).await;
    assert_eq!(code(refused), "IncompleteBody");
    assert_eq!(bench.get("plain", "in/k", None).await.unwrap(), b"one");
    bench.put("plain", "elsewhere", b"no event").await.unwrap();
    let events = bench.queues.receive("events", 10, None, Duration::ZERO, Holder::Client).await.unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!(bench.files(), 2);
}

#[tokio::test]
async fn copies_share_a_blob_until_the_last_goes() {
    let bench = Bench::new().await;
    bench.put("plain", "in/a b+ü", b"photo").await.unwrap();
    let source = CopySource::Bucket { bucket: "plain".into(), key: "in/a b+ü".into(), version_id: None };
    let mut input = CopyObjectInput::builder();
    input.set_bucket("kept".to_owned());
    input.set_key("copy".to_owned());
    input.set_copy_source(source);
    input.set_checksum_algorithm(Some("SHA256".to_owned().into()));
    let copied = bench.buckets.copy_object(request(input.build().unwrap())).await.unwrap().output;
    // printf photo | openssl dgst -sha256 -binary | base64
    let sha256 = copied.copy_object_result.unwrap().checksum_sha256.unwrap();
    assert_eq!(sha256, "VcZND81vnV98goCThX4/39poR4u06b0k1IHvORx4BOg=");
    assert_eq!(bench.files(), 1);
    bench.delete("plain", "in/a b+ü", None).await;
    assert_eq!(bench.get("kept", "copy", None).await.unwrap(), b"photo");
    bench.delete("kept", "copy", copied.version_id.as_deref()).await;
    assert_eq!(bench.files(), 0);
    let event = bench.queues.receive("events", 10, None, Duration::ZERO, Holder::Client).await.unwrap().remove(0);
    let event: serde_json::Value = serde_json::from_str(&event.body).unwrap();
    assert_eq!(event["Records"][0]["s3"]["object"]["key"], "in/a+b%2B%C3%BC");
    assert_eq!(event["Records"][0]["eventName"], "ObjectCreated:Put");
}

/// Listings against a model: sorted keys, cut at the delimiter.
#[tokio::test]
async fn listings_page_through_everything_once_in_order() {
    let bench = Bench::new().await;
    let mut keys = BTreeSet::new();
    for number in 0..60_u32 {
        let key = ["a", "a/", "b//", "b/\u{10FFFF}", "ü/..", "\u{1}/%2F"][number as usize % 6].to_owned()
            + &"/x".repeat(number as usize % 4);
        bench.put("kept", &key, key.as_bytes()).await.unwrap();
        keys.insert(key);
    }
    for (prefix, delimiter) in [("", ""), ("", "/"), ("b/", "/"), ("a", "/x"), ("none", "/"), ("", "\u{10FFFF}")] {
        let mut expected = Vec::new();
        for key in keys.iter().filter(|key| key.starts_with(prefix)) {
            let cut = if delimiter.is_empty() { None } else { key[prefix.len()..].find(delimiter) };
            let entry = cut.map_or(key.clone(), |cut| key[..prefix.len() + cut + delimiter.len()].to_owned());
            if !expected.contains(&entry) {
                expected.push(entry);
            }
        }
        for max_keys in [1, 3, 1000] {
            let (mut listed, mut token) = (Vec::new(), None);
            loop {
                let mut input = ListObjectsV2Input::builder();
                input.set_bucket("kept".to_owned());
                input.set_prefix(Some(prefix.to_owned()));
                input.set_delimiter(Some(delimiter.to_owned()));
                input.set_max_keys(Some(max_keys));
                input.set_continuation_token(token);
                let page = bench.buckets.list_objects_v2(request(input.build().unwrap())).await.unwrap().output;
                let mut entries: Vec<_> = page.contents.unwrap().into_iter().filter_map(|object| object.key).collect();
                entries.extend(page.common_prefixes.unwrap().into_iter().filter_map(|prefix| prefix.prefix));
                entries.sort();
                listed.extend(entries);
                token = page.next_continuation_token;
                if token.is_none() {
                    break;
                }
            }
            assert_eq!(listed, expected, "prefix {prefix:?}, delimiter {delimiter:?}, {max_keys} a page");
        }
    }
    let input = ListObjectVersionsInput { bucket: "kept".to_owned(), ..ListObjectVersionsInput::default() };
    assert_eq!(bench.buckets.list_object_versions(request(input)).await.unwrap().output.versions.unwrap().len(), 60);
}

#[tokio::test]
async fn a_restart_sweeps_what_no_row_names_and_keeps_the_rest() {
    let bench = Bench::new().await;
    bench.put("plain", "k", b"kept").await.unwrap();
    let blobs = bench.folder.path().join("blobs");
    let stray = blobs.join("0000000").join("000000000001feedbeef00000000");
    std::fs::create_dir_all(stray.parent().unwrap()).unwrap();
    std::fs::write(&stray, b"stray").unwrap();
    std::fs::write(blobs.join("tmp").join("half"), b"half").unwrap();
    let store = Store::open(bench.folder.path()).unwrap();
    for _ in 0..200 {
        if !stray.exists() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(bench.files(), 1);
    drop(store);
    assert_eq!(bench.get("plain", "k", None).await.unwrap(), b"kept");
}

#[tokio::test]
async fn a_bucket_forgets_what_its_rules_say() {
    let bench = Bench::new().await;
    for key in ["originals/a", "originals/b", "originals/b", "checkpoints/c", "other/d", "other/d"] {
        bench.put("kept", key, key.as_bytes()).await.unwrap();
    }
    bench.delete("kept", "originals/a", None).await;
    let (bucket, key) = ("kept".to_owned(), "originals/e".to_owned());
    bench.buckets.begin_upload(CreateMultipartUploadInput { bucket, key, ..Default::default() }).await.unwrap();
    let rules = [
        LifecycleRule { prefix: "originals/".into(), noncurrent_days: Some(30), lone_markers: true, ..Default::default() },
        LifecycleRule { prefix: "checkpoints/".into(), expire_days: Some(3), noncurrent_days: Some(1), ..Default::default() },
        LifecycleRule { abort_days: Some(7), ..Default::default() },
    ];
    let now = crate::clock::now_ms() + 60_000;
    for (days, want, what) in [
        (0, 0, "everything is young"),
        (3, 2, "the checkpoint goes behind a marker; its version has been there for days by this clock"),
        (8, 1, "the upload that nobody completed"),
        (29, 0, "a month is not over"),
        (31, 3, "the old version, the removed object and its marker"),
        (31, 0, "all is done"),
    ] {
        assert_eq!(bench.buckets.forget("kept", &rules, now + days * DAY_MS).await.unwrap(), want, "{what}");
    }
    assert_eq!(bench.get("kept", "originals/b", None).await.unwrap(), b"originals/b");
    assert_eq!(code(bench.get("kept", "originals/a", None).await), "NoSuchKey");
    assert_eq!(bench.files(), 3, "b, and both of d");
}
