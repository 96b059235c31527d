//! The S3 actions that the engine answers; s3s parses, verifies signatures and writes XML.

use s3s::{
    S3, S3Error, S3Request, S3Response, S3Result,
    dto::{
        AbortMultipartUploadInput, AbortMultipartUploadOutput, Bucket, BucketLocationConstraint, BucketVersioningStatus,
        CompleteMultipartUploadInput, CompleteMultipartUploadOutput, CopyObjectInput, CopyObjectOutput, CreateBucketInput,
        CreateBucketOutput, CreateMultipartUploadInput, CreateMultipartUploadOutput, DeleteBucketInput, DeleteBucketOutput,
        DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput, GetBucketLocationInput,
        GetBucketLocationOutput, GetBucketVersioningInput, GetBucketVersioningOutput, GetObjectInput, GetObjectOutput,
        HeadBucketInput, HeadBucketOutput, HeadObjectInput, HeadObjectOutput, ListBucketsInput, ListBucketsOutput,
        ListMultipartUploadsInput, ListMultipartUploadsOutput, ListObjectVersionsInput, ListObjectVersionsOutput,
        ListObjectsInput, ListObjectsOutput, ListObjectsV2Input, ListObjectsV2Output, ListPartsInput, ListPartsOutput, Owner,
        PutBucketVersioningInput, PutBucketVersioningOutput, PutObjectInput, PutObjectOutput, Timestamp, UploadPartCopyInput,
        UploadPartCopyOutput, UploadPartInput, UploadPartOutput,
    },
    s3_error,
};
use time::OffsetDateTime;

use super::{Buckets, Versioning, bucket};
use crate::{
    clock::now_ms,
    gateway::{ACCOUNT, REGION},
    store::BodyFailed,
};

type Answer<T> = S3Result<S3Response<T>>;

#[async_trait::async_trait]
impl S3 for Buckets {
    async fn create_bucket(&self, request: S3Request<CreateBucketInput>) -> Answer<CreateBucketOutput> {
        let name = request.input.bucket;
        let location = format!("/{name}");
        let made = self.store.write(move |connection| {
            let row = rusqlite::params![name, Versioning::Off.as_str(), now_ms()];
            let sql = "INSERT OR IGNORE INTO buckets (name, versioning, notifications, created_ms) VALUES (?1, ?2, '[]', ?3)";
            Ok(connection.execute(sql, row)? == 1)
        });
        if !made.await.map_err(internal)? {
            return Err(s3_error!(BucketAlreadyOwnedByYou, "the bucket is there already"));
        }
        Ok(S3Response::new(CreateBucketOutput { location: Some(location) }))
    }

    async fn delete_bucket(&self, request: S3Request<DeleteBucketInput>) -> Answer<DeleteBucketOutput> {
        let name = request.input.bucket;
        let removed = self.store.write(move |connection| {
            let used: bool =
                connection.query_row("SELECT EXISTS (SELECT 1 FROM objects WHERE bucket = ?1)", [&name], |row| row.get(0))?;
            if used {
                return Ok(Err(s3_error!(BucketNotEmpty, "the bucket has objects or versions")));
            }
            let removed = connection.execute("DELETE FROM buckets WHERE name = ?1", [&name])?;
            Ok(if removed == 1 { Ok(()) } else { Err(s3_error!(NoSuchBucket)) })
        });
        removed.await.map_err(internal)??;
        Ok(S3Response::new(DeleteBucketOutput::default()))
    }

    async fn head_bucket(&self, request: S3Request<HeadBucketInput>) -> Answer<HeadBucketOutput> {
        self.bucket(&request.input.bucket)?;
        Ok(S3Response::new(HeadBucketOutput { bucket_region: Some(REGION.to_owned()), ..Default::default() }))
    }

    async fn list_buckets(&self, _request: S3Request<ListBucketsInput>) -> Answer<ListBucketsOutput> {
        let buckets = self.store.read(|connection| {
            let mut all = connection.prepare_cached("SELECT name, created_ms FROM buckets ORDER BY name")?;
            let bucket = |row: &rusqlite::Row| -> rusqlite::Result<Bucket> {
                Ok(Bucket { name: row.get(0)?, creation_date: Some(timestamp(row.get(1)?)), ..Default::default() })
            };
            Ok(all.query_map([], bucket)?.collect::<Result<Vec<_>, _>>()?)
        });
        let buckets = Some(buckets.map_err(internal)?);
        Ok(S3Response::new(ListBucketsOutput { buckets, owner: Some(owner()), ..Default::default() }))
    }

    async fn get_bucket_location(&self, request: S3Request<GetBucketLocationInput>) -> Answer<GetBucketLocationOutput> {
        self.bucket(&request.input.bucket)?;
        // us-east-1 answers with an empty constraint.
        let location_constraint = Some(BucketLocationConstraint::from(String::new()));
        Ok(S3Response::new(GetBucketLocationOutput { location_constraint }))
    }

    async fn get_bucket_versioning(&self, request: S3Request<GetBucketVersioningInput>) -> Answer<GetBucketVersioningOutput> {
        let versioning = self.bucket(&request.input.bucket)?.versioning;
        let status = (versioning != Versioning::Off).then(|| BucketVersioningStatus::from(versioning.as_str().to_owned()));
        Ok(S3Response::new(GetBucketVersioningOutput { status, ..Default::default() }))
    }

    async fn put_bucket_versioning(&self, request: S3Request<PutBucketVersioningInput>) -> Answer<PutBucketVersioningOutput> {
        let name = request.input.bucket;
        self.bucket(&name)?;
        let versioning = match request.input.versioning_configuration.status.as_ref().map(BucketVersioningStatus::as_str) {
            Some(BucketVersioningStatus::ENABLED) => Versioning::Enabled,
            Some(BucketVersioningStatus::SUSPENDED) => Versioning::Suspended,
            _ => return Err(s3_error!(MalformedXML, "Status is Enabled or Suspended")),
        };
        let changed = self.store.write(move |connection| {
            connection.execute("UPDATE buckets SET versioning = ?2 WHERE name = ?1", [name.as_str(), versioning.as_str()])?;
            Ok(())
        });
        changed.await.map_err(internal)?;
        Ok(S3Response::new(PutBucketVersioningOutput::default()))
    }

    async fn put_object(&self, request: S3Request<PutObjectInput>) -> Answer<PutObjectOutput> {
        self.put(request).await
    }

    async fn copy_object(&self, request: S3Request<CopyObjectInput>) -> Answer<CopyObjectOutput> {
        self.copy(request).await
    }

    async fn get_object(&self, request: S3Request<GetObjectInput>) -> Answer<GetObjectOutput> {
        self.get(request.input)
    }

    async fn head_object(&self, request: S3Request<HeadObjectInput>) -> Answer<HeadObjectOutput> {
        self.head(request.input)
    }

    async fn delete_object(&self, request: S3Request<DeleteObjectInput>) -> Answer<DeleteObjectOutput> {
        self.delete(request.input).await
    }

    async fn delete_objects(&self, request: S3Request<DeleteObjectsInput>) -> Answer<DeleteObjectsOutput> {
        self.delete_many(request.input).await
    }

    async fn list_objects(&self, request: S3Request<ListObjectsInput>) -> Answer<ListObjectsOutput> {
        self.list(request.input)
    }

    async fn list_objects_v2(&self, request: S3Request<ListObjectsV2Input>) -> Answer<ListObjectsV2Output> {
        self.list_v2(request.input)
    }

    async fn list_object_versions(&self, request: S3Request<ListObjectVersionsInput>) -> Answer<ListObjectVersionsOutput> {
        self.list_versions(request.input)
    }

    async fn create_multipart_upload(
        &self,
        request: S3Request<CreateMultipartUploadInput>,
    ) -> Answer<CreateMultipartUploadOutput> {
        self.begin_upload(request.input).await
    }

    async fn upload_part(&self, request: S3Request<UploadPartInput>) -> Answer<UploadPartOutput> {
        self.receive_part(request).await
    }

    async fn upload_part_copy(&self, request: S3Request<UploadPartCopyInput>) -> Answer<UploadPartCopyOutput> {
        self.copy_part(request.input).await
    }

    async fn complete_multipart_upload(
        &self,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> Answer<CompleteMultipartUploadOutput> {
        self.complete_upload(request.input).await
    }

    async fn abort_multipart_upload(&self, request: S3Request<AbortMultipartUploadInput>) -> Answer<AbortMultipartUploadOutput> {
        self.abort_upload(request.input).await
    }

    async fn list_parts(&self, request: S3Request<ListPartsInput>) -> Answer<ListPartsOutput> {
        self.parts(request.input)
    }

    async fn list_multipart_uploads(&self, request: S3Request<ListMultipartUploadsInput>) -> Answer<ListMultipartUploadsOutput> {
        self.uploads(request.input)
    }
}

impl Buckets {
    pub(super) fn bucket(&self, name: &str) -> S3Result<super::Bucket> {
        self.store.read(|connection| bucket(connection, name)).map_err(internal)?
    }
}

pub(super) fn timestamp(ms: i64) -> Timestamp {
    // Whole seconds: HTTP dates have no more, and a client compares them with listings.
    OffsetDateTime::from_unix_timestamp(ms.div_euclid(1000)).unwrap_or(OffsetDateTime::UNIX_EPOCH).into()
}

pub(super) fn owner() -> Owner {
    Owner { id: Some(ACCOUNT.to_owned()), display_name: Some("photovault".to_owned()) }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape of map_err")]
pub(super) fn internal(error: anyhow::Error) -> S3Error {
    if let Some(body) = error.downcast_ref::<BodyFailed>() {
        return s3_error!(IncompleteBody, "{body}");
    }
    tracing::error!(error = format!("{error:#}"), "s3: internal error");
    s3_error!(InternalError, "{error:#}")
}
