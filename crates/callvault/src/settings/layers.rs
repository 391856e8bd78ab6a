//! The layers of settings: the file, the environment and the flags, merged into one table.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, anyhow, ensure};
use toml::{Table, Value};

use super::raw::RawSettings;

/// Prefix of environment variables.
const PREFIX: &str = "CALLVAULT_";
/// Variables that are not settings of the file: flags, the master key, and those of tests of others.
const OTHERS: [&str; 6] = ["CONFIG", "DATA_DIR", "STORE", "MASTER_KEY", "TOKEN", "BIN"];
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
        let text = fs::read_to_string(path)
            .with_context(|| format!("reading the settings file {name}"))?;
        // Parsed as text, so that errors show the line.
        toml::from_str::<RawSettings>(&text).map_err(|error| anyhow!("{name}: {error}"))?;
        let table = text.parse().map_err(|error| anyhow!("{name}: {error}"))?;
        merge(&mut self.table, table);
        Ok(())
    }

    /// Adds environment variables over the earlier layers.
    ///
    /// # Errors
    /// When a variable that begins with `CALLVAULT_` names an unknown key or has a wrong value.
    pub(crate) fn add_environment(
        &mut self,
        variables: impl Iterator<Item = (String, String)>,
    ) -> Result<()> {
        for (name, text) in variables {
            let Some(key) = name.strip_prefix(PREFIX) else { continue };
            if !key.contains(SEPARATOR) {
                ensure!(OTHERS.contains(&key) || is_of_orchestrator(key), "{}", unknown(&name));
                continue;
            }
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

    /// Whether the layers name a store.
    pub(crate) fn names_store(&self) -> bool {
        self.table.contains_key("store")
    }

    /// Drops what the layers say of the place of the store.
    pub(crate) fn forget_store(&mut self) {
        self.table.remove("store");
        self.table.remove("data_dir");
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

/// Whether Kubernetes sets a variable of this name beside a service that is called callvault.
fn is_of_orchestrator(key: &str) -> bool {
    key == "PORT" || key.starts_with("PORT_") || key.starts_with("SERVICE_")
}

fn unknown(name: &str) -> String {
    format!(
        "the environment variable {name} is none of Callvault's: the key server.listen is \
         CALLVAULT_SERVER__LISTEN, with two underscores between the levels; besides there are \
         CALLVAULT_CONFIG, CALLVAULT_DATA_DIR, CALLVAULT_STORE, CALLVAULT_MASTER_KEY and \
         CALLVAULT_TOKEN"
    )
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
