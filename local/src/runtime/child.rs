//! Child processes: started so that none outlives the engine, none takes more than its memory, and none inherits what it should not know.

use std::{
    collections::BTreeMap,
    os::{fd::OwnedFd, unix::process::ExitStatusExt as _},
    process::{ExitStatus, Stdio},
    sync::mpsc,
};

use anyhow::Context as _;
use tokio::{
    process::{Child, Command},
    sync::oneshot,
};

/// What of the engine's own environment its children see.
pub(super) const INHERITED: &[&str] = &["PATH", "HOME", "TMPDIR", "LANG"];
/// Address space beyond the memory limit: thread stacks, allocator arenas and the program itself reserve far more than they use.
const ADDRESS_SPACE_HEADROOM_BYTES: u64 = 4 << 30;

/// What to start.
pub(super) struct Order {
    pub(super) command: Vec<String>,
    pub(super) environment: BTreeMap<String, String>,
    pub(super) memory_mb: u32,
    pub(super) output: OwnedFd,
}

/// Starts children from one thread that lives as long as the engine.
///
/// Linux sends the death signal of a parent when the thread dies that forked, so a thread of a pool will not do.
pub(super) struct Spawner {
    orders: mpsc::Sender<(Order, oneshot::Sender<anyhow::Result<Child>>)>,
}

impl Spawner {
    pub(super) fn start() -> anyhow::Result<Self> {
        let (orders, incoming) = mpsc::channel::<(Order, oneshot::Sender<anyhow::Result<Child>>)>();
        let runtime = tokio::runtime::Handle::current();
        let work = move || {
            let _inside = runtime.enter();
            for (order, reply) in incoming {
                let _ = reply.send(spawn(order));
            }
        };
        std::thread::Builder::new().name("spawner".into()).spawn(work).context("the thread that starts functions")?;
        Ok(Self { orders })
    }

    pub(super) async fn spawn(&self, order: Order) -> anyhow::Result<Child> {
        let (reply, answer) = oneshot::channel();
        self.orders.send((order, reply)).ok().context("the engine is ending")?;
        answer.await.context("the engine is ending")?
    }
}

fn spawn(order: Order) -> anyhow::Result<Child> {
    let (program, arguments) = order.command.split_first().context("the command of a function is empty")?;
    let errors = order.output.try_clone().context("the output of a function")?;
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env_clear()
        .envs(std::env::vars_os().filter(|(name, _)| INHERITED.iter().any(|it| name == it)))
        .envs(&order.environment)
        .stdin(Stdio::null())
        .stdout(Stdio::from(order.output))
        .stderr(Stdio::from(errors))
        .process_group(0)
        .kill_on_drop(true);
    let address_space = u64::from(order.memory_mb) * 2 * 1024 * 1024 + ADDRESS_SPACE_HEADROOM_BYTES;
    let engine = std::process::id();
    #[expect(unsafe_code, reason = "between fork and exec: system calls only, no allocation")]
    unsafe {
        command.pre_exec(move || confine(address_space, engine));
    }
    command.spawn().with_context(|| format!("starting {program}"))
}

/// Runs in the child before its program.
#[expect(unsafe_code, reason = "plain system calls with valid arguments")]
fn confine(address_space: u64, engine: u32) -> std::io::Result<()> {
    let limit = |which, value| {
        let limit = libc::rlimit { rlim_cur: value, rlim_max: value };
        // SAFETY: the pointer is to a live struct.
        if unsafe { libc::setrlimit(which, &raw const limit) } == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
    };
    limit(libc::RLIMIT_CORE, 0)?;
    #[cfg(target_os = "linux")]
    {
        limit(libc::RLIMIT_AS, address_space)?;
        // SAFETY: no pointers.
        if unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) } != 0 {
            return Err(std::io::Error::last_os_error());
        }
        // The engine may have died before the call above.
        // SAFETY: no pointers.
        if unsafe { libc::getppid() } as u32 != engine {
            return Err(std::io::ErrorKind::Interrupted.into());
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (address_space, engine);
    Ok(())
}

/// Kills a child and what it started.
#[expect(unsafe_code, reason = "kill(2) takes numbers only")]
pub(super) fn kill_group(pid: u32) {
    // SAFETY: no pointers; the group is the child's own since `process_group(0)`, and the child is not yet reaped.
    unsafe {
        libc::kill(-(pid as i32), libc::SIGKILL);
    }
}

/// Megabytes that a process has in memory.
pub(super) fn resident_mb(pid: u32) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/statm")).ok()?;
    let pages: u64 = text.split(' ').nth(1)?.parse().ok()?;
    Some(pages * 4096 / (1024 * 1024))
}

/// How a process ended, as AWS words it.
pub(super) fn describe(status: ExitStatus) -> String {
    match (status.signal(), status.code()) {
        (Some(signal), _) => format!("Runtime exited with error: signal: {}", signal_name(signal)),
        (None, Some(0)) => "Runtime exited without providing a reason".to_owned(),
        (None, code) => format!("Runtime exited with error: exit status {}", code.unwrap_or(-1)),
    }
}

fn signal_name(signal: i32) -> String {
    match signal {
        libc::SIGKILL => "killed".into(),
        libc::SIGSEGV => "segmentation fault".into(),
        libc::SIGABRT => "aborted".into(),
        libc::SIGBUS => "bus error".into(),
        libc::SIGILL => "illegal instruction".into(),
        libc::SIGFPE => "floating point exception".into(),
        libc::SIGTERM => "terminated".into(),
        libc::SIGXCPU => "CPU time limit exceeded".into(),
        other => format!("{other}"),
    }
}
