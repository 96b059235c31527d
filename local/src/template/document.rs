//! YAML with short-form intrinsics (`!Ref`, `!Sub`, …) as plain JSON with long-form ones (`{"Ref": …}`, `{"Fn::Sub": …}`).

use anyhow::{Context as _, Result, bail};
use serde_json::{Map, Value};
use serde_yaml_ng::Value as Yaml;
use serde_yaml_ng::value::TaggedValue;

/// Parses a template's text. `path` in errors is where the node stands, as in `Resources.Queue.Properties`.
pub(super) fn parse(text: &str) -> Result<Value> {
    let yaml: Yaml = serde_yaml_ng::from_str(text).context("template: not YAML")?;
    convert(&yaml, "template")
}

fn convert(yaml: &Yaml, path: &str) -> Result<Value> {
    Ok(match yaml {
        Yaml::Null => Value::Null,
        Yaml::Bool(it) => Value::Bool(*it),
        Yaml::Number(number) => number_of(number, path)?,
        Yaml::String(it) => Value::String(it.clone()),
        Yaml::Sequence(items) => Value::Array(
            items.iter().enumerate().map(|(index, it)| convert(it, &format!("{path}[{index}]"))).collect::<Result<_>>()?,
        ),
        Yaml::Mapping(entries) => {
            let mut map = Map::new();
            for (key, value) in entries {
                let key = key_of(key, path)?;
                let value = convert(value, &format!("{path}.{key}"))?;
                map.insert(key, value);
            }
            Value::Object(map)
        }
        Yaml::Tagged(tagged) => long_form(tagged, path)?,
    })
}

fn long_form(tagged: &TaggedValue, path: &str) -> Result<Value> {
    let tag = tagged.tag.to_string();
    let tag = tag.trim_start_matches('!');
    let name = match tag {
        "Ref" | "Condition" => tag.to_owned(),
        _ => format!("Fn::{tag}"),
    };
    let value = convert(&tagged.value, &format!("{path}.!{tag}"))?;
    let value = match (tag, value) {
        ("GetAtt", Value::String(dotted)) => match dotted.split_once('.') {
            Some((resource, attribute)) => Value::Array(vec![resource.into(), attribute.into()]),
            None => bail!("{path}: !GetAtt {dotted}: give it as Resource.Attribute"),
        },
        (_, value) => value,
    };
    Ok(Value::Object(Map::from_iter([(name, value)])))
}

fn number_of(number: &serde_yaml_ng::Number, path: &str) -> Result<Value> {
    if let Some(it) = number.as_i64() {
        return Ok(it.into());
    }
    if let Some(it) = number.as_u64() {
        return Ok(it.into());
    }
    number
        .as_f64()
        .and_then(serde_json::Number::from_f64)
        .map(Value::Number)
        .with_context(|| format!("{path}: {number} is not a number that JSON has"))
}

fn key_of(key: &Yaml, path: &str) -> Result<String> {
    Ok(match key {
        Yaml::String(it) => it.clone(),
        Yaml::Number(it) => it.to_string(),
        Yaml::Bool(it) => it.to_string(),
        _ => bail!("{path}: a key must be text"),
    })
}
