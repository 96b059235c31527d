//! `template.yaml` as plain data: every intrinsic becomes the text that stands in it, so that tests can compare and print it.
//!
//! The engine resolves intrinsics; here they stay readable: `!Ref X` is `X`, `!GetAtt X.Arn` is `X.Arn`, `!Sub` is its text.

use serde_yaml_ng::{Mapping, Value};

use crate::project;

/// The template.
pub struct Template(Value);

/// One resource.
#[derive(Clone, Copy)]
pub struct Resource<'a> {
    /// Its logical name.
    pub name: &'a str,
    /// Its type, such as `AWS::SQS::Queue`.
    pub kind: &'a str,
    /// Its properties.
    pub properties: &'a Value,
    /// All of it, with what stands beside its properties.
    pub whole: &'a Value,
}

impl Template {
    /// Reads the project's template.
    pub fn load() -> Self {
        Self(plain(serde_yaml_ng::from_str(&project::read("template.yaml")).expect("template.yaml is YAML")))
    }

    /// All resources of a type, in the template's order.
    pub fn resources(&self, kind: &str) -> Vec<Resource<'_>> {
        self.all().filter(|resource| resource.kind == kind).collect()
    }

    /// All resources, in the template's order.
    pub fn all(&self) -> impl Iterator<Item = Resource<'_>> {
        entries(&self.0["Resources"]).map(|(name, whole)| Resource {
            name,
            kind: whole["Type"].as_str().expect("a resource has a type"),
            properties: &whole["Properties"],
            whole,
        })
    }

    /// Its parameters, in its order.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, &Value)> {
        entries(&self.0["Parameters"])
    }

    /// The variables of every function.
    pub fn globals(&self) -> impl Iterator<Item = (&str, &Value)> {
        entries(&self.0["Globals"]["Function"]["Environment"]["Variables"])
    }

    /// One resource by its logical name.
    pub fn resource(&self, name: &str) -> Resource<'_> {
        self.all().find(|resource| resource.name == name).unwrap_or_else(|| panic!("template.yaml has no {name}"))
    }
}

/// A map's entries in the template's order; none where there is no map.
pub fn entries(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let map: Option<&Mapping> = value.as_mapping();
    map.into_iter().flatten().map(|(key, value)| (key.as_str().expect("keys are text"), value))
}

/// A list, whether it was written as one item or as several.
pub fn list(value: &Value) -> Vec<&Value> {
    match value {
        Value::Null => vec![],
        Value::Sequence(items) => items.iter().collect(),
        one => vec![one],
    }
}

/// A scalar as it would be printed.
pub fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(truth) => truth.to_string(),
        other => panic!("not a scalar: {other:?}"),
    }
}

/// A whole number.
pub fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("not a whole number: {value:?}"))
}

fn plain(value: Value) -> Value {
    match value {
        Value::Mapping(entries) => entries.into_iter().map(|(key, value)| (plain(key), plain(value))).collect::<Mapping>().into(),
        Value::Sequence(items) => Value::Sequence(items.into_iter().map(plain).collect()),
        Value::Tagged(tagged) => match (tagged.tag.to_string().as_str(), plain(tagged.value)) {
            ("!Ref" | "!Sub" | "!GetAtt", Value::String(text)) => text.into(),
            ("!If", Value::Sequence(parts)) => {
                let [condition, then, otherwise] = [0, 1, 2].map(|index| text(&parts[index]));
                format!("{then} if {condition}, else '{otherwise}'").into()
            }
            // Conditions; no test looks into them.
            (tag, _) => tag.into(),
        },
        scalar => scalar,
    }
}
