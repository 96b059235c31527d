//! The data folder, the endpoint and the clock.

use std::{
    io::{Read as _, Write as _},
    net::{TcpStream, ToSocketAddrs as _},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    time::Duration,
};

use anyhow::Context as _;
use photovault_domain::UtcMs;
use photovault_vault::seams::Clock as _;
use time::{OffsetDateTime, format_description::well_known::Rfc2822};

use super::{Check, DoctorArguments, State, permissions};
use crate::{
    connection::{answers, engine_file, not_running, reach},
    table::{bytes, duration},
};

/// Free bytes with which photos can still be taken in.
const SOME_SPACE: u64 = 1_000_000_000;
/// Free bytes with which nobody has to look after it soon.
const ENOUGH_SPACE: u64 = 10_000_000_000;
/// AWS refuses what was signed by a clock that is five minutes off.
const MOST_SKEW_MS: u64 = 300_000;
/// A clock that is kept right is nearer.
const LITTLE_SKEW_MS: u64 = 5_000;
/// What an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The data folder and its disk.
pub(super) fn folder(data: &Path) -> Vec<Check> {
    let shown = data.display();
    if !data.is_dir() {
        return vec![Check::new("data folder", State::Skipped, format!("{shown} is not there: `photovault up` makes it"), "")];
    }
    vec![writable(data), private(data), space(data)]
}

fn writable(data: &Path) -> Check {
    let probe = data.join(".doctor");
    let written = std::fs::write(&probe, b"doctor")
        .and_then(|()| std::fs::File::open(&probe)?.sync_all())
        .and_then(|()| std::fs::remove_file(&probe));
    match written {
        Ok(()) => Check::good("data folder", format!("{} can be written", data.display())),
        Err(error) => Check::new(
            "data folder",
            State::Bad,
            format!("{}: {error}", data.display()),
            "the user who runs `photovault up` must own it: chown -R",
        ),
    }
}

fn private(data: &Path) -> Check {
    let what = "secrets in it";
    let open: Vec<String> = ["credentials.json", "engine.json"]
        .into_iter()
        .filter(|name| std::fs::metadata(data.join(name)).is_ok_and(|it| it.permissions().mode() & 0o077 != 0))
        .map(str::to_owned)
        .collect();
    if open.is_empty() {
        return Check::good(what, "nobody else can read them");
    }
    Check::new(
        what,
        State::Bad,
        format!("{} can be read by others", open.join(", ")),
        format!("chmod 600 {}/{{{}}}", data.display(), open.join(",")),
    )
}

fn space(data: &Path) -> Check {
    let what = "disk";
    let Ok(told) = rustix::fs::statvfs(data) else { return Check::new(what, State::Skipped, "its size is not known", "") };
    let (free, all) = (told.f_bavail * told.f_frsize, told.f_blocks * told.f_frsize);
    let found = format!("{} free of {}", bytes(free), bytes(all));
    let state = match free {
        0..SOME_SPACE => State::Bad,
        SOME_SPACE..ENOUGH_SPACE => State::Poor,
        _ => State::Good,
    };
    let advice = if state == State::Good {
        ""
    } else {
        "make room: uploads are refused when it is full, and none is lost; `photovault stats` says what takes how much"
    };
    Check::new(what, state, found, advice)
}

/// The endpoint, whether the catalog answers there, and its clock.
pub(super) async fn vault(arguments: &DoctorArguments) -> Vec<Check> {
    let data = &arguments.vault.data;
    let engine = match engine_file(data) {
        Ok(engine) => engine,
        Err(error) => return vec![Check::new("endpoint", State::Bad, format!("{error:#}"), "start `photovault up` again")],
    };
    let is_deployment = arguments.vault.deployment.table.is_some();
    match &engine {
        None if !is_deployment => {
            return vec![Check::new("endpoint", State::Skipped, "no engine has run on that folder", not_running(data))];
        }
        Some(engine) if !answers(&engine.endpoint) => {
            return vec![Check::new("endpoint", State::Bad, format!("{} does not answer", engine.endpoint), not_running(data))];
        }
        _ => {}
    }
    let catalog = async {
        let vault = reach(&arguments.vault).await?.vault;
        vault.counters.now(&arguments.vault.user).await?;
        anyhow::Ok(vault)
    };
    let mut checks = match catalog.await {
        Ok(vault) => {
            let place = engine.as_ref().map_or("AWS", |it| &it.endpoint);
            vec![Check::good("endpoint", format!("{place}: the catalog answers")), permissions::check(&vault).await]
        }
        Err(error) => vec![Check::new(
            "endpoint",
            State::Bad,
            format!("{error:#}"),
            "check AWS_* credentials, the region and the table's name; of an engine: `photovault up` again",
        )],
    };
    let address = engine
        .map(|engine| engine.endpoint)
        .or_else(|| arguments.endpoint.clone())
        .or_else(|| arguments.region.as_ref().map(|region| format!("http://dynamodb.{region}.amazonaws.com")));
    checks.push(
        address.map_or_else(|| Check::new("clock", State::Skipped, "AWS_REGION is not set", ""), |address| clock(&address)),
    );
    checks
}

/// This machine's clock against the endpoint's, to the second.
fn clock(address: &str) -> Check {
    let what = "clock";
    let there = match date_of(address) {
        Ok(there) => there,
        Err(error) => return Check::new(what, State::Skipped, format!("{address}: {error:#}"), ""),
    };
    let here = photovault_aws::SystemClock.now();
    let apart = here.since(there).max(there.since(here));
    // A date has whole seconds.
    let found = format!("{} from {address}'s, to the second", duration(apart / 1000 * 1000));
    match apart {
        0..=LITTLE_SKEW_MS => Check::good(what, found),
        _ if apart < MOST_SKEW_MS => Check::new(what, State::Poor, found, "let NTP keep it right: `timedatectl set-ntp true`"),
        _ => Check::new(what, State::Bad, found, "AWS refuses what such a clock signs: `timedatectl set-ntp true`"),
    }
}

fn date_of(address: &str) -> anyhow::Result<UtcMs> {
    let host = address.trim_start_matches("http://").trim_end_matches('/');
    anyhow::ensure!(!host.starts_with("https://"), "asks for TLS, and this look needs none");
    let named = if host.contains(':') { host.to_owned() } else { format!("{host}:80") };
    let place = named.to_socket_addrs()?.next().context("the name has no address")?;
    let mut stream = TcpStream::connect_timeout(&place, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(stream, "GET /_photovault/health HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.take(1 << 20).read_to_string(&mut answer)?;
    date_in(&answer)
}

fn date_in(answer: &str) -> anyhow::Result<UtcMs> {
    let header = |line: &str| {
        line.split_once(':').filter(|(name, _)| name.eq_ignore_ascii_case("date")).map(|(_, date)| date.trim().to_owned())
    };
    let date = answer.lines().take_while(|line| !line.is_empty()).find_map(header).context("its answer has no date")?;
    Ok(UtcMs(OffsetDateTime::parse(&date, &Rfc2822)?.unix_timestamp() * 1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_tells_the_time() {
        let answer = "HTTP/1.1 400 Bad Request\r\nserver: x\r\nDate: Sun, 29 Nov 2026 07:00:00 GMT\r\n\r\nDate: else";
        assert_eq!(date_in(answer).unwrap(), UtcMs(1_795_935_600_000));
        assert!(date_in("HTTP/1.1 200 OK\r\n\r\n").is_err());
    }

    #[test]
    fn secrets_are_for_their_owner() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("credentials.json");
        std::fs::write(&file, "{}").unwrap();
        for (mode, state) in [(0o600, State::Good), (0o640, State::Bad)] {
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(private(folder.path()).state, state);
        }
        assert_eq!(writable(folder.path()).state, State::Good);
        assert!(!folder.path().join(".doctor").exists());
    }
}
