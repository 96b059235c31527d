//! The laptop engine: S3, SQS, DynamoDB and of Rekognition what needs nobody's cloud, on one loopback port over files in one folder, and the functions of `template.yaml` beside them.

pub mod auth;
pub mod clock;
#[cfg(test)]
mod crash;
pub mod dynamodb;
pub mod engine;
pub mod gateway;
pub mod meter;
mod metrics;
pub mod peer;
mod rekognition;
pub mod runtime;
pub mod s3;
mod sns;
pub mod sqs;
pub mod store;
pub mod template;

pub use engine::{Engine, Options};
