//! `mirror doctor`: why there is no data.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::Result;
use mirror::{Check, Verdict};
use serde_json::json;

use super::PARTLY_DONE;

/// Prints what was looked at, and the cause.
pub(super) fn print(name: &str, checks: &[Check], is_json: bool) -> Result<ExitCode> {
    let cause = mirror::cause(checks);
    let mut out = io::stdout().lock();
    if is_json {
        let items: Vec<_> = checks.iter().map(object).collect();
        let object = json!({ "name": name, "cause": cause.map(object), "checks": items });
        writeln!(out, "{object}")?;
    } else {
        for Check { name, verdict, evidence, .. } in checks {
            writeln!(out, "{:<10} {name}: {evidence}", verdict.name())?;
        }
        match cause.and_then(|cause| Some((cause, cause.advice.as_ref()?))) {
            Some((cause, (who, what))) => {
                writeln!(out, "\nThe cause is the {}. {}: {what}", cause.name, who.name())?;
            }
            None => writeln!(out, "\nNothing is wrong.")?,
        }
    }
    let is_wrong = checks.iter().any(|check| check.verdict == Verdict::Wrong);
    Ok(if is_wrong { ExitCode::from(PARTLY_DONE) } else { ExitCode::SUCCESS })
}

fn object(check: &Check) -> serde_json::Value {
    json!({
        "check": check.name,
        "verdict": check.verdict.name(),
        "evidence": check.evidence,
        "who": check.advice.as_ref().map(|(who, _)| who.name()),
        "advice": check.advice.as_ref().map(|(_, what)| what),
    })
}
