//! The `photovault` command.

mod arguments;
mod audit;
mod backfill;
mod backup;
mod bar;
mod best;
mod cleanup;
mod connection;
mod cost;
mod dlq;
mod doctor;
mod duplicates;
mod facts;
mod find;
mod function;
mod health;
mod import;
mod invoke;
mod list;
mod memories;
mod moments;
mod notify;
mod people;
mod places;
mod restore;
mod retry;
mod sample;
mod show;
mod shown;
mod stats;
mod table;
mod tags;
mod trace;
mod trash;
mod up;
mod verify;

use std::process::ExitCode;

use clap::Parser as _;

use arguments::{Arguments, Command};

fn main() -> ExitCode {
    if photovault_sandbox::is_decoder() {
        return ended(photovault_sandbox::serve().map(|()| ExitCode::SUCCESS).map_err(Into::into));
    }
    // A function child starts thousands of times: nothing else is set up for it.
    let mut words = std::env::args().skip(1);
    if words.next().as_deref() == Some("function") {
        let (name, rest) = (words.next(), words.collect::<Vec<_>>());
        return ended(function::run(name.as_deref(), &rest).map(|()| ExitCode::SUCCESS));
    }
    end_when_nobody_reads();
    ended(run(&Arguments::parse().command))
}

/// `photovault ls | head`: who has seen enough closes the pipe, where `println!` panics. That is no accident to tell of.
fn end_when_nobody_reads() {
    let tell = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let text = panic.payload_as_str().unwrap_or_default();
        if text.starts_with("failed printing to stdout") && text.contains("Broken pipe") {
            // As the shell has it of a program that SIGPIPE ended.
            std::process::exit(128 + 13);
        }
        tell(panic);
    }));
}

fn run(command: &Command) -> anyhow::Result<ExitCode> {
    let done = |()| ExitCode::SUCCESS;
    match command {
        Command::Facts(arguments) => facts::run(arguments).map(done),
        Command::Sample(arguments) => sample::run(arguments).map(done),
        Command::Import(arguments) => runtime(true)?.block_on(import::run(arguments)),
        Command::Ls(arguments) => runtime(false)?.block_on(list::run(arguments)).map(done),
        Command::Show(arguments) => runtime(false)?.block_on(show::run(arguments)).map(done),
        Command::Get(arguments) => runtime(false)?.block_on(show::fetch(arguments)).map(done),
        Command::Find(arguments) => runtime(false)?.block_on(tags::find(arguments)).map(done),
        Command::Duplicates(arguments) => runtime(true)?.block_on(duplicates::run(arguments)).map(done),
        Command::Failures(arguments) => runtime(false)?.block_on(list::failures(arguments)).map(done),
        Command::Places(arguments) => runtime(false)?.block_on(places::run(arguments)).map(done),
        Command::People(arguments) => runtime(false)?.block_on(people::run(arguments)).map(done),
        Command::Retry(arguments) => runtime(false)?.block_on(retry::run(arguments)).map(done),
        Command::Dlq(arguments) => runtime(false)?.block_on(dlq::run(arguments)).map(done),
        Command::Trace(arguments) => runtime(false)?.block_on(trace::run(arguments)).map(done),
        Command::Doctor(arguments) => runtime(false)?.block_on(doctor::run(arguments)),
        Command::Backfill(arguments) => runtime(false)?.block_on(backfill::run(arguments)).map(done),
        Command::Stats(arguments) => runtime(false)?.block_on(stats::run(arguments)).map(done),
        Command::Moments(arguments) => runtime(false)?.block_on(moments::run(arguments)).map(done),
        Command::Memories(arguments) => runtime(false)?.block_on(memories::run(arguments)).map(done),
        Command::Notify(arguments) => runtime(false)?.block_on(notify::run(arguments)).map(done),
        Command::Trash(arguments) => runtime(false)?.block_on(trash::run(arguments)).map(done),
        Command::Cleanup(arguments) => runtime(false)?.block_on(cleanup::run(arguments)).map(done),
        Command::Audit(arguments) => runtime(false)?.block_on(audit::run(arguments)).map(done),
        Command::Backup(arguments) => runtime(false)?.block_on(backup::run(arguments)).map(done),
        Command::Verify(arguments) => runtime(false)?.block_on(verify::run(arguments)).map(done),
        Command::Restore(arguments) => runtime(false)?.block_on(restore::run(arguments)).map(done),
        Command::Health(arguments) => runtime(false)?.block_on(health::run(arguments)).map(done),
        Command::Cost(arguments) => runtime(false)?.block_on(cost::run(arguments)).map(done),
        Command::Up(arguments) => runtime(true)?.block_on(up::run(arguments)).map(done),
        Command::Invoke(arguments) => runtime(true)?.block_on(invoke::run(arguments)).map(done),
    }
}

fn runtime(many_threads: bool) -> std::io::Result<tokio::runtime::Runtime> {
    let mut builder =
        if many_threads { tokio::runtime::Builder::new_multi_thread() } else { tokio::runtime::Builder::new_current_thread() };
    builder.enable_all().build()
}

fn ended(result: anyhow::Result<ExitCode>) -> ExitCode {
    result.unwrap_or_else(|error| {
        eprintln!("photovault: {error:#}");
        ExitCode::FAILURE
    })
}
