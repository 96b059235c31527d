//! The seams over the AWS SDK. The only crate that names `aws-sdk-*`; wire shapes end here.

mod clock;
mod connect;
mod notifier;
mod objects;
mod parameters;
mod queue;
mod recognition;
#[cfg(test)]
mod server;
mod signed;
mod table;

pub use clock::SystemClock;
pub use connect::{Connection, Endpoint, Reach, connect};
pub use parameters::Parameters;
pub use queue::{Inbox, Received};

use std::error::Error;

use aws_sdk_s3::error::{DisplayErrorContext, SdkError};
use photovault_vault::seams::SeamError;

/// An SDK error in the seams' words: what was asked, and the whole chain of what came back.
fn failure<E: Error + 'static, R: std::fmt::Debug + 'static>(asked: impl Into<String>, error: &SdkError<E, R>) -> SeamError {
    SeamError { asked: asked.into(), answer: DisplayErrorContext(error).to_string() }
}
