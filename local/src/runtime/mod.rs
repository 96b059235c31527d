//! Runs the functions: hosts the Lambda Runtime API for child processes, and feeds them from queues, streams and the clock.

mod api;
mod child;
mod feed;
mod filter;
mod function;
mod log;
pub(crate) mod random;
mod sandbox;
mod schedule;
mod spent;
mod sqs;
mod sqs_event;
mod stream;
mod stream_batch;
#[cfg(test)]
pub(crate) mod tests;
mod worker;

pub(crate) use self::{
    feed::{Feed, Own},
    random::random_hex,
    schedule::Schedule,
    sqs::SqsMapping,
    stream::StreamMapping,
    worker::Worker,
};
pub use self::{
    filter::Filter,
    function::{Function, FunctionError, FunctionHealth, InvokeResult, Settings},
};
