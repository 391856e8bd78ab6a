//! The emulator that `serve` and `demo` start with.

use std::fs;
use std::sync::Arc;

use anyhow::{Context, Result};
use emulator::{Emulator, Rules};

use crate::cli::Emulation;

/// The emulator with the rules of `--faults`; `None` without `--emulator`.
pub(super) fn from_flags(flags: &Emulation) -> Result<Option<Arc<Emulator>>> {
    if !flags.emulator {
        return Ok(None);
    }
    let rules = match &flags.faults {
        None => Rules::default(),
        Some(file) => {
            let text =
                fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
            Rules::from_toml(&text).with_context(|| file.display().to_string())?
        }
    };
    Ok(Some(with_rules(rules)))
}

/// An emulator with a fixed seed, so that random rules act the same on every run.
pub(super) fn with_rules(rules: Rules) -> Arc<Emulator> {
    Arc::new(Emulator::new(rules, 1))
}
