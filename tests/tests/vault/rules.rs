//! Rules of the project that the compiler does not hold: which way dependencies point, what a source file looks like,
//! which licences come in, and that the documents say what the code does.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::Command,
};

use photovault_domain::limits::LIMITS;
use photovault_tests::{licences, project};
use serde_json::Value;

const MAX_FILE_LINES: usize = 400;
/// What the domain must do without: waiting, AWS, codecs.
const NOT_IN_DOMAIN: &[&str] =
    &["tokio", "futures", "async-trait", "image", "turbojpeg", "libheif-rs", "kamadak-exif", "rusqlite"];

#[test]
fn dependencies_point_one_way() {
    for (package, dependencies) in &own_dependencies() {
        for dependency in dependencies {
            let is_aws = ["aws-sdk-", "aws-config", "aws-smithy-"].iter().any(|prefix| dependency.starts_with(prefix));
            assert!(!is_aws || package == "photovault-aws", "{package} names {dependency}: only shared/aws speaks to AWS");
            assert!(dependency != "photovault", "{package} depends on the command");
            let may_host = ["photovault", "photovault-tests"].contains(&package.as_str());
            assert!(dependency != "photovault-local" || may_host, "{package} depends on the laptop engine");
            // A dead letter of validate is an S3 event: failures reads it with validate's own reader.
            let reads_events = package == "photovault-failures" && dependency == "photovault-validate";
            // The drill reads a backup as a restore does, with the very code.
            let drills = package == "photovault-verify" && dependency == "photovault-backup";
            let may_call = may_host || reads_events || drills || package == "photovault-simulation";
            assert!(!is_function(dependency) || may_call, "{package} depends on the function {dependency}");
            if package == "photovault-domain" {
                assert!(!NOT_IN_DOMAIN.contains(&dependency.as_str()), "the domain depends on {dependency}");
                assert!(!dependency.starts_with("photovault"), "the domain depends on {dependency}");
            }
            let is_ours = dependency.starts_with("photovault") && dependency != "photovault-domain";
            let is_pure = ["photovault-media", "photovault-insight", "photovault-eyes"].contains(&package.as_str());
            assert!(!is_pure || !is_ours, "{package} depends on {dependency}");
        }
    }
}

#[test]
fn every_source_file_says_what_it_is_and_is_short() {
    let mut seen = 0;
    for path in project::files(".rs") {
        let text = project::read(&path);
        let lines = text.lines().count();
        assert!(text.starts_with("//! "), "{} does not open with //!", path.display());
        assert!(lines <= MAX_FILE_LINES, "{} has {lines} lines; {MAX_FILE_LINES} at most", path.display());
        seen += 1;
    }
    assert!(seen > 30, "only {seen} source files were found under {}", project::root().display());
}

#[test]
fn every_member_takes_lints_and_version_from_the_workspace() {
    for path in project::files("Cargo.toml").into_iter().filter(|path| path != Path::new("Cargo.toml")) {
        let text = project::read(&path);
        for line in
            ["[lints]\nworkspace = true", "version.workspace = true", "license.workspace = true", "publish.workspace = true"]
        {
            assert!(text.contains(line), "{}: no `{}`", path.display(), line.replace('\n', " "));
        }
    }
}

#[test]
fn the_limits_that_are_documented_are_the_limits() {
    let document = project::read("docs/limits.md");
    let rows =
        LIMITS.iter().map(|limit| format!("| `{}` | {} | {} | {} |\n", limit.name, grouped(limit.value), limit.unit, limit.why));
    let table = ["| limit | value | unit | of what, and why |\n|---|---|---|---|\n".to_owned(), rows.collect()].concat();
    assert!(document.contains(&table), "docs/limits.md should hold this table:\n{table}");
    let rows = document.lines().filter(|line| line.starts_with("| `MAX_")).count();
    assert_eq!(rows, LIMITS.len(), "docs/limits.md has rows that are no limits");
}

#[test]
fn every_limit_stands_once() {
    // What a codec may do is said in one place, and not again beside the codec.
    for path in project::files(".rs").iter().filter(|path| !path.ends_with("shared/domain/src/limits.rs")) {
        let text = project::read(path);
        for limit in LIMITS {
            assert!(!text.contains(&format!("const {}:", limit.name)), "{} has its own {}", path.display(), limit.name);
        }
    }
}

/// With commas between thousands.
fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(|group| String::from_utf8_lossy(group).into_owned()).collect();
    groups.join(",")
}

#[test]
fn every_licence_is_one_that_we_allow() {
    let allowed = licences::allowed(&project::read("deny.toml"));
    assert!(allowed.contains("MIT"), "deny.toml has no allow list: {allowed:?}");
    let packages = metadata();
    for package in packages["packages"].as_array().expect("packages") {
        let name = package["name"].as_str().expect("a package has a name");
        let licence = package["license"].as_str().unwrap_or_else(|| panic!("{name} names no licence"));
        assert!(licences::satisfied(licence, &allowed), "{name} comes under {licence}, which deny.toml does not allow");
    }
}

/// Our packages with what each may depend on at run time (not for its tests).
fn own_dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().expect("packages").iter();
    let ours: BTreeMap<_, _> = packages.filter(|package| package["source"].is_null()).map(own_package).collect();
    assert!(ours.len() > 10, "only {} packages of ours: {:?}", ours.len(), ours.keys());
    ours
}

fn own_package(package: &Value) -> (String, BTreeSet<String>) {
    let name = |value: &Value| value["name"].as_str().expect("a name").to_owned();
    let dependencies = package["dependencies"].as_array().expect("dependencies").iter();
    (name(package), dependencies.filter(|dependency| dependency["kind"] != "dev").map(name).collect())
}

fn is_function(package: &str) -> bool {
    package.strip_prefix("photovault-").is_some_and(|name| project::root().join("functions").join(name).is_dir())
}

fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(project::root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON")
}
