//! A first look at a source: whether it lets us in, what time it has, and whether it answers as it should.
//! What is found are counts and shapes, so that it can be shown to anybody.

use std::sync::Arc;

use odata::primitive::{DateTimeOffset, TICKS_PER_SECOND};

use crate::client::Client;
use crate::credential::Credential;
use crate::fault::Fault;
use crate::fetch::{self, Reading};
use crate::list_page;
use crate::rate::Kind;
use crate::schedule::LISTED_FOR;
use crate::settings::MirrorSettings;

/// What a source was found to be like.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Findings {
    /// How far its clock is ahead of ours, in seconds.
    pub skew: i64,
    /// Rows of the first page of its last 30 days.
    pub first_page: usize,
    /// Whether there are more.
    pub has_more: bool,
    /// Bytes of a record that was read whole; none if none is listed.
    pub record_bytes: Option<usize>,
    /// Why the record could not be read.
    pub record_fault: Option<String>,
}

/// Looks at a source: gets a token, reads one page of the list, and one record.
///
/// # Errors
/// Why that can't be done.
pub async fn probe(
    tenant: &str,
    settings: &MirrorSettings,
    credential: Credential,
) -> Result<Findings, String> {
    let client = Client::new(tenant, settings, credential, (None, Arc::default()))?;
    look(&client).await.map_err(|fault| fault.to_string())?;
    let now = client.clock.now();
    let page = list(&client, (now - LISTED_FOR + 60 * TICKS_PER_SECOND, now)).await;
    let page = page.map_err(|fault| fault.to_string())?;
    let mut findings = Findings {
        skew: client.clock.skew().unwrap_or(0) / TICKS_PER_SECOND,
        first_page: page.rows.len(),
        has_more: page.link.is_some(),
        ..Findings::default()
    };
    if let Some(row) = page.rows.first() {
        let key = model::key(&row.id);
        match fetch::record(&client, (&row.id, &key), &Arc::default()).await {
            Ok(Reading::Whole(text, _)) => findings.record_bytes = Some(text.len()),
            Ok(Reading::Changing) => {}
            Err(fault) => findings.record_fault = Some(fault.to_string()),
        }
    }
    Ok(findings)
}

/// One small request.
pub(crate) async fn look(client: &Client) -> Result<(), Fault> {
    let now = client.clock.now();
    list(client, (now - TICKS_PER_SECOND, now)).await.map(drop)
}

/// The first page of the list of calls that started in a time.
pub(crate) async fn list(
    client: &Client,
    (from, to): (i64, i64),
) -> Result<list_page::ListPage, Fault> {
    let instant =
        |ticks| DateTimeOffset::from_unix_seconds(DateTimeOffset(ticks).unix_seconds()).to_string();
    let query = format!(
        "communications/callRecords?$filter=startDateTime%20ge%20{}%20and%20startDateTime%20lt%20{}\
         &$select=id,version,startDateTime",
        instant(from),
        instant(to)
    );
    let text = client.get(Kind::List, &client.url(&query)?).await?;
    list_page::read(&text).map_err(Fault::Unsound)
}
