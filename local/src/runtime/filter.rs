//! `FilterCriteria`: which messages and records a mapping wants.
//!
//! The subset of EventBridge patterns that event source mappings take: exact values, `prefix`, `suffix`, `exists`, `anything-but`,
//! `equals-ignore-case` and `numeric`. An operator outside of it is an error when the template is read, not a message lost later.

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

/// A mapping's filters: a value passes when one of them matches, or when there are none.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    patterns: Vec<Pattern>,
}

#[derive(Clone, Debug)]
enum Pattern {
    /// Each named field matches its pattern.
    Fields(Vec<(String, Pattern)>),
    /// The value, or an item of it when it is a list, matches one of the rules.
    AnyOf(Vec<Rule>),
}

#[derive(Clone, Debug)]
enum Rule {
    Exactly(Value),
    Prefix(String),
    Suffix(String),
    IgnoringCase(String),
    Exists(bool),
    AnythingBut(Vec<Rule>),
    Numeric(Vec<(Comparison, f64)>),
}

#[derive(Clone, Copy, Debug)]
enum Comparison {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Filter {
    /// Reads the patterns, each the JSON text of one `Pattern` of the template.
    pub fn parse(patterns: &[String]) -> Result<Self> {
        ensure!(patterns.len() <= 5, "a mapping takes five filters at most");
        let parse = |text: &String| -> Result<Pattern> {
            let value: Value = serde_json::from_str(text).with_context(|| format!("the pattern {text} is not JSON"))?;
            ensure!(value.is_object(), "the pattern {text} is not a map");
            pattern(&value, "").with_context(|| format!("the pattern {text}"))
        };
        Ok(Self { patterns: patterns.iter().map(parse).collect::<Result<_>>()? })
    }

    /// Whether every value passes.
    pub fn is_open(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Whether the value passes.
    pub fn matches(&self, value: &Value) -> bool {
        self.is_open() || self.patterns.iter().any(|it| it.matches(Some(value)))
    }

    /// Whether a queue's message passes. A pattern for `body` looks into the JSON in it; a body that is not JSON is compared as text.
    pub fn matches_message(&self, body: &str) -> bool {
        if self.is_open() {
            return true;
        }
        let parsed = serde_json::from_str(body).unwrap_or_else(|_| Value::from(body));
        self.matches(&serde_json::json!({ "body": parsed }))
    }
}

impl Pattern {
    fn matches(&self, value: Option<&Value>) -> bool {
        match self {
            Self::Fields(fields) => fields.iter().all(|(name, pattern)| pattern.matches(value.and_then(|it| it.get(name)))),
            Self::AnyOf(rules) => match value {
                Some(Value::Array(items)) => rules.iter().any(|rule| items.iter().any(|item| rule.matches(Some(item)))),
                value => rules.iter().any(|rule| rule.matches(value)),
            },
        }
    }
}

impl Rule {
    fn matches(&self, value: Option<&Value>) -> bool {
        let text = value.and_then(Value::as_str);
        match self {
            // `exists` speaks of leaves: a map in between is neither there nor absent as a value, AWS says false for it.
            Self::Exists(wanted) => value.is_some_and(|it| !it.is_object()) == *wanted,
            Self::Exactly(Value::Number(wanted)) => value.and_then(Value::as_f64).is_some_and(|it| Some(it) == wanted.as_f64()),
            Self::Exactly(wanted) => value == Some(wanted),
            Self::Prefix(prefix) => text.is_some_and(|it| it.starts_with(prefix)),
            Self::Suffix(suffix) => text.is_some_and(|it| it.ends_with(suffix)),
            Self::IgnoringCase(wanted) => text.is_some_and(|it| it.to_lowercase() == wanted.to_lowercase()),
            Self::AnythingBut(rules) => value.is_some() && !rules.iter().any(|rule| rule.matches(value)),
            Self::Numeric(tests) => value
                .and_then(Value::as_f64)
                .is_some_and(|it| tests.iter().all(|(comparison, bound)| comparison.holds(it, *bound))),
        }
    }
}

impl Comparison {
    fn holds(self, left: f64, right: f64) -> bool {
        match self {
            #[expect(clippy::float_cmp, reason = "the pattern says equal")]
            Self::Equal => left == right,
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
            Self::Greater => left > right,
            Self::GreaterOrEqual => left >= right,
        }
    }
}

fn pattern(value: &Value, path: &str) -> Result<Pattern> {
    match value {
        Value::Object(fields) => {
            if let Some(or) = fields.keys().find(|it| it.starts_with('$')) {
                bail!("{path}: the laptop engine does not know {or}");
            }
            fields
                .iter()
                .map(|(name, it)| Ok((name.clone(), pattern(it, &format!("{path}.{name}"))?)))
                .collect::<Result<_>>()
                .map(Pattern::Fields)
        }
        Value::Array(rules) => {
            ensure!(!rules.is_empty(), "{path}: an empty list matches nothing");
            rules.iter().map(|it| rule(it, path)).collect::<Result<_>>().map(Pattern::AnyOf)
        }
        other => bail!("{path}: {other} must be in a list"),
    }
}

fn rule(value: &Value, path: &str) -> Result<Rule> {
    let Value::Object(operator) = value else { return Ok(Rule::Exactly(value.clone())) };
    let (name, argument) =
        operator.iter().next().filter(|_| operator.len() == 1).with_context(|| format!("{path}: one operator at a time"))?;
    let text = || argument.as_str().map(str::to_owned).with_context(|| format!("{path}: {name} needs text"));
    Ok(match name.as_str() {
        "prefix" => Rule::Prefix(text()?),
        "suffix" => Rule::Suffix(text()?),
        "equals-ignore-case" => Rule::IgnoringCase(text()?),
        "exists" => Rule::Exists(argument.as_bool().with_context(|| format!("{path}: exists needs true or false"))?),
        "anything-but" => Rule::AnythingBut(match argument {
            Value::Array(items) => items.iter().map(|it| rule(it, path)).collect::<Result<_>>()?,
            one => vec![rule(one, path)?],
        }),
        "numeric" => {
            Rule::Numeric(comparisons(argument).with_context(|| format!("{path}: numeric needs [\"<\", 1] and the like"))?)
        }
        unknown => bail!("{path}: the laptop engine does not know the operator {unknown}"),
    })
}

fn comparisons(argument: &Value) -> Option<Vec<(Comparison, f64)>> {
    let items = argument.as_array().filter(|items| !items.is_empty() && items.len() % 2 == 0)?;
    let comparison = |pair: &[Value]| {
        let comparison = match pair[0].as_str()? {
            "=" => Comparison::Equal,
            "<" => Comparison::Less,
            "<=" => Comparison::LessOrEqual,
            ">" => Comparison::Greater,
            ">=" => Comparison::GreaterOrEqual,
            _ => return None,
        };
        Some((comparison, pair[1].as_f64()?))
    };
    items.chunks(2).map(comparison).collect()
}

#[cfg(test)]
mod tests {
    use super::Filter;

    fn check(pattern: &str, value: &str, expected: bool) {
        let filter = Filter::parse(&[pattern.to_owned()]).unwrap();
        assert_eq!(filter.matches(&serde_json::from_str(value).unwrap()), expected, "{pattern} on {value}");
    }

    #[test]
    fn patterns_match_as_on_aws() {
        for (pattern, value, expected) in [
            (r#"{"a":["x"]}"#, r#"{"a":"x","b":1}"#, true),
            (r#"{"a":["x"]}"#, r#"{"a":"y"}"#, false),
            (r#"{"a":["x"]}"#, r"{}", false),
            (r#"{"a":["x","y"]}"#, r#"{"a":"y"}"#, true),
            (r#"{"a":["x"]}"#, r#"{"a":["z","x"]}"#, true),
            (r#"{"a":["x"],"b":[1]}"#, r#"{"a":"x","b":2}"#, false),
            (r#"{"a":[1]}"#, r#"{"a":1.0}"#, true),
            (r#"{"a":[null]}"#, r#"{"a":null}"#, true),
            (r#"{"a":[true]}"#, r#"{"a":"true"}"#, false),
            (r#"{"a":{"b":["x"]}}"#, r#"{"a":{"b":"x"}}"#, true),
            (r#"{"a":{"b":["x"]}}"#, r#"{"a":"x"}"#, false),
            (r#"{"a":[{"prefix":"U#"}]}"#, r#"{"a":"U#1"}"#, true),
            (r#"{"a":[{"prefix":"U#"}]}"#, r#"{"a":"M#1"}"#, false),
            (r#"{"a":[{"suffix":".jpg"}]}"#, r#"{"a":"1.jpg"}"#, true),
            (r#"{"a":[{"exists":true}]}"#, r#"{"a":null}"#, true),
            (r#"{"a":[{"exists":true}]}"#, r"{}", false),
            (r#"{"a":[{"exists":false}]}"#, r"{}", true),
            (r#"{"a":[{"exists":false}]}"#, r#"{"a":1}"#, false),
            (r#"{"a":[{"anything-but":["x"]}]}"#, r#"{"a":"y"}"#, true),
            (r#"{"a":[{"anything-but":"x"}]}"#, r#"{"a":"x"}"#, false),
            (r#"{"a":[{"anything-but":["x"]}]}"#, r"{}", false),
            (r#"{"a":[{"anything-but":{"prefix":"x"}}]}"#, r#"{"a":"xy"}"#, false),
            (r#"{"a":[{"numeric":[">",0,"<=",5]}]}"#, r#"{"a":5}"#, true),
            (r#"{"a":[{"numeric":[">",0,"<=",5]}]}"#, r#"{"a":6}"#, false),
            (r#"{"a":[{"equals-ignore-case":"JPG"}]}"#, r#"{"a":"jpg"}"#, true),
            (r#"{"dynamodb":{"Keys":{"sk":{"S":[{"prefix":"M#"}]}}}}"#, r#"{"dynamodb":{"Keys":{"sk":{"S":"M#1"}}}}"#, true),
        ] {
            check(pattern, value, expected);
        }
    }

    #[test]
    fn one_of_several_filters_is_enough_and_none_lets_all_pass() {
        let filter = Filter::parse(&[r#"{"a":["x"]}"#.into(), r#"{"b":["y"]}"#.into()]).unwrap();
        assert!(filter.matches(&serde_json::json!({ "b": "y" })));
        assert!(!filter.matches(&serde_json::json!({ "c": "y" })));
        assert!(Filter::default().matches_message("anything"));
    }

    #[test]
    fn bodies_are_matched_as_json_or_as_text() {
        let filter = Filter::parse(&[r#"{"body":{"kind":["photo"]}}"#.into()]).unwrap();
        assert!(filter.matches_message(r#"{"kind":"photo"}"#));
        assert!(!filter.matches_message("photo"));
        assert!(Filter::parse(&[r#"{"body":["photo"]}"#.into()]).unwrap().matches_message("photo"));
    }

    #[test]
    fn what_is_unknown_is_named() {
        for (pattern, named) in [
            (r#"{"a":[{"wildcard":"*"}]}"#, "wildcard"),
            (r#"{"$or":[{"a":["x"]}]}"#, "$or"),
            (r#"{"a":"x"}"#, "must be in a list"),
            (r#"{"a":[]}"#, "empty list"),
            (r#"{"a":[{"numeric":["~",1]}]}"#, "numeric"),
            ("[", "not JSON"),
        ] {
            let error = format!("{:#}", Filter::parse(&[pattern.to_owned()]).unwrap_err());
            assert!(error.contains(named), "{error}");
        }
    }
}
