//! Listings in the API's shapes.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use s3s::{
    S3Response, S3Result,
    dto::{
        ChecksumAlgorithm, CommonPrefix, DeleteMarkerEntry, ETag, ListObjectVersionsInput, ListObjectVersionsOutput,
        ListObjectsInput, ListObjectsOutput, ListObjectsV2Input, ListObjectsV2Output, ObjectStorageClass, ObjectVersion,
        ObjectVersionStorageClass,
    },
    s3_error,
};

use super::{
    Buckets,
    listing::{self, From, Page, Query, shown},
    objects::{Object, find},
    service::{internal, owner, timestamp},
};

/// Keys per page, unless fewer are asked for.
const PAGE_MAX: usize = 1000;

impl Buckets {
    pub(super) fn list_v2(&self, input: ListObjectsV2Input) -> S3Result<S3Response<ListObjectsV2Output>> {
        let encoded = input.encoding_type.is_some();
        let max = page_max(input.max_keys);
        let from = match (&input.continuation_token, &input.start_after) {
            (Some(token), _) => {
                from_token(token).ok_or_else(|| s3_error!(InvalidArgument, "the continuation token is not ours"))?
            }
            (None, Some(key)) => From::Key(key.clone()),
            (None, None) => From::Start,
        };
        let page = self.page(&input.bucket, input.prefix.as_deref(), input.delimiter.as_deref(), max, from)?;
        let with_owner = input.fetch_owner.unwrap_or(false);
        Ok(S3Response::new(ListObjectsV2Output {
            key_count: Some((page.objects.len() + page.prefixes.len()) as i32),
            is_truncated: Some(page.next.is_some()),
            next_continuation_token: page.next.as_ref().map(token),
            common_prefixes: Some(prefixes(&page, encoded)),
            contents: Some(page.objects.into_iter().map(|object| entry(object, encoded, with_owner)).collect()),
            name: Some(input.bucket),
            prefix: input.prefix.map(|prefix| shown(&prefix, encoded)),
            delimiter: input.delimiter.map(|delimiter| shown(&delimiter, encoded)),
            start_after: input.start_after.map(|key| shown(&key, encoded)),
            continuation_token: input.continuation_token,
            encoding_type: input.encoding_type,
            max_keys: Some(max as i32),
            ..Default::default()
        }))
    }

    pub(super) fn list(&self, input: ListObjectsInput) -> S3Result<S3Response<ListObjectsOutput>> {
        let encoded = input.encoding_type.is_some();
        let max = page_max(input.max_keys);
        let delimiter = input.delimiter.as_deref().filter(|delimiter| !delimiter.is_empty());
        let from = match (&input.marker, delimiter) {
            (None, _) => From::Start,
            // A page that ended on a common prefix gave it as the marker.
            (Some(marker), Some(delimiter)) if marker.ends_with(delimiter) => From::Prefix(marker.clone()),
            (Some(marker), _) => From::Key(marker.clone()),
        };
        let page = self.page(&input.bucket, input.prefix.as_deref(), delimiter, max, from)?;
        let next = page.next.as_ref().map(|next| match next {
            From::Key(place) | From::Prefix(place) | From::Version(place, _) => shown(place, encoded),
            From::Start => String::new(),
        });
        Ok(S3Response::new(ListObjectsOutput {
            is_truncated: Some(page.next.is_some()),
            next_marker: next,
            common_prefixes: Some(prefixes(&page, encoded)),
            contents: Some(page.objects.into_iter().map(|object| entry(object, encoded, true)).collect()),
            name: Some(input.bucket),
            prefix: input.prefix.map(|prefix| shown(&prefix, encoded)),
            delimiter: input.delimiter.map(|delimiter| shown(&delimiter, encoded)),
            marker: input.marker.map(|marker| shown(&marker, encoded)),
            encoding_type: input.encoding_type,
            max_keys: Some(max as i32),
            ..Default::default()
        }))
    }

    pub(super) fn list_versions(&self, input: ListObjectVersionsInput) -> S3Result<S3Response<ListObjectVersionsOutput>> {
        self.bucket(&input.bucket)?;
        let encoded = input.encoding_type.is_some();
        let max = page_max(input.max_keys);
        let from = self.versions_from(&input)?;
        let query = Query {
            bucket: &input.bucket,
            prefix: input.prefix.as_deref().unwrap_or_default(),
            delimiter: input.delimiter.as_deref().unwrap_or_default(),
            max,
        };
        let page = self.store.read(|connection| listing::versions(connection, &query, from)).map_err(internal)?;
        let last_version = page.objects.last().map(|object| object.version.clone());
        let (next_key_marker, next_version_id_marker) = match &page.next {
            Some(From::Version(key, _)) => (Some(shown(key, encoded)), last_version),
            Some(From::Prefix(place) | From::Key(place)) => (Some(shown(place, encoded)), None),
            _ => (None, None),
        };
        let is_truncated = Some(page.next.is_some());
        let common_prefixes = prefixes(&page, encoded);
        let (markers, versions): (Vec<_>, Vec<_>) = page.objects.into_iter().partition(|object| object.marker);
        Ok(S3Response::new(ListObjectVersionsOutput {
            is_truncated,
            next_key_marker,
            next_version_id_marker,
            common_prefixes: Some(common_prefixes),
            versions: Some(versions.into_iter().map(|object| version(object, encoded)).collect()),
            delete_markers: Some(markers.into_iter().map(|object| marker(object, encoded)).collect()),
            name: Some(input.bucket),
            prefix: input.prefix.map(|prefix| shown(&prefix, encoded)),
            delimiter: input.delimiter.map(|delimiter| shown(&delimiter, encoded)),
            key_marker: input.key_marker.map(|key| shown(&key, encoded)),
            version_id_marker: input.version_id_marker,
            encoding_type: input.encoding_type,
            max_keys: Some(max as i32),
            ..Default::default()
        }))
    }

    fn versions_from(&self, input: &ListObjectVersionsInput) -> S3Result<From> {
        let Some(key) = &input.key_marker else { return Ok(From::Start) };
        let Some(version) = input.version_id_marker.as_deref().filter(|version| !version.is_empty()) else {
            let delimiter = input.delimiter.as_deref().filter(|delimiter| !delimiter.is_empty());
            let at_prefix = delimiter.is_some_and(|delimiter| key.ends_with(delimiter));
            return Ok(if at_prefix { From::Prefix(key.clone()) } else { From::Key(key.clone()) });
        };
        let found = self.store.read(|connection| find(connection, &input.bucket, key, Some(version))).map_err(internal)?;
        // A version that was deleted meanwhile: go on behind its key rather than show versions twice.
        Ok(found.map_or_else(|| From::Key(key.clone()), |object| From::Version(key.clone(), object.row)))
    }

    fn page(&self, bucket: &str, prefix: Option<&str>, delimiter: Option<&str>, max: usize, from: From) -> S3Result<Page> {
        self.bucket(bucket)?;
        let query = Query { bucket, prefix: prefix.unwrap_or_default(), delimiter: delimiter.unwrap_or_default(), max };
        self.store.read(|connection| listing::keys(connection, &query, from)).map_err(internal)
    }
}

fn page_max(asked: Option<i32>) -> usize {
    usize::try_from(asked.unwrap_or(PAGE_MAX as i32)).unwrap_or(0).min(PAGE_MAX)
}

fn prefixes(page: &Page, encoded: bool) -> Vec<CommonPrefix> {
    page.prefixes.iter().map(|prefix| CommonPrefix { prefix: Some(shown(prefix, encoded)) }).collect()
}

fn entry(object: Object, encoded: bool, with_owner: bool) -> s3s::dto::Object {
    s3s::dto::Object {
        checksum_algorithm: algorithms(&object),
        e_tag: Some(ETag::Strong(object.etag)),
        key: Some(shown(&object.key, encoded)),
        last_modified: Some(timestamp(object.modified_ms)),
        owner: with_owner.then(owner),
        size: Some(object.size_bytes as i64),
        storage_class: Some(ObjectStorageClass::from_static(ObjectStorageClass::STANDARD)),
        ..Default::default()
    }
}

fn version(object: Object, encoded: bool) -> ObjectVersion {
    ObjectVersion {
        checksum_algorithm: algorithms(&object),
        e_tag: Some(ETag::Strong(object.etag)),
        is_latest: Some(object.latest),
        key: Some(shown(&object.key, encoded)),
        last_modified: Some(timestamp(object.modified_ms)),
        owner: Some(owner()),
        size: Some(object.size_bytes as i64),
        storage_class: Some(ObjectVersionStorageClass::from_static(ObjectVersionStorageClass::STANDARD)),
        version_id: Some(object.version),
        ..Default::default()
    }
}

fn marker(object: Object, encoded: bool) -> DeleteMarkerEntry {
    DeleteMarkerEntry {
        is_latest: Some(object.latest),
        key: Some(shown(&object.key, encoded)),
        last_modified: Some(timestamp(object.modified_ms)),
        owner: Some(owner()),
        version_id: Some(object.version),
    }
}

fn algorithms(object: &Object) -> Option<Vec<ChecksumAlgorithm>> {
    object.kept.as_ref().map(|kept| vec![ChecksumAlgorithm::from(kept.algorithm.name().to_owned())])
}

fn token(place: &From) -> String {
    let (kind, place) = match place {
        From::Prefix(prefix) => ('p', prefix.as_str()),
        From::Key(key) | From::Version(key, _) => ('k', key.as_str()),
        From::Start => ('k', ""),
    };
    URL_SAFE_NO_PAD.encode(format!("{kind}{place}"))
}

fn from_token(token: &str) -> Option<From> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    match text.split_at_checked(1)? {
        ("p", prefix) => Some(From::Prefix(prefix.to_owned())),
        ("k", key) => Some(From::Key(key.to_owned())),
        _ => None,
    }
}
