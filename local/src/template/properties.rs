//! Reading typed values out of resolved properties, with errors that say where.

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Map, Value};

/// A map of resolved properties and where it stands.
pub(super) struct Properties {
    pub(super) path: String,
    map: Map<String, Value>,
}

impl Properties {
    pub(super) fn new(value: Option<Value>, path: impl Into<String>) -> Result<Self> {
        let path = path.into();
        match value {
            None | Some(Value::Null) => Ok(Self { path, map: Map::new() }),
            Some(Value::Object(map)) => Ok(Self { path, map }),
            Some(_) => bail!("{path}: must be a map"),
        }
    }

    pub(super) fn value(&self, name: &str) -> Option<&Value> {
        self.map.get(name)
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.map.iter()
    }

    /// A map within; empty when it is not there.
    pub(super) fn inner(&self, name: &str) -> Result<Self> {
        Self::new(self.map.get(name).cloned(), self.at(name))
    }

    /// A list within; empty when it is not there.
    pub(super) fn items(&self, name: &str) -> Result<Vec<Self>> {
        let Some(value) = self.map.get(name) else { return Ok(Vec::new()) };
        let items = value.as_array().with_context(|| format!("{}: must be a list", self.at(name)))?;
        items
            .iter()
            .enumerate()
            .map(|(index, item)| Self::new(Some(item.clone()), format!("{}[{index}]", self.at(name))))
            .collect()
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<String>> {
        self.map.get(name).map(|value| super::scope::scalar(value, &self.at(name))).transpose()
    }

    pub(super) fn required(&self, name: &str) -> Result<String> {
        self.text(name)?.with_context(|| format!("{}: is missing", self.at(name)))
    }

    /// A whole number within the bounds that AWS sets.
    pub(super) fn number(&self, name: &str, bounds: std::ops::RangeInclusive<i64>) -> Result<Option<i64>> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let number: i64 = text.parse().ok().with_context(|| format!("{}: {text:?} is not a whole number", self.at(name)))?;
        let (low, high) = (bounds.start(), bounds.end());
        ensure!(bounds.contains(&number), "{}: {number} is not within {low} and {high}", self.at(name));
        Ok(Some(number))
    }

    /// A number that is not negative, with its default.
    pub(super) fn count(&self, name: &str, bounds: std::ops::RangeInclusive<u32>, default: u32) -> Result<u32> {
        let number = self.number(name, i64::from(*bounds.start())..=i64::from(*bounds.end()))?;
        Ok(number.map_or(default, |it| it as u32))
    }

    /// As [`Self::number`] with −1 for "without end".
    pub(super) fn limit(&self, name: &str, highest: u32) -> Result<Option<u32>> {
        Ok(self.number(name, -1..=i64::from(highest))?.and_then(|it| u32::try_from(it).ok()))
    }

    pub(super) fn flag(&self, name: &str, default: bool) -> Result<bool> {
        match self.text(name)?.as_deref() {
            None => Ok(default),
            Some("true") => Ok(true),
            Some("false") => Ok(false),
            Some(other) => bail!("{}: {other:?} is neither true nor false", self.at(name)),
        }
    }

    /// Where a property of this map stands.
    pub(super) fn at(&self, name: &str) -> String {
        format!("{}.{name}", self.path)
    }
}
