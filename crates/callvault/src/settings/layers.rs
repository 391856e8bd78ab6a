//! The places where settings are given, laid over each other.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use toml::{Table, Value};

use super::typed::Typed;

/// What the environment's names begin with.
const PREFIX: &str = "CALLVAULT_";
/// Stands between the levels of a key, as a dot cannot.
const SEPARATOR: &str = "__";

/// Settings as tables, the later ones over the earlier.
#[derive(Debug, Default)]
pub(crate) struct Layers {
    table: Table,
}

impl Layers {
    /// Lays a settings file over what there is.
    pub(crate) fn add_file(&mut self, path: &Path) -> Result<()> {
        let name = path.display();
        let text = fs::read_to_string(path).with_context(|| format!("reading {name}"))?;
        // Checked as text, since the error then shows the line.
        toml::from_str::<Typed>(&text).map_err(|error| anyhow!("{name}: {error}"))?;
        let table = text.parse().map_err(|error| anyhow!("{name}: {error}"))?;
        lay_over(&mut self.table, table);
        Ok(())
    }

    /// Lays environment variables over what there is. Names without two underscores are not
    /// settings: orchestrators put names like `CALLVAULT_PORT` there on their own.
    pub(crate) fn add_environment(
        &mut self,
        variables: impl Iterator<Item = (String, String)>,
    ) -> Result<()> {
        for (name, text) in variables {
            let Some(key) = name.strip_prefix(PREFIX).filter(|key| key.contains(SEPARATOR)) else {
                continue;
            };
            let path = key.to_ascii_lowercase().replace(SEPARATOR, ".");
            self.add(&path, value(&text)).with_context(|| name)?;
        }
        Ok(())
    }

    /// Lays a flag over what there is.
    pub(crate) fn add_flag(&mut self, path: &str, value: Option<impl Into<Value>>) -> Result<()> {
        value.map_or(Ok(()), |value| self.add(path, value.into()))
    }

    /// All of it.
    pub(super) fn typed(&self) -> Result<Typed> {
        check(self.table.clone())
    }

    fn add(&mut self, path: &str, value: Value) -> Result<()> {
        let layer = path
            .rsplit('.')
            .fold(value, |value, key| Value::Table(Table::from_iter([(key.to_owned(), value)])));
        let Value::Table(layer) = layer else { return Ok(()) };
        check(layer.clone()).with_context(|| path.to_owned())?;
        lay_over(&mut self.table, layer);
        Ok(())
    }
}

fn check(table: Table) -> Result<Typed> {
    Value::Table(table).try_into().map_err(|error: toml::de::Error| {
        // Its own display ends with an empty line about a place that this table lacks.
        anyhow!("{}", error.message())
    })
}

/// A variable's text as TOML where it is TOML, so that numbers and lists can be given, else as it
/// stands.
fn value(text: &str) -> Value {
    format!("value = {text}")
        .parse::<Table>()
        .ok()
        .filter(|table| table.len() == 1)
        .and_then(|mut table| table.remove("value"))
        .unwrap_or_else(|| Value::String(text.to_owned()))
}

fn lay_over(below: &mut Table, above: Table) {
    for (key, value) in above {
        match (below.get_mut(&key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => lay_over(below, above),
            (_, value) => {
                below.insert(key, value);
            }
        }
    }
}
