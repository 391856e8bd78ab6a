//! `ui`: links by which people sign in to the pages, and their sessions.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};
use odata::primitive::{DateTimeOffset, TICKS_PER_SECOND};
use store::{PageSessionRow, SignInLinkRow};

use super::opening::open_store;
use super::tenants;
use crate::cli::{Ui, UiLink, UiSignOut};
use crate::logging;
use crate::settings::Settings;

/// Bytes of a name.
const LONGEST_NAME: usize = 100;

pub(super) fn run(args: &Ui, settings: &Settings) -> Result<ExitCode> {
    match args {
        Ui::Link(args) => link(args, settings),
        Ui::Sessions => sessions(settings),
        Ui::SignOut(args) => sign_out(args, settings),
    }
}

fn link(args: &UiLink, settings: &Settings) -> Result<ExitCode> {
    let name = args.name.trim();
    ensure!(
        !name.is_empty() && name.len() <= LONGEST_NAME && !name.contains(char::is_control),
        "--name: expected 1 to {LONGEST_NAME} bytes of text, since the access log names people by it"
    );
    let store = open_store(settings)?;
    let tenant = tenants::resolve(args.tenant.as_ref(), &mut store.reader()?)?;
    let code = ui::new_secret();
    let row = SignInLinkRow {
        code_hash: ui::hash(&code),
        tenant,
        name: name.to_owned(),
        roles: vec![ui::READER.to_owned()],
        expires: store::clock::now() + args.ttl.as_secs() as i64 * TICKS_PER_SECOND,
    };
    store.put_sign_in_link(row).wait()?;
    let url = settings.server.public_url.clone().unwrap_or_else(|| {
        let scheme = if settings.server.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", settings.server.listen)
    });
    writeln!(io::stdout(), "{}/ui/sign-in#{code}", url.trim_end_matches('/'))?;
    if !settings.has_pages {
        logging::note("this link opens nothing where the settings have ui.enabled = \"off\"");
    }
    Ok(ExitCode::SUCCESS)
}

/// The beginning of the hash of a session, by which it is named.
fn number(session: &PageSessionRow) -> String {
    let start = session.id_hash.iter().take(6);
    start.fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

fn sessions(settings: &Settings) -> Result<ExitCode> {
    let mut out = io::stdout().lock();
    for session in open_store(settings)?.reader()?.page_sessions()? {
        let [created, used, expires] =
            [session.created, session.used, session.expires].map(DateTimeOffset);
        let line = serde_json::json!({
            "session": number(&session),
            "name": session.name,
            "tenant": session.tenant.as_str(),
            "roles": session.roles,
            "created": created.to_string(),
            "used": used.to_string(),
            "expires": expires.to_string(),
        });
        writeln!(out, "{line}")?;
    }
    Ok(ExitCode::SUCCESS)
}

fn sign_out(args: &UiSignOut, settings: &Settings) -> Result<ExitCode> {
    let store = open_store(settings)?;
    let ended = match &args.session {
        None => store.end_page_sessions(None).wait()?,
        Some(wanted) => {
            let all = store.reader()?.page_sessions()?;
            let mut found = all.iter().filter(|session| number(session) == *wanted);
            let session = found.next().with_context(|| {
                format!("there is no session {wanted}: `callvault ui sessions` prints all of them")
            })?;
            if found.next().is_some() {
                bail!("two sessions have the number {wanted}: end all with --all");
            }
            store.end_page_sessions(Some(session.id_hash)).wait()?
        }
    };
    writeln!(io::stdout(), "{}", serde_json::json!({ "ended": ended }))?;
    Ok(ExitCode::SUCCESS)
}
