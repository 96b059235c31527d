//! The linters of AWS over `template.yaml`, from the Python tools that `make setup` installs.

use std::{path::Path, process::Command};

use photovault_tests::{project, tools};

#[test]
fn sam_and_cfn_lint_find_nothing() {
    let Some(venv) = tools::python_venv() else { return };
    run(&venv.join("bin/sam"), &["validate", "--lint", "--template", "template.yaml"]);
    run(&venv.join("bin/cfn-lint"), &["--non-zero-exit-code", "informational", "template.yaml"]);
}

fn run(program: &Path, arguments: &[&str]) {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(project::root())
        .env("AWS_DEFAULT_REGION", "eu-central-1")
        .env("SAM_CLI_TELEMETRY", "0")
        .output()
        .unwrap_or_else(|error| panic!("{}: {error}", program.display()));
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{} {arguments:?}:\n{}", program.display(), String::from_utf8_lossy(&said));
}
