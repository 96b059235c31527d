//! One child process with its port: the equal of one Lambda sandbox, one invocation at a time.

use std::{
    sync::{Arc, PoisonError},
    time::{Duration, Instant},
};

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot, watch};

use super::{
    api::{Answer, Api, Invocation},
    child::{self, Order, Spawner},
    function::FunctionError,
    log::{Log, Tail},
    spent::Spent,
};
use crate::template::FunctionSpec;

/// What Lambda gives a runtime to ask for its first event.
const INIT_TIMEOUT: Duration = Duration::from_secs(10);
/// How often a working child's memory is looked at.
const MEMORY_PERIOD: Duration = Duration::from_millis(100);

/// A running child.
pub(super) struct Sandbox {
    pub(super) pid: u32,
    pub(super) tail: Arc<Tail>,
    /// Since when it has had nothing to do.
    pub(super) idle_since: Instant,
    /// What it had used after its last invocation.
    pub(super) spent: Spent,
    born: Instant,
    /// From its start to the first request for an event.
    pub(super) init_ms: Option<u64>,
    api: Api,
    /// How it ended, once it has.
    exit: watch::Receiver<Option<String>>,
    kill: mpsc::Sender<()>,
    /// Whether the engine ended it.
    pub(super) was_killed: bool,
}

impl Sandbox {
    /// Starts a child; `ended` hears how it ended when nobody asked it to.
    pub(super) async fn start(
        spec: &FunctionSpec,
        spawner: &Spawner,
        log: &Arc<Log>,
        command: Vec<String>,
        mut environment: std::collections::BTreeMap<String, String>,
        ended: impl FnOnce(u32, &str) + Send + 'static,
    ) -> anyhow::Result<Self> {
        let api = Api::start(spec.arn.clone(), Duration::from_secs(spec.timeout_s.into())).await?;
        environment.insert("AWS_LAMBDA_RUNTIME_API".into(), api.address.to_string());
        let (output, tail) = log.attach()?;
        let born = Instant::now();
        let mut process = spawner.spawn(Order { command, environment, memory_mb: spec.memory_mb, output }).await?;
        let pid = process.id().unwrap_or_default();
        let (exit_sender, exit) = watch::channel(None);
        let (kill, mut killed) = mpsc::channel(1);
        tokio::spawn(async move {
            let (status, asked) = tokio::select! {
                status = process.wait() => (status, false),
                // A sandbox that was dropped has nobody left to answer.
                _ = killed.recv() => {
                    child::kill_group(pid);
                    (process.wait().await, true)
                }
            };
            let how = status.map_or_else(|error| error.to_string(), child::describe);
            if !asked {
                ended(pid, &how);
            }
            exit_sender.send_replace(Some(how));
        });
        Ok(Self { pid, tail, idle_since: born, spent: Spent::default(), born, init_ms: None, api, exit, kill, was_killed: false })
    }

    pub(super) fn is_alive(&self) -> bool {
        self.exit.borrow().is_none()
    }

    /// Runs one event. After an error that is not the handler's own the child is gone.
    pub(super) async fn invoke(&mut self, spec: &FunctionSpec, id: &str, payload: Bytes) -> Result<Bytes, FunctionError> {
        self.tail.clear();
        let (taken, mut was_taken) = oneshot::channel();
        let (answer, mut answered) = oneshot::channel();
        let invocation = Invocation { id: id.to_owned(), payload, taken, answer };
        if self.api.invocations.send(invocation).await.is_err() {
            return Err(FunctionError::new("Runtime.ExitError", "the Runtime API of the function has ended"));
        }
        tokio::select! {
            biased;
            _ = &mut was_taken => {}
            how = exited(&mut self.exit) => return Err(self.died(&how)),
            () = tokio::time::sleep(INIT_TIMEOUT) => {
                self.end().await;
                return Err(FunctionError::new("Sandbox.Timedout", format!("the function asked for no event within {} s", INIT_TIMEOUT.as_secs())));
            }
        }
        if self.init_ms.is_none() {
            self.init_ms = Some(self.born.elapsed().as_millis() as u64);
        }
        let deadline = tokio::time::Instant::now() + Duration::from_secs(spec.timeout_s.into());
        let mut memory = tokio::time::interval(MEMORY_PERIOD);
        let ended = loop {
            tokio::select! {
                biased;
                answer = &mut answered => match answer {
                    Ok(Answer::Response(body)) => return Ok(body),
                    Ok(Answer::Error(document)) => return Err(FunctionError::reported(&document)),
                    Err(_) => break FunctionError::new("Runtime.ExitError", "the function asked for another event without answering this one"),
                },
                how = exited(&mut self.exit) => return Err(self.died(&how)),
                () = tokio::time::sleep_until(deadline) => {
                    break FunctionError::new("Sandbox.Timedout", format!("Task timed out after {} seconds", spec.timeout_s));
                }
                _ = memory.tick() => {
                    if child::resident_mb(self.pid).is_some_and(|it| it > spec.memory_mb.into()) {
                        break FunctionError::new("Runtime.OutOfMemory", format!("Runtime exited: out of memory (limit {} MB)", spec.memory_mb));
                    }
                }
            }
        };
        self.end().await;
        Err(ended)
    }

    /// Whether the child has asked for its first event.
    pub(super) fn is_ready(&self) -> bool {
        *self.api.ready.borrow()
    }

    /// Kills the child and waits until it is gone.
    pub(super) async fn end(&mut self) {
        // The child may have gone by itself just now: that death has been counted.
        self.was_killed = self.is_alive();
        let _ = self.kill.try_send(());
        exited(&mut self.exit).await;
    }

    fn died(&self, how: &str) -> FunctionError {
        let said = self.api.init_error.lock().unwrap_or_else(PoisonError::into_inner).take();
        match said {
            Some(document) => FunctionError { died: true, ..FunctionError::reported(&document) },
            None => FunctionError::new("Runtime.ExitError", how),
        }
    }
}

async fn exited(exit: &mut watch::Receiver<Option<String>>) -> String {
    match exit.wait_for(Option::is_some).await {
        Ok(how) => how.clone().unwrap_or_default(),
        Err(_) => "Runtime exited".to_owned(),
    }
}
