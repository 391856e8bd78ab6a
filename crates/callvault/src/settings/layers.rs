//! The layers of settings: the file, the environment and the flags, merged into one table.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use toml::{Table, Value};

use super::raw::RawSettings;

/// Prefix of environment variables.
const PREFIX: &str = "CALLVAULT_";
/// Separates the levels of a key in the environment, where names have no dots.
const SEPARATOR: &str = "__";

/// Merged settings, in which later layers override earlier ones.
#[derive(Debug, Default)]
pub(crate) struct Layers {
    table: Table,
}

impl Layers {
    /// Adds a settings file over the earlier layers.
    ///
    /// # Errors
    /// When it can't be read, or has an unknown key or a wrong value.
    pub(crate) fn add_file(&mut self, path: &Path) -> Result<()> {
        let name = path.display();
        let text = fs::read_to_string(path).with_context(|| format!("reading {name}"))?;
        // Parsed as text, so that errors show the line.
        toml::from_str::<RawSettings>(&text).map_err(|error| anyhow!("{name}: {error}"))?;
        let table = text.parse().map_err(|error| anyhow!("{name}: {error}"))?;
        merge(&mut self.table, table);
        Ok(())
    }

    /// Adds environment variables over the earlier layers. Names without two underscores are not
    /// settings: orchestrators set names like `CALLVAULT_PORT` themselves.
    ///
    /// # Errors
    /// When a variable names an unknown key or has a wrong value.
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

    /// Adds a flag over the earlier layers.
    ///
    /// # Errors
    /// When the value is wrong.
    pub(crate) fn add_flag(&mut self, path: &str, value: Option<impl Into<Value>>) -> Result<()> {
        value.map_or(Ok(()), |value| self.add(path, value.into()))
    }

    /// The merged settings.
    pub(super) fn raw(&self) -> Result<RawSettings> {
        check(self.table.clone())
    }

    fn add(&mut self, path: &str, value: Value) -> Result<()> {
        let layer = path
            .rsplit('.')
            .fold(value, |value, key| Value::Table(Table::from_iter([(key.to_owned(), value)])));
        let Value::Table(layer) = layer else { return Ok(()) };
        check(layer.clone()).with_context(|| path.to_owned())?;
        merge(&mut self.table, layer);
        Ok(())
    }
}

fn check(table: Table) -> Result<RawSettings> {
    Value::Table(table).try_into().map_err(|error: toml::de::Error| {
        // Its display ends with an empty line for the position, which a table does not have.
        anyhow!("{}", error.message())
    })
}

/// A variable's text, parsed as TOML if possible, so that variables can hold numbers and lists; otherwise
/// as a string.
fn value(text: &str) -> Value {
    format!("value = {text}")
        .parse::<Table>()
        .ok()
        .filter(|table| table.len() == 1)
        .and_then(|mut table| table.remove("value"))
        .unwrap_or_else(|| Value::String(text.to_owned()))
}

/// Merges a table into another; its values win.
fn merge(lower: &mut Table, upper: Table) {
    for (key, value) in upper {
        match (lower.get_mut(&key), value) {
            (Some(Value::Table(lower)), Value::Table(upper)) => merge(lower, upper),
            (_, value) => {
                lower.insert(key, value);
            }
        }
    }
}
