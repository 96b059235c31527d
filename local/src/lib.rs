//! The laptop engine: S3, SQS and DynamoDB on one loopback port over files in one folder, and the functions of `template.yaml` beside them.

pub mod auth;
pub mod clock;
pub mod dynamodb;
pub mod gateway;
pub mod s3;
pub mod sqs;
pub mod store;
