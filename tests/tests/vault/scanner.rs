//! Virus scanning with the real clamd, started here on a socket of its own with one signature made here. Where there is no
//! clamd, the tests say that they are skipped.

use std::{
    fmt::Write as _,
    fs,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use photovault_domain::{Media, Refusal, Scan, Scanner, State, Status};
use photovault_sim::UPLOADS;
use photovault_vault::{Names, UploadRef, Vault};
use tempfile::TempDir;

use crate::{chain::Chain, engine::Engine, fixtures};

/// What clamd takes of one file here.
const CLAMD_MAX_BYTES: u64 = 1024 * 1024;

/// The test string of <https://www.eicar.org>, put together here so that this source is not itself found.
fn eicar() -> Vec<u8> {
    [r"X5O!P%@AP[4\PZX54(P^)7CC)7}$", "EICAR-STANDARD-", "ANTIVIRUS-TEST-FILE!", "$H+H*"].concat().into_bytes()
}

struct Clamd {
    folder: TempDir,
    child: Child,
}

impl Clamd {
    fn start() -> Option<Self> {
        if Command::new("clamd").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_err() {
            println!("skipped: there is no clamd (Debian: clamav-daemon)");
            return None;
        }
        let folder = tempfile::tempdir().expect("a temporary folder");
        let at = folder.path();
        let database = at.join("database");
        fs::create_dir(&database).expect("a folder for the signature");
        let body = eicar().iter().fold(String::new(), |mut hex, byte| {
            write!(hex, "{byte:02x}").expect("a string takes everything");
            hex
        });
        fs::write(database.join("pv.ndb"), format!("PV.Test.Eicar.Body:0:*:{body}\n")).expect("the signature is written");
        let settings = format!(
            "LocalSocket {socket}\nDatabaseDirectory {database}\nForeground yes\nLogFile {log}\nTemporaryDirectory {folder}\n\
             MaxFileSize {CLAMD_MAX_BYTES}\nStreamMaxLength {CLAMD_MAX_BYTES}\nAlertExceedsMax yes\nUser {user}\n",
            socket = at.join("clamd.sock").display(),
            database = database.display(),
            log = at.join("clamd.log").display(),
            folder = at.display(),
            user = whoami(),
        );
        fs::write(at.join("clamd.conf"), settings).expect("the settings are written");
        let child = Command::new("clamd")
            .arg("--config-file")
            .arg(at.join("clamd.conf"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("clamd starts");
        let clamd = Self { folder, child };
        let begun = Instant::now();
        while std::os::unix::net::UnixStream::connect(clamd.folder.path().join("clamd.sock")).is_err() {
            let log = fs::read_to_string(clamd.folder.path().join("clamd.log")).unwrap_or_default();
            assert!(begun.elapsed() < Duration::from_mins(1), "clamd does not answer: {log}");
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(clamd)
    }

    fn socket(&self) -> String {
        self.folder.path().join("clamd.sock").to_string_lossy().into_owned()
    }

    fn scanner(&self) -> Scanner {
        Scanner::ClamdUnix(self.socket())
    }
}

impl Drop for Clamd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn whoami() -> String {
    let output = Command::new("id").arg("-un").output().expect("id runs");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// One upload through validate; what became of it, or why the message comes again.
async fn validate(scanner: Scanner, max_bytes: u64, bytes: &[u8], attempt: u32) -> Result<Media, String> {
    let mut chain = Chain::new(1);
    chain.upload("users/ann/a.jpg", bytes).await;
    let place = (UPLOADS.to_owned(), "users/ann/a.jpg".to_owned());
    let version = chain.fabric.world().objects[&place].last().expect("it was uploaded").version.clone();
    let names = Names { scanner, scanner_max_bytes: max_bytes, ..(*chain.vault.names).clone() };
    let vault = Vault { names: Arc::new(names), ..chain.vault.clone() };
    let upload = UploadRef { bucket: place.0.clone(), key: place.1.clone(), version };
    match photovault_validate::handle(&vault, &upload, None, attempt).await {
        Ok(()) => Ok(chain.items().remove("a.jpg").expect("an item")),
        Err(error) => {
            assert!(chain.fabric.world().objects.contains_key(&place), "an upload that waits stays where it is");
            assert!(chain.items().is_empty());
            Err(format!("{error:#}"))
        }
    }
}

#[tokio::test]
async fn the_real_clamd_tells_clean_from_infected() {
    let Some(clamd) = Clamd::start() else { return };
    let photo = fixtures::jpeg(640, 480, 1);
    let clean = validate(clamd.scanner(), CLAMD_MAX_BYTES, &photo, 1).await.expect("it is taken");
    assert_eq!(clean.scan, Scan::Clean { by: "clamd".to_owned() });
    assert!(clean.object.unwrap().starts_with("originals/"));

    let infected = [photo.as_slice(), &eicar()].concat();
    for bytes in [infected, eicar()] {
        let held = validate(clamd.scanner(), CLAMD_MAX_BYTES, &bytes, 1).await.expect("it is held");
        assert_eq!(held.refusal, Some(Refusal::Quarantined));
        assert!(matches!(&held.scan, Scan::Infected { name, .. } if name.starts_with("PV.Test.Eicar.Body")), "{:?}", held.scan);
        assert!(held.reason().unwrap().contains("PV.Test.Eicar.Body"), "{:?}", held.reason());
        assert!(held.object.unwrap().starts_with("quarantine/"));
    }
}

#[tokio::test]
async fn an_engine_scans_with_what_it_is_told() {
    let Some(clamd) = Clamd::start() else { return };
    let engine = Engine::start_with_options(&["--scanner", &format!("clamd:unix:{}", clamd.socket()), "--scanner-max-mb", "1"]);
    let photo = fixtures::jpeg(64, 48, 1);
    engine.upload("users/ann/infected.jpg", [photo.as_slice(), &eicar()].concat()).await;
    engine.upload("users/ann/clean.jpg", photo).await;
    let items = engine.settled("ann", 2);
    let told = |name: &str| {
        let item = items.iter().find(|item| item["name"] == name).expect("it is an item");
        format!("{}, {}", item["status"], item["scan"]["result"])
    };
    assert_eq!((told("clean.jpg"), told("infected.jpg")), (r#""ready", "clean""#.into(), r#""quarantined", "infected""#.into()));
}

#[tokio::test]
async fn what_is_too_large_for_the_scanner_is_never_clean() {
    let Some(clamd) = Clamd::start() else { return };
    let large = [fixtures::jpeg(640, 480, 1), vec![0; CLAMD_MAX_BYTES as usize], eicar()].concat();
    // By our own limit, and by clamd's where ours is set too high.
    for max_bytes in [CLAMD_MAX_BYTES, 64 * CLAMD_MAX_BYTES] {
        let why = validate(clamd.scanner(), max_bytes, &large, 1).await.expect_err("it comes again");
        assert!(why.contains("not scanned"), "{why}");
        let held = validate(clamd.scanner(), max_bytes, &large, 5).await.expect("the last delivery holds it");
        assert_eq!(held.status(), Status::Quarantined);
        assert!(matches!(held.scan, Scan::Unfinished { .. }), "{:?}", held.scan);
        assert!(held.reason().unwrap().contains("could not be scanned"), "{:?}", held.reason());
    }
}

#[tokio::test]
async fn a_scanner_that_is_down_is_waited_for_and_then_the_upload_is_held() {
    let photo = fixtures::jpeg(64, 48, 1);
    for scanner in [Scanner::ClamdUnix("/nowhere/clamd.sock".to_owned()), Scanner::ClamdTcp("127.0.0.1:1".to_owned())] {
        for attempt in 1..5 {
            assert!(validate(scanner.clone(), 1 << 20, &photo, attempt).await.unwrap_err().contains("cannot be reached"));
        }
        let held = validate(scanner, 1 << 20, &photo, 5).await.expect("the last delivery holds it");
        assert_eq!((held.status(), held.object.unwrap().starts_with("quarantine/")), (Status::Quarantined, true));
    }
}

#[tokio::test]
async fn an_upload_of_which_guardduty_says_nothing_is_held_after_a_day() {
    let mut chain = Chain::new(1);
    let names = Names { scanner: Scanner::GuardDuty, ..(*chain.vault.names).clone() };
    chain.vault = Vault { names: Arc::new(names), ..chain.vault.clone() };
    chain.upload("users/ann/a.jpg", &fixtures::jpeg(64, 48, 1)).await;
    let place = (UPLOADS.to_owned(), "users/ann/a.jpg".to_owned());
    let version = chain.fabric.world().objects[&place].last().expect("it was uploaded").version.clone();
    for later_h in [0, 23] {
        chain.fabric.world().now.0 += later_h * 3_600_000;
        chain.take_in().await;
        assert!(chain.items().is_empty() && chain.fabric.world().objects.contains_key(&place), "it waits");
        // As health does it with an upload that nobody took in.
        chain.announce(&place.1, &version);
    }
    chain.fabric.world().now.0 += 3_600_000;
    chain.take_in().await;
    let held = chain.items().remove("a.jpg").expect("an item");
    assert_eq!(held.status(), Status::Quarantined);
    assert!(held.reason().unwrap().contains("no result of it came within 24 hours"), "{:?}", held.reason());
    assert!(!chain.fabric.world().objects.contains_key(&place));
}

#[tokio::test]
async fn without_a_scanner_nothing_is_called_clean() {
    let taken = validate(Scanner::None, 0, &fixtures::jpeg(64, 48, 1), 1).await.expect("it is taken");
    assert_eq!((taken.scan, taken.ledger[&photovault_domain::Stage::Validate].state), (Scan::Unscanned, State::Done));
}
