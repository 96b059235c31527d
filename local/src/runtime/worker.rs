//! A worker: a child without a time limit, started when its queue has messages; it asks for them itself, and ends.
//!
//! Stands for a job queue of AWS Batch and the pipe that submits to it. A child that ends badly is started anew, as Batch retries a job.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use tokio::{process::Child, sync::watch};

use super::{
    child::{self, Order},
    function::Settings,
    log::Log,
};
use crate::{
    sqs::{Holder, Queues},
    template::WorkerSpec,
};

/// As long as a long poll of SQS; nothing is looked at in between.
const LONG_POLL: Duration = Duration::from_secs(20);
/// Messages of one receive.
const MAX_BATCH: usize = 10;
/// Before a child that ended badly is started anew, and after an error of the engine's own storage.
const PAUSE: Duration = Duration::from_secs(1);

/// One worker.
pub(crate) struct Worker {
    pub(crate) spec: WorkerSpec,
    pub(crate) settings: Arc<Settings>,
    pub(crate) queues: Arc<Queues>,
    /// The name of the queue whose messages start it.
    pub(crate) started_by: String,
}

impl Worker {
    /// Runs until `stopping` turns true; then the child is ended: what it holds comes back at the next start.
    pub(crate) async fn run(self, mut stopping: watch::Receiver<bool>) {
        let log = Arc::new(Log::new(&self.settings.logs, &self.name(), Arc::clone(&self.settings.meter)));
        loop {
            let turn = tokio::select! {
                biased;
                _ = stopping.wait_for(|it| *it) => return,
                turn = self.turn(&log) => turn,
            };
            if let Err(error) = turn {
                tracing::warn!(worker = self.spec.name, error = format!("{error:#}"), "the worker is started anew");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }

    /// In logs, and in what it is metered as: the function of the same code has its own.
    fn name(&self) -> String {
        format!("{}-worker", self.spec.name)
    }

    /// Runs a child while there are messages; else waits to be told of some.
    async fn turn(&self, log: &Arc<Log>) -> Result<()> {
        // No child lives now: whoever held a message is gone.
        self.queues.release_holds(&self.spec.queue).await?;
        let counts = self.queues.counts(&self.spec.queue).await?;
        if counts.visible + counts.in_flight + counts.delayed == 0 {
            let told = self.queues.receive(&self.started_by, MAX_BATCH, None, LONG_POLL, Holder::Mapping).await?;
            let receipts: Vec<String> = told.into_iter().map(|message| message.receipt).collect();
            return if receipts.is_empty() { Ok(()) } else { self.queues.delete(&self.started_by, &receipts).await };
        }
        let mut child = self.start(log).await?;
        let status = child.0.wait().await.context("the worker")?;
        anyhow::ensure!(status.success(), "{}", child::describe(status));
        Ok(())
    }

    async fn start(&self, log: &Arc<Log>) -> Result<Running> {
        let (spec, settings) = (&self.spec, &self.settings);
        let mut command = settings.command.clone();
        command.push(spec.name.clone());
        command.extend(spec.arguments.iter().cloned());
        let (output, _) = log.attach()?;
        let environment = settings.surround(&self.name(), spec.environment.clone());
        let child = settings.spawner.spawn(Order { command, environment, memory_mb: spec.memory_mb, output }).await?;
        tracing::info!(worker = spec.name, child.pid = child.id(), "worker started");
        Ok(Running(child))
    }
}

/// A child that ends with this value, and what it started with it.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(pid) = self.0.id() {
            child::kill_group(pid);
        }
    }
}
