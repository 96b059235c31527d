//! What the tests find on the machine: Python tools, the corpus. What is missing is said, not passed over in silence.

use std::path::PathBuf;

/// The Python tools that `make setup` installs; `None`, with a word on the terminal, outside `make test`.
pub fn python_venv() -> Option<PathBuf> {
    let venv = variable("PHOTOVAULT_VENV").map(PathBuf::from).or_else(default_venv)?;
    let there = venv.join("installed.txt").is_file();
    if !there {
        eprintln!("skipped: no Python tools in {}; `make setup` installs them", venv.display());
    }
    there.then_some(venv)
}

/// The emulators of AWS that `make setup` installs beside them, which want other versions of the same packages.
pub fn peers_venv() -> Option<PathBuf> {
    let mut venv = variable("PHOTOVAULT_VENV").map(PathBuf::from).or_else(default_venv)?.into_os_string();
    venv.push("-peers");
    let venv = PathBuf::from(venv);
    let there = venv.join("installed.txt").is_file();
    if !there {
        eprintln!("skipped: no emulators in {}; `make setup` installs them", venv.display());
    }
    there.then_some(venv)
}

/// The folder of real files that `PHOTOVAULT_CORPUS` names; `None`, with a word on the terminal, without it.
pub fn corpus() -> Option<PathBuf> {
    let corpus = variable("PHOTOVAULT_CORPUS").map(PathBuf::from);
    if corpus.is_none() {
        eprintln!("skipped: PHOTOVAULT_CORPUS names no folder of real photos");
    }
    corpus
}

/// The folder of what `scripts/lambda.sh` built, a folder for each function; `None`, with a word on the terminal, where
/// `function` is not among it. `PROFILE` and `ARCHITECTURE` are as for the script, the first with the tests' own default.
pub fn built_for_lambda(function: &str) -> Option<PathBuf> {
    let test = std::env::current_exe().ok()?;
    let given = |name, default: &str| variable(name).unwrap_or_else(|| default.to_owned());
    let (profile, architecture) = (given("PROFILE", "lambda-test"), given("ARCHITECTURE", "x86_64"));
    // <target>/release/deps/<test> is this program.
    let built = test.ancestors().nth(3)?.join(&profile).join(&architecture);
    let there = built.join(function).is_dir();
    if !there {
        let command = format!("ARCHITECTURE={architecture} PROFILE={profile} scripts/lambda.sh {function}");
        eprintln!("skipped: no {function} in {}; {command} builds it", built.display());
    }
    there.then_some(built)
}

fn default_venv() -> Option<PathBuf> {
    let cache =
        variable("XDG_CACHE_HOME").map(PathBuf::from).or_else(|| Some(PathBuf::from(variable("HOME")?).join(".cache")))?;
    Some(cache.join("photovault/venv"))
}

#[expect(clippy::disallowed_methods, reason = "the tests' one place that reads the environment")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
