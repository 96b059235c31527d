//! Resolves intrinsics: what a value of the template is, in one place.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Map, Value};

use super::references;
use super::stack::Place;

/// The template with all that its values may refer to.
pub(super) struct Scope<'a> {
    pub(super) place: &'a Place,
    /// The whole template as JSON.
    pub(super) template: &'a Value,
    parameters: BTreeMap<String, Value>,
    /// Conditions that are being decided, to notice a circle.
    deciding: RefCell<HashSet<String>>,
}

impl<'a> Scope<'a> {
    pub(super) fn new(template: &'a Value, place: &'a Place) -> Result<Self> {
        let declared = section(template, "Parameters");
        if let Some(unknown) = place.parameters.keys().find(|name| declared.is_none_or(|it| !it.contains_key(*name))) {
            bail!("the template has no parameter {unknown}");
        }
        let mut parameters = BTreeMap::new();
        for (name, declaration) in declared.into_iter().flatten() {
            parameters.insert(name.clone(), parameter(name, declaration, place)?);
        }
        Ok(Self { place, template, parameters, deciding: RefCell::default() })
    }

    /// The resource with a logical id.
    pub(super) fn resource(&self, logical_id: &str) -> Option<&'a Value> {
        section(self.template, "Resources")?.get(logical_id)
    }

    /// A value without intrinsics; none is `AWS::NoValue`.
    pub(super) fn resolve(&self, value: &Value, path: &str) -> Result<Option<Value>> {
        Ok(Some(match value {
            Value::Array(items) => {
                let mut resolved = Vec::new();
                for (index, item) in items.iter().enumerate() {
                    resolved.extend(self.resolve(item, &format!("{path}[{index}]"))?);
                }
                Value::Array(resolved)
            }
            Value::Object(map) => {
                if let Some((name, argument)) = intrinsic(map) {
                    return self.call(name, argument, &format!("{path}.{name}"));
                }
                let mut resolved = Map::new();
                for (key, item) in map {
                    if let Some(item) = self.resolve(item, &format!("{path}.{key}"))? {
                        resolved.insert(key.clone(), item);
                    }
                }
                Value::Object(resolved)
            }
            plain => plain.clone(),
        }))
    }

    /// Whether a named condition of the template holds.
    pub(super) fn condition(&self, name: &str, path: &str) -> Result<bool> {
        let condition = section(self.template, "Conditions").and_then(|it| it.get(name));
        let condition = condition.with_context(|| format!("{path}: there is no condition {name}"))?;
        ensure!(self.deciding.borrow_mut().insert(name.to_owned()), "Conditions.{name}: refers to itself");
        let holds = self.truth(condition, &format!("Conditions.{name}"));
        self.deciding.borrow_mut().remove(name);
        holds
    }

    fn call(&self, name: &str, argument: &Value, path: &str) -> Result<Option<Value>> {
        Ok(Some(match name {
            "Ref" => return self.reference(text(argument, path)?, path),
            "Fn::GetAtt" => self.attribute(argument, path)?.into(),
            "Fn::Sub" => self.substitute(argument, path)?.into(),
            "Fn::Join" => {
                let [delimiter, items] = self.arguments::<2>(argument, path)?;
                let items = items.as_array().with_context(|| format!("{path}: the second argument must be a list"))?;
                let items = items.iter().map(|it| scalar(it, path)).collect::<Result<Vec<_>>>()?;
                items.join(text(&delimiter, path)?).into()
            }
            "Fn::Split" => {
                let [delimiter, whole] = self.arguments::<2>(argument, path)?;
                text(&whole, path)?.split(text(&delimiter, path)?).map(Value::from).collect()
            }
            "Fn::Select" => {
                let [index, items] = self.arguments::<2>(argument, path)?;
                let index: usize =
                    scalar(&index, path)?.parse().with_context(|| format!("{path}: the index must be a number"))?;
                let item = items.as_array().and_then(|items| items.get(index));
                item.with_context(|| format!("{path}: there is no item {index}"))?.clone()
            }
            "Fn::FindInMap" => {
                let [map, first, second] = self.arguments::<3>(argument, path)?;
                let (map, first, second) = (text(&map, path)?, scalar(&first, path)?, scalar(&second, path)?);
                let found = section(self.template, "Mappings").and_then(|it| it.get(map)?.get(&first)?.get(&second));
                found.with_context(|| format!("{path}: there is no {map}.{first}.{second} in Mappings"))?.clone()
            }
            "Fn::If" => {
                let [name, then, otherwise] = list::<3>(argument, path)?;
                let chosen = if self.condition(text(name, path)?, path)? { then } else { otherwise };
                return self.resolve(chosen, path);
            }
            "Fn::Equals" | "Fn::Not" | "Fn::And" | "Fn::Or" | "Condition" => {
                self.truth(&Value::Object(Map::from_iter([(name.to_owned(), argument.clone())])), path)?.into()
            }
            unknown => bail!("{path}: the laptop engine does not know the intrinsic {unknown}"),
        }))
    }

    fn truth(&self, value: &Value, path: &str) -> Result<bool> {
        let Some((name, argument)) = value.as_object().and_then(intrinsic) else {
            bail!("{path}: a condition must be one of !Equals, !Not, !And, !Or, !Condition");
        };
        let all = || argument.as_array().with_context(|| format!("{path}: {name} needs a list"));
        match name {
            "Fn::Equals" => {
                let [left, right] = self.arguments::<2>(argument, path)?;
                Ok(scalar(&left, path)? == scalar(&right, path)?)
            }
            "Fn::Not" => Ok(!self.truth(list::<1>(argument, path)?[0], path)?),
            "Fn::And" => all()?.iter().try_fold(true, |so_far, it| Ok(so_far & self.truth(it, path)?)),
            "Fn::Or" => all()?.iter().try_fold(false, |so_far, it| Ok(so_far | self.truth(it, path)?)),
            "Condition" => self.condition(text(argument, path)?, path),
            unknown => bail!("{path}: the laptop engine does not know the condition {unknown}"),
        }
    }

    fn reference(&self, name: &str, path: &str) -> Result<Option<Value>> {
        let place = self.place;
        Ok(Some(match name {
            "AWS::NoValue" => return Ok(None),
            "AWS::StackName" => place.stack_name.as_str().into(),
            "AWS::AccountId" => place.account.as_str().into(),
            "AWS::Region" => place.region.as_str().into(),
            "AWS::Partition" => "aws".into(),
            "AWS::URLSuffix" => "amazonaws.com".into(),
            "AWS::StackId" => place.arn("cloudformation", &format!("stack/{}/local", place.stack_name)).into(),
            _ => match self.parameters.get(name) {
                Some(value) => value.clone(),
                None => references::of(self, name, path)?.into(),
            },
        }))
    }

    fn attribute(&self, argument: &Value, path: &str) -> Result<String> {
        let [resource, attribute] = self.arguments::<2>(argument, path)?;
        references::attribute(self, text(&resource, path)?, text(&attribute, path)?, path)
    }

    fn substitute(&self, argument: &Value, path: &str) -> Result<String> {
        let (pattern, own) = match argument {
            Value::String(pattern) => (pattern.as_str(), Map::new()),
            Value::Array(_) => {
                let [pattern, own] = list::<2>(argument, path)?;
                let own = self.resolve(own, path)?.and_then(|it| it.as_object().cloned());
                (text(pattern, path)?, own.with_context(|| format!("{path}: the second argument must be a map"))?)
            }
            _ => bail!("{path}: needs text, or text and a map"),
        };
        let mut whole = String::new();
        let mut rest = pattern;
        while let Some((before, after)) = rest.split_once("${") {
            let (name, after) = after.split_once('}').with_context(|| format!("{path}: a ${{ is not closed"))?;
            whole.push_str(before);
            rest = after;
            if let Some(literal) = name.strip_prefix('!') {
                whole.extend(["${", literal, "}"]);
                continue;
            }
            let name = name.trim();
            let value = match (own.get(name), name.split_once('.')) {
                (Some(value), _) => scalar(value, path)?,
                (None, Some((resource, attribute))) => references::attribute(self, resource, attribute, path)?,
                (None, None) => scalar(&self.reference(name, path)?.unwrap_or_default(), path)?,
            };
            whole.push_str(&value);
        }
        whole.push_str(rest);
        Ok(whole)
    }

    /// An intrinsic's arguments, each resolved.
    fn arguments<const COUNT: usize>(&self, argument: &Value, path: &str) -> Result<[Value; COUNT]> {
        let mut resolved = [const { Value::Null }; COUNT];
        for (slot, item) in resolved.iter_mut().zip(list::<COUNT>(argument, path)?) {
            *slot = self.resolve(item, path)?.unwrap_or_default();
        }
        Ok(resolved)
    }
}

/// A section of the template.
pub(super) fn section<'a>(template: &'a Value, name: &str) -> Option<&'a Map<String, Value>> {
    template.get(name)?.as_object()
}

/// The call that a map stands for: one key that is `Ref`, `Condition` (in a condition) or `Fn::…`.
fn intrinsic(map: &Map<String, Value>) -> Option<(&str, &Value)> {
    let (name, argument) = map.iter().next().filter(|_| map.len() == 1)?;
    let called = name == "Ref" || name.starts_with("Fn::") || (name == "Condition" && argument.is_string());
    called.then_some((name.as_str(), argument))
}

/// Values that parameters have on this machine, where nobody gave another: the image of the worker is this program, and users are those who
/// may reach this machine's network anyway.
const HERE: &[(&str, &str)] = &[("WorkerImageUri", "photovault"), ("PrivateChannels", "true")];

fn parameter(name: &str, declaration: &Value, place: &Place) -> Result<Value> {
    let given = place.parameters.get(name).map(|it| Value::String(it.clone()));
    let here = || HERE.iter().find(|(known, _)| *known == name).map(|(_, value)| Value::from(*value));
    let value = given.or_else(here).or_else(|| declaration.get("Default").cloned());
    let value = value.with_context(|| format!("Parameters.{name}: has no default, and no value was given"))?;
    let value = scalar(&value, &format!("Parameters.{name}"))?;
    if let Some(allowed) = declaration.get("AllowedValues").and_then(Value::as_array) {
        let allowed = allowed.iter().map(|it| scalar(it, name)).collect::<Result<Vec<_>>>()?;
        ensure!(allowed.contains(&value), "Parameters.{name}: {value:?} is not one of {}", allowed.join(", "));
    }
    Ok(match declaration.get("Type").and_then(Value::as_str) {
        Some("String" | "Number") => value.into(),
        Some("CommaDelimitedList" | "List<Number>") => value.split(',').map(|it| Value::from(it.trim())).collect(),
        kind => bail!("Parameters.{name}: the laptop engine does not know the type {}", kind.unwrap_or("(none)")),
    })
}

fn list<'v, const COUNT: usize>(value: &'v Value, path: &str) -> Result<[&'v Value; COUNT]> {
    let items: Option<Vec<&Value>> = value.as_array().map(|items| items.iter().collect());
    items.and_then(|items| items.try_into().ok()).with_context(|| format!("{path}: needs a list of {COUNT}"))
}

fn text<'v>(value: &'v Value, path: &str) -> Result<&'v str> {
    value.as_str().with_context(|| format!("{path}: must be text, not {value}"))
}

/// Text, a number or a truth value as text, as `CloudFormation` compares and joins them.
pub(super) fn scalar(value: &Value, path: &str) -> Result<String> {
    Ok(match value {
        Value::String(it) => it.clone(),
        Value::Number(it) => it.to_string(),
        Value::Bool(it) => it.to_string(),
        other => bail!("{path}: must be text or a number, not {other}"),
    })
}
