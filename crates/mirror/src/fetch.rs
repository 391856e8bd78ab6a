//! Reads one record whole: the record with its sessions, then its participants, then whether its version is
//! still the same. So no record is put together of two versions, whatever the source's links go on in.

use std::collections::HashSet;
use std::sync::Arc;

use reqwest::Url;
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::client::Client;
use crate::fault::Fault;
use crate::gather::{self, Items};
use crate::rate::Kind;

/// Readings of a record that changes meanwhile.
const READINGS: u32 = 3;
/// Pages behind each other with nothing on them but a link.
const EMPTY_PAGES: u32 = 3;
/// Pages of one collection: more than the largest meeting has.
const MOST_PAGES: usize = 10_000;

/// What a reading came to.
#[derive(Debug)]
pub(crate) enum Reading {
    /// The whole record; one that is large keeps others that are from being read until it is dropped.
    Whole(String, Option<OwnedMutexGuard<()>>),
    /// It had another version in the end than in the beginning, each time.
    Changing,
}

/// Bytes of a record from which on only one is read at a time.
const LARGE: usize = 2 << 20;

/// Reads a record by its id; `id_key` is the key of the id. `large` is held while a large record is read.
pub(crate) async fn record(
    client: &Client,
    (id, id_key): (&str, &[u8]),
    large: &Arc<Mutex<()>>,
) -> Result<Reading, Fault> {
    let path = format!("communications/callRecords{}", odata::key::in_path(id));
    let mut alone = None;
    for _ in 0..READINGS {
        if let Some(text) = once(client, (&path, id_key), (large, &mut alone)).await? {
            return Ok(Reading::Whole(text, alone));
        }
    }
    Ok(Reading::Changing)
}

/// The version of a record that the source has now.
pub(crate) async fn version(client: &Client, (id, id_key): (&str, &[u8])) -> Result<i64, Fault> {
    let path = format!("communications/callRecords{}", odata::key::in_path(id));
    let url = client.url(&format!("{path}?$select=id,version"))?;
    let text = client.get(Kind::Record(id_key), &url).await?;
    Ok(gather::record(&text).map_err(Fault::Unsound)?.version)
}

/// None if the version has changed meanwhile.
async fn once(
    client: &Client,
    (path, id_key): (&str, &[u8]),
    (large, alone): (&Arc<Mutex<()>>, &mut Option<OwnedMutexGuard<()>>),
) -> Result<Option<String>, Fault> {
    let get = async |query: &str| {
        let url = client.url(&format!("{path}?{query}"))?;
        let text = client.get(Kind::Record(id_key), &url).await?;
        gather::record(&text).map_err(Fault::Unsound)
    };
    let mut record = get("$expand=sessions($expand=segments)").await?;
    let Some(mut sessions) = record.sessions.take() else {
        return Err(Fault::Unsound(
            "the record comes without the sessions that were asked for".to_owned(),
        ));
    };
    if alone.is_none() && (sessions.link.is_some() || sessions.len() > LARGE) {
        *alone = Some(Arc::clone(large).lock_owned().await);
    }
    let mut pages = follow(client, &mut sessions, id_key).await?;
    let mut second = get("$select=id,version&$expand=participants_v2").await?;
    if second.version != record.version {
        return Ok(None);
    }
    let Some(mut participants) = second.participants.take() else {
        let message = "the record comes without the participants that were asked for";
        return Err(Fault::Unsound(message.to_owned()));
    };
    pages += follow(client, &mut participants, id_key).await?;
    // What was read in between stands between two looks at the version.
    if pages > 0 && get("$select=id,version").await?.version != record.version {
        return Ok(None);
    }
    Ok(Some(gather::whole(&record, &sessions, Some(&participants))))
}

/// Follows the links of a collection to its end; how many there were.
async fn follow(client: &Client, items: &mut Items, id_key: &[u8]) -> Result<usize, Fault> {
    let mut links = Links::default();
    while let Some(link) = items.link.take() {
        let url = links.next(client, &link)?;
        let text = client.get(Kind::RecordFollowing(id_key), &url).await?;
        let page = gather::page(&text).map_err(Fault::Unsound)?;
        links.had(page.is_empty())?;
        items.append(page).map_err(Fault::Unsound)?;
    }
    Ok(links.seen.len())
}

/// The links of one collection, which must come to an end.
#[derive(Debug, Default)]
pub(crate) struct Links {
    seen: HashSet<String>,
    empty: u32,
}

impl Links {
    /// Where a link leads.
    pub(crate) fn next(&mut self, client: &Client, link: &str) -> Result<Url, Fault> {
        let url = client.link(link)?;
        if self.seen.len() >= MOST_PAGES {
            return Err(Fault::Unsound(format!("there are more than {MOST_PAGES} pages")));
        }
        if !self.seen.insert(link.to_owned()) {
            return Err(Fault::Unsound("a nextLink leads back to where it came from".to_owned()));
        }
        Ok(url)
    }

    /// Notes whether there was anything behind the last link.
    pub(crate) fn had(&mut self, is_empty: bool) -> Result<(), Fault> {
        self.empty = if is_empty { self.empty + 1 } else { 0 };
        if self.empty > EMPTY_PAGES {
            return Err(Fault::Unsound("nextLinks lead to nothing but more of them".to_owned()));
        }
        Ok(())
    }
}
