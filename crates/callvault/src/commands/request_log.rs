//! `emulator-request-log`: prints what clients sent to an emulator, and its warnings.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::PARTLY_DONE;
use crate::cli::EmulatorRequestLog;

pub(super) fn run(args: &EmulatorRequestLog) -> Result<ExitCode> {
    let text = fetch(args)?;
    let log: Value = serde_json::from_str(&text).with_context(|| {
        format!("{} is no Callvault with --emulator: its response is not JSON", args.url)
    })?;
    let warnings = log["warnings"].as_array().map_or(0, Vec::len);
    let mut out = io::stdout();
    if args.json {
        writeln!(out, "{text}")?;
    } else {
        print(&mut out, &log)?;
    }
    Ok(if warnings == 0 { ExitCode::SUCCESS } else { PARTLY_DONE.into() })
}

/// Fetches the log as JSON.
fn fetch(args: &EmulatorRequestLog) -> Result<String> {
    let options = if args.is_final { "?final=true" } else { "" };
    let url = format!("{}/callvault.requests{options}", args.url.trim_end_matches('/'));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut request = reqwest::Client::new().get(&url);
        if let Some(token) = &args.token {
            request = request.bearer_auth(token);
        }
        let response = request.send().await.with_context(|| {
            format!("requesting {url}: no server answers there; --url names another address")
        })?;
        let status = response.status();
        ensure!(
            !matches!(status.as_u16(), 401 | 403),
            "{url} answered {status}: pass a token with the role Callvault.Admin with --token"
        );
        ensure!(
            status.is_success(),
            "{url} answered {status}: start the server with --emulator, or name another one with --url"
        );
        Ok(response.text().await?)
    })
}

/// Prints one line per request, then the warnings.
fn print(out: &mut impl Write, log: &Value) -> io::Result<()> {
    let items = |name: &str| log[name].as_array().into_iter().flatten();
    for request in items("requests") {
        let text = |name: &str| request[name].as_str().unwrap_or("-").to_owned();
        write!(
            out,
            "{:>5} {} {:<6} {} {}",
            request["number"],
            text("time"),
            text("method"),
            if request["status"].is_null() {
                "-  ".to_owned()
            } else {
                request["status"].to_string()
            },
            text("url")
        )?;
        for (name, label) in [("retryAfter", "Retry-After"), ("fault", "fault")] {
            match &request[name] {
                Value::Null => {}
                Value::String(text) => write!(out, "  [{label}: {text}]")?,
                other => write!(out, "  [{label}: {other}]")?,
            }
        }
        writeln!(out)?;
    }
    for warning in items("warnings") {
        let text = |name: &str| warning[name].as_str().unwrap_or("-").to_owned();
        let numbers: Vec<String> =
            warning["requests"].as_array().into_iter().flatten().map(Value::to_string).collect();
        writeln!(out, "\nwarning: {}: {}", text("code"), text("message"))?;
        writeln!(out, "  application {}, requests {}", text("application"), numbers.join(", "))?;
    }
    Ok(())
}
