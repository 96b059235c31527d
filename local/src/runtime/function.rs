//! One function: its warm children, and new ones on demand.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use bytes::Bytes;
use serde_json::Value;
use tokio::sync::Semaphore;

use super::{
    child::{self, Spawner},
    log::Log,
    random::request_id,
    sandbox::Sandbox,
    spent::Spent,
};
use crate::{meter::Meter, template::FunctionSpec};

/// How long a child without work is kept beside another one: its memory is worth more than its few milliseconds of start.
const SPARE_IDLE: Duration = Duration::from_secs(20);
/// The same holds for a child that kept more memory than this after its work.
const IDLE_MAX_MB: u64 = 48;

/// What all functions share.
pub struct Settings {
    /// The program and its arguments; the function's name is added.
    pub command: Vec<String>,
    /// `AWS_ENDPOINT_URL` of the children.
    pub endpoint: String,
    /// `AWS_REGION` of the children.
    pub region: String,
    /// `AWS_ACCESS_KEY_ID` of the children.
    pub access_key: String,
    /// `AWS_SECRET_ACCESS_KEY` of the children.
    pub secret_key: String,
    /// Children of one function at a time at most.
    pub workers: usize,
    /// `RUST_LOG` of the children instead of the template's.
    pub log_filter: Option<String>,
    /// Where the children's output goes.
    pub logs: PathBuf,
    /// How long a child without work is kept.
    pub idle: Duration,
    /// Where what they use is counted.
    pub meter: Arc<Meter>,
    pub(super) spawner: Spawner,
}

impl Settings {
    /// Settings for a command that speaks to `endpoint`; five minutes of idleness, logs in `logs`.
    pub fn new(command: Vec<String>, endpoint: String, workers: usize, logs: PathBuf) -> anyhow::Result<Self> {
        Ok(Self {
            command,
            endpoint,
            region: crate::gateway::REGION.into(),
            access_key: String::new(),
            secret_key: String::new(),
            workers: workers.max(1),
            log_filter: None,
            logs,
            idle: Duration::from_mins(5),
            meter: Arc::default(),
            spawner: Spawner::start()?,
        })
    }
}

impl Settings {
    /// A child's own environment with what all children are told. Its requests name it, so that they can be counted as its own.
    pub(super) fn surround(&self, name: &str, mut environment: BTreeMap<String, String>) -> BTreeMap<String, String> {
        for (name, value) in [
            ("AWS_REGION", self.region.as_str()),
            ("AWS_DEFAULT_REGION", &self.region),
            ("AWS_ACCESS_KEY_ID", &self.access_key),
            ("AWS_SECRET_ACCESS_KEY", &self.secret_key),
            ("AWS_ENDPOINT_URL", &self.endpoint),
            ("AWS_EC2_METADATA_DISABLED", "true"),
            ("AWS_SDK_UA_APP_ID", name),
        ] {
            environment.insert(name.to_owned(), value.to_owned());
        }
        environment.extend(self.log_filter.iter().map(|it| ("RUST_LOG".to_owned(), it.clone())));
        environment
    }
}

/// A function of the template, ready to be invoked.
pub struct Function {
    /// What the template says of it.
    pub spec: FunctionSpec,
    settings: Arc<Settings>,
    slots: Semaphore,
    /// The youngest is used first, so that those beyond need come to their end.
    idle: Mutex<Vec<Sandbox>>,
    log: Arc<Log>,
    history: Arc<Mutex<History>>,
}

/// How an invocation went.
#[derive(Clone, Debug)]
pub struct InvokeResult {
    /// Its request id.
    pub request_id: String,
    /// The function's answer, JSON by contract.
    pub outcome: Result<Bytes, FunctionError>,
    /// What the child printed, the last lines of it.
    pub log_tail: String,
    /// Milliseconds, a child's start included.
    pub duration_ms: u64,
    /// Milliseconds from a child's start to its first request for an event, when one was started for this.
    pub init_ms: Option<u64>,
}

/// Why an invocation gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}: {message}")]
pub struct FunctionError {
    /// `errorType`.
    pub kind: String,
    /// `errorMessage`.
    pub message: String,
    /// Whether the child is gone.
    pub died: bool,
}

/// A function at a glance.
#[derive(Clone, Debug, serde::Serialize)]
pub struct FunctionHealth {
    /// The function's name.
    pub name: String,
    /// Children without work, by process id.
    pub idle: Vec<u32>,
    /// Children at work, by process id.
    pub busy: Vec<u32>,
    /// Children started so far.
    pub starts: u64,
    /// Children that died, were killed for time or memory, or could not start.
    pub deaths: u64,
    /// Invocations so far.
    pub invocations: u64,
    /// Invocations that ended in an error.
    pub errors: u64,
    /// Milliseconds of all invocations.
    pub took_ms: u64,
    /// The last error.
    pub last_error: Option<String>,
    /// Milliseconds of the last child's start.
    pub init_ms: Option<u64>,
}

#[derive(Default)]
struct History {
    busy: Vec<u32>,
    starts: u64,
    deaths: u64,
    invocations: u64,
    errors: u64,
    took_ms: u64,
    last_error: Option<String>,
    init_ms: Option<u64>,
}

impl Function {
    /// A function without children yet.
    pub fn new(spec: FunctionSpec, settings: Arc<Settings>) -> Self {
        settings.meter.note(&spec.name, |used| used.memory_mb = spec.memory_mb);
        Self {
            slots: Semaphore::new(settings.workers),
            log: Arc::new(Log::new(&settings.logs, &spec.name, Arc::clone(&settings.meter))),
            idle: Mutex::default(),
            history: Arc::default(),
            spec,
            settings,
        }
    }

    /// Runs one event, in a warm child if there is one; waits when all are at work.
    pub async fn invoke(&self, payload: impl Into<Bytes>) -> InvokeResult {
        let payload = payload.into();
        let id = request_id();
        let Ok(_slot) = self.slots.acquire().await else {
            let error = FunctionError::new("Sandbox.Closed", "the engine is ending");
            return InvokeResult { request_id: id, outcome: Err(error), log_tail: String::new(), duration_ms: 0, init_ms: None };
        };
        let started = Instant::now();
        let warm = self.take_idle();
        let was_warm = warm.is_some();
        let sandbox = match warm {
            Some(sandbox) => Ok(sandbox),
            None => self.start().await,
        };
        let (outcome, log_tail, init_ms) = match sandbox {
            Err(error) => {
                self.history().deaths += 1;
                (Err(FunctionError::new("Runtime.StartFailed", format!("{error:#}"))), String::new(), None)
            }
            Ok(mut sandbox) => {
                let working = Working::new(&self.history, sandbox.pid);
                let outcome = sandbox.invoke(&self.spec, &id, payload).await;
                drop(working);
                self.meter(&mut sandbox);
                let tail = sandbox.tail.text();
                let init_ms = sandbox.init_ms.filter(|_| !was_warm);
                self.put_back(sandbox, outcome.as_ref().err());
                (outcome, tail, init_ms)
            }
        };
        let duration_ms = started.elapsed().as_millis() as u64;
        let mut history = self.history();
        history.invocations += 1;
        history.took_ms += duration_ms;
        if let Err(error) = &outcome {
            history.errors += 1;
            history.last_error = Some(error.to_string());
        }
        history.init_ms = init_ms.or(history.init_ms);
        drop(history);
        InvokeResult { request_id: id, outcome, log_tail, duration_ms, init_ms }
    }

    /// Ends children that have been idle for too long; call it now and then.
    pub(crate) fn sweep(&self) {
        let limit = self.settings.idle;
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let mut others = 0;
        idle.retain(|sandbox| {
            let is_large = || child::resident_mb(sandbox.pid).is_some_and(|it| it > IDLE_MAX_MB);
            let limit = if others > 0 || is_large() { limit.min(SPARE_IDLE) } else { limit };
            let keep = sandbox.is_alive() && sandbox.idle_since.elapsed() < limit;
            others += usize::from(keep);
            if !keep && sandbox.is_alive() {
                tracing::debug!(function = self.spec.name, child.pid = sandbox.pid, "child ended: nothing to do");
            }
            keep
        });
    }

    /// Ends all idle children and lets no invocation begin.
    pub(crate) async fn close(&self) {
        self.slots.close();
        let sandboxes = std::mem::take(&mut *self.idle.lock().unwrap_or_else(PoisonError::into_inner));
        for mut sandbox in sandboxes {
            sandbox.end().await;
        }
    }

    /// The function at a glance.
    pub fn health(&self) -> FunctionHealth {
        let idle =
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).iter().filter(|it| it.is_alive()).map(|it| it.pid).collect();
        let history = self.history();
        FunctionHealth {
            name: self.spec.name.clone(),
            idle,
            busy: history.busy.clone(),
            starts: history.starts,
            deaths: history.deaths,
            invocations: history.invocations,
            errors: history.errors,
            took_ms: history.took_ms,
            last_error: history.last_error.clone(),
            init_ms: history.init_ms,
        }
    }

    /// Children of this function at a time at most.
    pub(super) fn workers(&self) -> usize {
        self.settings.workers
    }

    /// Counts what an invocation brought: messages or records, and the requests that Lambda makes to fetch and delete them.
    pub(super) fn meter_batch(&self, messages: usize, polls: usize) {
        self.settings.meter.note(&self.spec.name, |used| {
            used.messages += messages as u64;
            used.polls += polls as u64;
        });
    }

    /// Counts an invocation and what it used: a child that is gone cannot be asked.
    fn meter(&self, sandbox: &mut Sandbox) {
        let spent = Spent::of(sandbox.pid);
        let cpu_ms = spent.cpu_ms.saturating_sub(sandbox.spent.cpu_ms);
        self.settings.meter.note(&self.spec.name, |used| {
            used.invocations += 1;
            used.cpu_ms += cpu_ms;
            used.peak_mb = used.peak_mb.max(spent.peak_mb);
        });
        sandbox.spent = spent;
    }

    fn take_idle(&self) -> Option<Sandbox> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(sandbox) = idle.pop() {
            if sandbox.is_alive() && sandbox.is_ready() {
                return Some(sandbox);
            }
        }
        None
    }

    fn put_back(&self, mut sandbox: Sandbox, error: Option<&FunctionError>) {
        if let Some(error) = error.filter(|it| it.died) {
            // A child that died by itself was counted when it did.
            if sandbox.was_killed {
                self.history().deaths += 1;
            }
            tracing::warn!(function = self.spec.name, child.pid = sandbox.pid, error = %error.message, "child ended in an invocation");
        }
        if sandbox.is_alive() && error.is_none_or(|it| !it.died) {
            sandbox.idle_since = Instant::now();
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(sandbox);
        }
    }

    async fn start(&self) -> anyhow::Result<Sandbox> {
        let mut command = self.settings.command.clone();
        command.push(self.spec.name.clone());
        let (history, name) = (Arc::clone(&self.history), self.spec.name.clone());
        let ended = move |pid: u32, how: &str| {
            history.lock().unwrap_or_else(PoisonError::into_inner).deaths += 1;
            tracing::warn!(function = name, child.pid = pid, "child died: {how}");
        };
        let sandbox = Sandbox::start(&self.spec, &self.settings.spawner, &self.log, command, self.environment(), ended).await?;
        self.history().starts += 1;
        tracing::info!(function = self.spec.name, child.pid = sandbox.pid, "child started");
        Ok(sandbox)
    }

    fn environment(&self) -> BTreeMap<String, String> {
        let (spec, settings) = (&self.spec, &*self.settings);
        let mut environment = spec.environment.clone();
        for (name, value) in [
            ("AWS_LAMBDA_FUNCTION_NAME", spec.function_name.as_str()),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", &spec.memory_mb.to_string()),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_LOG_GROUP_NAME", &format!("/aws/lambda/{}", spec.function_name)),
            ("AWS_LAMBDA_LOG_STREAM_NAME", "local"),
            ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
            ("_HANDLER", "bootstrap"),
        ] {
            environment.insert(name.to_owned(), value.to_owned());
        }
        settings.surround(&spec.name, environment)
    }

    fn history(&self) -> std::sync::MutexGuard<'_, History> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Notes that a child is at work, also when its invocation is dropped.
struct Working<'a> {
    history: &'a Mutex<History>,
    pid: u32,
}

impl<'a> Working<'a> {
    fn new(history: &'a Mutex<History>, pid: u32) -> Self {
        history.lock().unwrap_or_else(PoisonError::into_inner).busy.push(pid);
        Self { history, pid }
    }
}

impl Drop for Working<'_> {
    fn drop(&mut self) {
        self.history.lock().unwrap_or_else(PoisonError::into_inner).busy.retain(|it| *it != self.pid);
    }
}

impl FunctionError {
    /// An error of the runtime: the child is gone.
    pub(super) fn new(kind: &str, message: impl Into<String>) -> Self {
        Self { kind: kind.into(), message: message.into(), died: true }
    }

    /// The handler's own error document.
    pub(super) fn reported(document: &[u8]) -> Self {
        let parsed: Value = serde_json::from_slice(document).unwrap_or_default();
        let text = |name: &str| parsed[name].as_str().map(str::to_owned);
        Self {
            kind: text("errorType").unwrap_or_else(|| "Unknown".into()),
            message: text("errorMessage").unwrap_or_else(|| String::from_utf8_lossy(document).into_owned()),
            died: false,
        }
    }
}
