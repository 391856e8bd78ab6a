//! What the demo shows its user: addresses, a token, and commands to paste.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use model::TenantId;
use odata::bound::Query;
use odata::eval::{Allowance, Meter};
use odata::primitive::DateTimeOffset;
use store::{Budget, ResultRow, RowQuery, RowSet, Store, StoredRecord};

use super::simulate::SPAN;

/// Number of records among which one is chosen to show.
const NEWEST: usize = 50;
/// Time limit for finding them.
const QUERY_TIMEOUT: Duration = Duration::from_secs(10);

/// What the demo shows its user.
pub(super) struct Tour<'a> {
    /// The address of the server.
    pub(super) address: &'a str,
    pub(super) store: &'a Store,
    pub(super) tenant: &'a TenantId,
    pub(super) token: &'a str,
    /// What leads a command to the store.
    pub(super) flags: &'a str,
    /// With TLS, what an SDK needs.
    pub(super) sdk: Option<&'a Sdk>,
}

impl Tour<'_> {
    /// Prints the address, the token, and commands to paste.
    ///
    /// # Errors
    /// When the store can't be read, or the output can't be written.
    pub(super) fn print(&self, out: &mut impl Write) -> Result<()> {
        let Self { address, store, tenant, token, flags, sdk } = self;
        let newest = newest(store, tenant)?;
        // A record that is short enough to read.
        let id = newest
            .iter()
            .min_by_key(|record| record.session_count.abs_diff(4))
            .map(|record| &record.id)
            .context("the store holds no call")?;
        let records = format!("{address}/v1.0/communications/callRecords");
        let latest = newest.iter().map(|record| record.start).max().unwrap_or_default();
        let day = |ticks: i64| DateTimeOffset(ticks).to_string()[..10].to_owned();
        let (from, to) = (day(latest - SPAN), day(latest + SPAN / 30));
        writeln!(
            out,
            "\nOpen {address}/ or paste, with a token of tenant {tenant} for 24 hours:\n"
        )?;
        writeln!(out, "export TOKEN={token}")?;
        let mut curl = "curl -s";
        if let Some(Sdk { client_id, secret, certificate }) = sdk {
            let certificate = certificate.display();
            writeln!(out, "export SSL_CERT_FILE='{certificate}' AZURE_AUTHORITY_HOST={address}")?;
            writeln!(out, "export AZURE_TENANT_ID={tenant} AZURE_CLIENT_ID={client_id}")?;
            writeln!(out, "export AZURE_CLIENT_SECRET={secret}")?;
            writeln!(
                out,
                "\n# the latest records with Microsoft's SDK, see clients/python/read.py"
            )?;
            writeln!(out, "sdk/bin/python read.py")?;
            curl = "curl -s --cacert \"$SSL_CERT_FILE\"";
        }
        for (what, url) in [
            ("all records, the latest first", records.clone()),
            (
                "a record with its sessions and their segments",
                format!("{records}/{id}?\\$expand=sessions(\\$expand=segments)"),
            ),
            (
                "calls through calling plans and operators",
                format!("{records}/getPstnCalls(fromDateTime={from},toDateTime={to})"),
            ),
        ] {
            writeln!(out, "\n# {what}\n{curl} -H \"Authorization: Bearer $TOKEN\" \"{url}\"")?;
        }
        writeln!(out, "\n# commands in other terminals")?;
        writeln!(out, "callvault list --limit 3 {flags}")?;
        writeln!(out, "\nStop with Ctrl-C.")?;
        Ok(out.flush()?)
    }
}

/// What an SDK needs beside the address and the tenant.
#[derive(Debug)]
pub(super) struct Sdk {
    pub(super) client_id: String,
    pub(super) secret: String,
    pub(super) certificate: PathBuf,
}

/// The latest records of a tenant.
fn newest(store: &Store, tenant: &TenantId) -> Result<Vec<Arc<StoredRecord>>> {
    let query = RowQuery { rows: RowSet::Records, query: Query::default(), not_before: None };
    let meter = Meter::new(Allowance::until(Instant::now() + QUERY_TIMEOUT));
    let budget = Budget { rows_scanned: u64::MAX, groups: 0, meter };
    let page = store.reader()?.page(tenant, &query, None, NEWEST, &budget)?;
    let records = page.rows.into_iter().filter_map(|found| match found {
        ResultRow::Record(record) => Some(record),
        ResultRow::Row(_) | ResultRow::Damaged { .. } => None,
    });
    Ok(records.collect())
}
