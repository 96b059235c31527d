//! What can be set: one table of variables and one of the template's parameters, written from the code and the template.

use std::{collections::BTreeSet, fmt::Write as _};

use expect_test::expect_file;
use photovault_lambda::VARIABLES;
use photovault_tests::template::{Template, entries};

/// Set by Lambda or by whoever starts a function elsewhere, and not by the template.
const FROM_OUTSIDE: &[&str] = &["AWS_ENDPOINT_URL", "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"];

#[test]
fn the_documentation_names_what_can_be_set() {
    let mut page = String::from(
        "# What can be set\n\nMade from `shared/lambda/src/environment.rs` and `template.yaml` by the test `configuration`; after a change that you mean:\n\
         `UPDATE_EXPECT=1 cargo test --release -p photovault -p photovault-tests configuration`.\n\n\
         Secrets are the key that backups are signed with, the password of a mail server, and what users' channels are signed and opened with; on AWS the functions\n\
         have roles. Each may be given as `ssm:/path/name`: the function reads that parameter of the SSM Parameter Store when it needs it, below the path that\n\
         `SecretsPath` names, and neither the template nor a function's environment holds it. A user's own are below `/<path>/users/<user>/`. Given as it is, a\n\
         secret is itself: so it is on a laptop, where the engine makes its keys at random, in its data folder, for its owner alone.\n\n\
         ## Parameters of the template\n\nOn AWS `sam deploy --parameter-overrides Name=value`.\n\n| parameter | default | |\n|---|---|---|\n",
    );
    for (name, it) in Template::load().parameters() {
        let plain =
            |field: &str| it[field].as_str().map(str::to_owned).or_else(|| it[field].as_i64().map(|number| number.to_string()));
        let default = plain("Default").filter(|default| !default.is_empty()).unwrap_or_else(|| "empty".to_owned());
        writeln!(page, "| `{name}` | {default} | {} |", plain("Description").expect("a description"))
            .expect("a String takes all");
    }
    page.push_str("\n## Variables of the functions\n\nThe template sets them, from its parameters and resources.\n\n| variable | |\n|---|---|\n");
    for variable in VARIABLES {
        writeln!(page, "| `{}` | {} |", variable.name, variable.meaning.replace('|', "\\|")).expect("a String takes all");
    }
    expect_file!["../../../docs/configuration.md"].assert_eq(&page);
}

#[test]
fn the_template_sets_every_variable_and_no_other() {
    let template = Template::load();
    let mut set: BTreeSet<String> = template.globals().map(|(name, _)| name.to_owned()).collect();
    for function in template.resources("AWS::Serverless::Function") {
        set.extend(entries(&function.properties["Environment"]["Variables"]).map(|(name, _)| name.to_owned()));
    }
    // Of a container the list has another shape.
    for worker in template.resources("AWS::Batch::JobDefinition") {
        let list = worker.properties["ContainerProperties"]["Environment"].as_sequence().into_iter().flatten();
        set.extend(list.filter_map(|it| it["Name"].as_str().map(str::to_owned)));
    }
    let is_known = |name: &str| VARIABLES.iter().any(|it| it.name == name) || name.starts_with("QUEUE_");
    let unknown: Vec<_> = set.iter().filter(|name| !is_known(name) && !FROM_OUTSIDE.contains(&name.as_str())).collect();
    assert!(unknown.is_empty(), "the template sets what no function reads: {unknown:?}");
    let unset = VARIABLES.iter().map(|it| it.name).filter(|name| !FROM_OUTSIDE.contains(name) && *name != "QUEUE_<STAGE>");
    let unset: Vec<_> = unset.filter(|name| !set.contains(*name)).collect();
    assert!(unset.is_empty(), "no function is told: {unset:?}");
}
