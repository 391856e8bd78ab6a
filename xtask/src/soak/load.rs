//! A mixed load on a cluster: records and their next versions are written one by one and in imports,
//! read back, and listed page by page; each answer is checked when it comes.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::client::{Client, Service};
use super::kept::{Kept, MOVING, STAYING, check_version, record};
use crate::members::text;

const COLLECTION: &str = "/v1.0/communications/callRecords";
const EXPANDED: &str = "?$expand=sessions($expand=segments)";
/// Those that stay where they are.
const LISTED: &str = "/v1.0/communications/callRecords?$filter=startDateTime%20ge%202026-05-01T00:00:00Z\
                      %20and%20startDateTime%20lt%202026-06-01T00:00:00Z";
/// Lines of an import.
const TOGETHER: u64 = 15;
const PAUSE: Duration = Duration::from_millis(4);
/// Of so many records, one is looked for at each node in the end.
const EVERYWHERE: usize = 10;

/// How much was done.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) writes: AtomicU64,
    pub(super) reads: AtomicU64,
    pub(super) walks: AtomicU64,
    pub(super) pages: AtomicU64,
}

impl Counts {
    fn add(count: &AtomicU64, number: u64) {
        count.fetch_add(number, Ordering::Relaxed);
    }
}

/// The load of one kind.
pub(super) struct Load<'l> {
    pub(super) service: Service<'l>,
    pub(super) kept: &'l Kept,
    pub(super) counts: &'l Counts,
    /// No two loads have the same.
    pub(super) number: usize,
}

/// Numbers that look like thrown dice (Marsaglia's xorshift).
struct Dice(u64);

impl Dice {
    fn throw(&mut self) -> u64 {
        for (left, shift) in [(true, 13), (false, 7), (true, 17)] {
            self.0 ^= if left { self.0 << shift } else { self.0 >> shift };
        }
        self.0
    }
}

impl Load<'_> {
    fn client(&self) -> (Client<'_>, Dice) {
        let dice = Dice(0x9e37_79b9_7f4a_7c15 ^ (self.number as u64 + 1));
        (Client::new(self.service, self.number), dice)
    }

    /// Writes records of its own until the end, each until it is acknowledged.
    pub(super) fn write(&self) -> Result<()> {
        let (mut client, mut dice) = self.client();
        let mut own = Vec::new();
        while self.service.cluster.sleep(PAUSE) {
            match dice.throw() % 20 {
                0..9 => {
                    let id = self.new_id(own.len());
                    own.push(id.clone());
                    self.post(&mut client, &id, 1)?;
                }
                9..18 if !own.is_empty() => {
                    let id = own[(dice.throw() % own.len() as u64) as usize].clone();
                    self.post(&mut client, &id, self.kept.versions(&id).sent + 1)?;
                }
                _ => self.import(&mut client, &mut own, &mut dice)?,
            }
        }
        Ok(())
    }

    fn new_id(&self, place: usize) -> String {
        let kind = if place % 3 == 2 { MOVING } else { STAYING };
        format!("{kind}{}-{place}", self.number)
    }

    fn post(&self, client: &mut Client<'_>, id: &str, version: u64) -> Result<()> {
        self.kept.sending(id, version);
        let (status, body) = client.post(COLLECTION, &record(id, version))?;
        ensure!(matches!(status, 200 | 201), "{id} {version}: {status} {body}");
        self.kept.acknowledged(id, version);
        Counts::add(&self.counts.writes, 1);
        Ok(())
    }

    fn import(
        &self,
        client: &mut Client<'_>,
        own: &mut Vec<String>,
        dice: &mut Dice,
    ) -> Result<()> {
        let mut lines = Vec::new();
        for _ in 0..TOGETHER {
            let place = dice.throw() % (own.len() as u64 + TOGETHER);
            let place = usize::try_from(place)?.min(own.len());
            if place == own.len() {
                own.push(self.new_id(place));
            }
            let id = own[place].clone();
            let version = self.kept.versions(&id).sent + 1;
            self.kept.sending(&id, version);
            lines.push(record(&id, version));
        }
        client.import(&lines.join("\n"), |id, version| self.kept.acknowledged(id, version))?;
        Counts::add(&self.counts.writes, TOGETHER);
        Ok(())
    }

    /// Reads any record until the end: current, expanded, or in a version of before.
    pub(super) fn read(&self) -> Result<()> {
        let (mut client, mut dice) = self.client();
        while self.service.cluster.sleep(PAUSE) {
            let Some(id) = self.kept.any(dice.throw()) else { continue };
            let before = self.kept.versions(&id);
            let older = dice.throw() % (2 * before.acknowledged) + 1;
            if older <= before.acknowledged {
                let path =
                    format!("{COLLECTION}/{id}/callvault.version(version={older}){EXPANDED}");
                let (status, body) = client.get(&path)?;
                let checked = ok(status, &body).and_then(|()| check_version(&id, older, &body));
                checked.with_context(|| format!("version {older} of {id}: {status} {body}"))?;
            } else {
                let (status, body) = client.get(&format!("{COLLECTION}/{id}{EXPANDED}"))?;
                let checked = ok(status, &body).and_then(|()| self.kept.check(&id, before, &body));
                checked.with_context(|| format!("{id}: {status} {body}"))?;
            }
            Counts::add(&self.counts.reads, 1);
        }
        Ok(())
    }

    /// Lists the records that stay where they are until the end, each page at another node.
    pub(super) fn walk(&self) -> Result<()> {
        let (mut client, _) = self.client();
        while self.service.cluster.sleep(10 * PAUSE) {
            self.walk_once(&mut client)?;
            Counts::add(&self.counts.walks, 1);
        }
        Ok(())
    }

    fn walk_once(&self, client: &mut Client<'_>) -> Result<()> {
        let stays = |id: &str| id.starts_with(STAYING);
        let all = self.kept.all();
        let known = all.iter().filter(|(id, versions)| stays(id) && versions.acknowledged > 0);
        let mut seen = BTreeSet::new();
        let mut next = Some(LISTED.to_owned());
        while let Some(path) = next {
            let (status, body) = client.get(&path)?;
            ok(status, &body).with_context(|| format!("{path}: {status} {body}"))?;
            let ids = body.split("\"id\":\"").skip(1).filter_map(|rest| rest.split('"').next());
            for id in ids.filter(|id| stays(id)) {
                ensure!(seen.insert(id.to_owned()), "{id} is listed twice");
            }
            // Whichever node answered: the rest of the link is one that all understand.
            next = text(&body, "@odata.nextLink")
                .and_then(|link| link.find("/v1.0/").map(|at| link[at..].to_owned()));
            Counts::add(&self.counts.pages, 1);
        }
        for (id, _) in known {
            ensure!(seen.contains(id), "{id} was acknowledged and is not listed");
        }
        Ok(())
    }

    /// Looks for everything that was acknowledged, in all versions, when all is quiet.
    pub(super) fn check_all(&self) -> Result<()> {
        let (mut client, _) = self.client();
        let nodes = self.service.cluster.nodes.len();
        for (place, (id, versions)) in self.kept.all().into_iter().enumerate() {
            ensure!(versions.sent == versions.acknowledged, "{id}: {versions:?}");
            let places =
                if place % EVERYWHERE == 0 { 0..nodes } else { place % nodes..place % nodes + 1 };
            for node in places {
                let path = format!("{COLLECTION}/{id}{EXPANDED}");
                let answer = client.get_at(node, &path)?;
                let (status, body) = answer.with_context(|| format!("node {node} is away"))?;
                let checked =
                    ok(status, &body).and_then(|()| self.kept.check(&id, versions, &body));
                checked.with_context(|| format!("{id} at node {node}: {status} {body}"))?;
            }
            for version in 1..versions.acknowledged {
                let path =
                    format!("{COLLECTION}/{id}/callvault.version(version={version}){EXPANDED}");
                let (status, body) = client.get(&path)?;
                let checked = ok(status, &body).and_then(|()| check_version(&id, version, &body));
                checked.with_context(|| format!("version {version} of {id}: {status} {body}"))?;
            }
        }
        self.walk_once(&mut client)
    }
}

fn ok(status: u16, body: &str) -> Result<()> {
    ensure!(status == 200, "{status}: {body:.300}");
    Ok(())
}
