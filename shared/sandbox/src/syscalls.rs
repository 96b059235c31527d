//! The system calls that codecs make. Everything else is refused with an error: files, sockets, processes, programs.

use std::{collections::BTreeMap, error::Error};

use libc::c_long;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen as Length, SeccompCmpOp as Compare, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch, apply_filter,
};

/// Allowed whatever their arguments.
const ALLOWED: &[c_long] = &[
    // The socket, the photo, standard error, the memory figures.
    libc::SYS_read,
    libc::SYS_pread64,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_recvmsg,
    libc::SYS_recvfrom,
    libc::SYS_sendmsg,
    libc::SYS_sendto,
    libc::SYS_setsockopt,
    libc::SYS_close,
    libc::SYS_lseek,
    libc::SYS_fstat,
    libc::SYS_fcntl,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_poll,
    libc::SYS_ppoll,
    // Memory.
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    libc::SYS_brk,
    // Threads and time.
    libc::SYS_futex,
    libc::SYS_set_robust_list,
    libc::SYS_rseq,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_clock_gettime,
    libc::SYS_clock_getres,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
    libc::SYS_restart_syscall,
    libc::SYS_getrandom,
    libc::SYS_gettid,
    libc::SYS_getpid,
    libc::SYS_sysinfo,
    // Signals, and the end.
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_tgkill,
    libc::SYS_exit,
    libc::SYS_exit_group,
];

/// Filters this process from here on.
pub(crate) fn filter() -> Result<(), Box<dyn Error>> {
    let architecture = TargetArch::try_from(std::env::consts::ARCH)?;
    let mut allowed: BTreeMap<i64, Vec<SeccompRule>> = ALLOWED.iter().map(|call| (*call, Vec::new())).collect();
    // Memory that is to be executed is what an exploit wants first.
    allowed.insert(libc::SYS_mmap, vec![masked(2, libc::PROT_EXEC as u64, 0)?]);
    allowed.insert(libc::SYS_mprotect, vec![masked(2, libc::PROT_EXEC as u64, 0)?]);
    // Threads, but no processes.
    let thread = libc::CLONE_THREAD as u64;
    allowed.insert(libc::SYS_clone, vec![masked(0, thread, thread)?]);
    allowed.insert(libc::SYS_clone3, Vec::new());
    // The limit of CPU time is set anew for each photo.
    allowed.insert(libc::SYS_prlimit64, vec![equal(1, u64::from(libc::RLIMIT_CPU))?]);
    let refuse = SeccompAction::Errno(libc::EPERM as u32);
    let filter = SeccompFilter::new(allowed, refuse, SeccompAction::Allow, architecture)?;
    // A filter cannot see the flags of clone3: told that it does not exist, libc asks for clone. Of two filters the stricter one counts.
    let unknown = SeccompAction::Errno(libc::ENOSYS as u32);
    let older = BTreeMap::from([(libc::SYS_clone3, Vec::new())]);
    let older = SeccompFilter::new(older, SeccompAction::Allow, unknown, architecture)?;
    let programs: [BpfProgram; 2] = [older.try_into()?, filter.try_into()?];
    // The first must let the second be installed, which it does: it refuses one call only.
    programs.iter().try_for_each(|program| apply_filter(program))?;
    Ok(())
}

fn masked(argument: u8, mask: u64, value: u64) -> Result<SeccompRule, seccompiler::BackendError> {
    SeccompRule::new(vec![SeccompCondition::new(argument, Length::Qword, Compare::MaskedEq(mask), value)?])
}

fn equal(argument: u8, value: u64) -> Result<SeccompRule, seccompiler::BackendError> {
    SeccompRule::new(vec![SeccompCondition::new(argument, Length::Dword, Compare::Eq, value)?])
}
