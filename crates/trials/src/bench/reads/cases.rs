//! The forms of GET that are measured, with samples of their answers.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::get;
use crate::bench::nginx::Site;
use crate::bench::wrk::{Draw, Requests};
use crate::bench::{Bench, PAGES, windows};
use crate::http::{Answer, Connection};
use crate::members;
use crate::paths::CALL_RECORDS;
use crate::server_process::ServerProcess;

/// Records whose answers nginx has.
const SAMPLES: usize = 5_000;
const EXPANDED: &str = "?$expand=sessions($expand=segments)";
const SELECTED: &str = "?$select=id,type,startDateTime,endDateTime";

/// Of those, the ones that are asked for again and again.
const LATEST_PAGES: usize = 20;
pub(super) const FIRST: &str = "filtered list page of 60";
const LATEST: &str = "filtered list page of 60, of 20 that are asked for again";
pub(super) const DEEP: &str = "page of 60 deep in all records";

/// A form of GET.
pub(in crate::bench) struct Case {
    pub(in crate::bench) name: String,
    pub(super) aim: Option<f64>,
    /// The place of its answers in nginx: as long as `/v1.0`.
    root: String,
    /// The path up to the varying part, without its first segment.
    before: String,
    behind: String,
    /// The varying part reaches into the header lines.
    is_conditional: bool,
    parts: [PathBuf; 2],
    draw: Draw,
    samples: Vec<Sample>,
}

/// An answer that nginx has.
struct Sample {
    /// Its path behind `before`, without a query.
    file: String,
    /// What varies in the request to nginx, behind the path, if anything does.
    query: String,
    body: String,
}

/// What a case is made of.
struct CaseBuilder<'a> {
    bench: &'a Bench,
    connection: Connection,
    folder: &'a Path,
    count: usize,
}

/// All of them.
pub(super) fn all(bench: &Bench, server: &ServerProcess, folder: &Path) -> Result<Vec<Case>> {
    let mut making = CaseBuilder::new(bench, server, folder)?;
    let mut cases = making.plain()?;
    cases.push(making.unchanged()?);
    cases.push(making.by_id("$select of 4", SELECTED, "", Draw::Uniform, None)?);
    let gzip = "\nAccept-Encoding: gzip";
    cases.push(making.by_id("GET expanded, gzip", EXPANDED, gzip, Draw::Uniform, None)?);
    cases.push(making.large()?);
    cases.extend(making.lists()?);
    Ok(cases)
}

/// GET by id and expanded.
pub(super) fn plain(bench: &Bench, server: &ServerProcess, folder: &Path) -> Result<Vec<Case>> {
    CaseBuilder::new(bench, server, folder)?.plain()
}

/// The three that daily work is judged by: GET by id, expanded, and a page of a list.
pub(in crate::bench) fn few(
    bench: &Bench,
    server: &ServerProcess,
    folder: &Path,
) -> Result<Vec<Case>> {
    let mut making = CaseBuilder::new(bench, server, folder)?;
    let mut cases = vec![
        making.by_id("GET by id", "", "", Draw::Uniform, None)?,
        making.by_id("GET expanded", EXPANDED, "", Draw::Uniform, None)?,
    ];
    cases.extend(making.lists()?.into_iter().filter(|case| case.name == FIRST));
    Ok(cases)
}

/// The header lines of an answer of ours.
pub(super) fn header_lines(bench: &Bench, server: &ServerProcess) -> Result<Vec<(String, String)>> {
    let mut connection = Connection::open(&server.url)?;
    let id = first_lines(&bench.ids, 1)?.pop().context("no record")?;
    Ok(get(&mut connection, bench, &format!("{CALL_RECORDS}/{id}"))?.lines)
}

impl<'a> CaseBuilder<'a> {
    fn new(bench: &'a Bench, server: &ServerProcess, folder: &'a Path) -> Result<Self> {
        fs::create_dir_all(folder)?;
        Ok(Self { bench, connection: Connection::open(&server.url)?, folder, count: 0 })
    }

    fn plain(&mut self) -> Result<Vec<Case>> {
        let mut cases = Vec::new();
        for (draw, law) in [(Draw::Uniform, ""), (Draw::Zipf, ", by Zipf's law")] {
            let name = format!("GET by id{law}");
            cases.push(self.by_id(&name, "", "", draw, Some(0.95))?);
            let name = format!("GET expanded{law}");
            cases.push(self.by_id(&name, EXPANDED, "", draw, Some(0.8))?);
        }
        Ok(cases)
    }

    /// A record by id, out of all there are; nginx has some of them.
    fn by_id(
        &mut self,
        name: &str,
        query: &str,
        lines: &str,
        draw: Draw,
        aim: Option<f64>,
    ) -> Result<Case> {
        let ids = first_lines(&self.bench.ids, SAMPLES)?;
        let mut samples = Vec::with_capacity(ids.len());
        for id in ids {
            let body = self.get(&format!("{CALL_RECORDS}/{id}{query}"))?.body;
            samples.push(Sample { file: id, query: String::new(), body });
        }
        let mut case = self.case(name, "/communications/callRecords/", query, lines, samples)?;
        case.parts[0].clone_from(&self.bench.ids);
        Ok(Case { aim, draw, ..case })
    }

    /// A record that the client has already.
    fn unchanged(&mut self) -> Result<Case> {
        let ids = first_lines(&self.bench.ids, SAMPLES)?;
        let (mut samples, mut ours) = (Vec::new(), Vec::new());
        for id in ids {
            let answer = self.get(&format!("{CALL_RECORDS}/{id}"))?;
            let tag = answer.line("etag").context("an answer without a tag")?;
            ours.push(conditional(&id, tag));
            samples.push(Sample { file: id, query: String::new(), body: answer.body });
        }
        let case = self.case("304", "/communications/callRecords/", "", "", samples)?;
        write_lines(&case.parts[0], &ours)?;
        let behind = case.behind.trim_start_matches(" HTTP/1.1").to_owned();
        Ok(Case { aim: Some(0.95), draw: Draw::Uniform, behind, is_conditional: true, ..case })
    }

    /// A record of 3,000 sessions, of which 60 are inline.
    fn large(&mut self) -> Result<Case> {
        let id = self.bench.large;
        let body = self.get(&format!("{CALL_RECORDS}/{id}{EXPANDED}"))?.body;
        let samples = vec![Sample { file: id.to_string(), query: String::new(), body }];
        let name = "GET expanded, 60 sessions inline of 3,000";
        let case = self.case(name, "/communications/callRecords/", EXPANDED, "", samples)?;
        Ok(Case { aim: Some(0.5), ..case })
    }

    /// Pages of lists: first ones, those behind them, one far behind, and counts.
    fn lists(&mut self) -> Result<Vec<Case>> {
        let (mut first, mut latest, mut next) = (Vec::new(), Vec::new(), Vec::new());
        for window in windows() {
            let answer = self.get(&format!("{CALL_RECORDS}?$filter={window}"))?.body;
            if latest.len() < LATEST_PAGES {
                latest.push((format!("$filter={window}"), answer.clone()));
            }
            let link = next_link(&answer)?;
            let following = self.get(&format!("{CALL_RECORDS}?{link}"))?.body;
            next.push((link, following));
            first.push((format!("$filter={window}"), answer));
        }
        let deep = self.walk(self.bench.settings.records / 60 / 2)?;
        let mut counts = Vec::new();
        for window in windows() {
            let query = format!("$filter={window}");
            let count = self.get(&format!("{CALL_RECORDS}/$count?{query}"))?.body;
            counts.push((query, count));
        }
        let mut cases = Vec::new();
        for (name, path, pages, aim) in [
            (FIRST, "/communications/callRecords", first, Some(0.25)),
            (LATEST, "/communications/callRecords", latest, Some(0.25)),
            ("following page of 60", "/communications/callRecords", next, Some(0.25)),
            (DEEP, "/communications/callRecords", deep, None),
            ("$count of a week", "/communications/callRecords/$count", counts, None),
        ] {
            cases.push(Case { aim, ..self.pages(name, path, pages)? });
        }
        Ok(cases)
    }

    /// Goes so many pages into the list of all records; the pages after that.
    fn walk(&mut self, pages: usize) -> Result<Vec<(String, String)>> {
        let answer = self.get(CALL_RECORDS)?.body;
        let mut link = next_link(&answer)?;
        for _ in 0..pages {
            let answer = self.get(&format!("{CALL_RECORDS}?{link}"))?.body;
            link = next_link(&answer)?;
        }
        let mut found = Vec::new();
        for _ in 0..PAGES {
            let answer = self.get(&format!("{CALL_RECORDS}?{link}"))?.body;
            let next = next_link(&answer)?;
            found.push((link, answer));
            link = next;
        }
        Ok(found)
    }

    /// Pages that differ in their query.
    fn pages(&mut self, name: &str, path: &str, pages: Vec<(String, String)>) -> Result<Case> {
        let queries: Vec<String> = pages.iter().map(|(query, _)| query.clone()).collect();
        let samples = pages.into_iter().enumerate();
        let samples = samples.map(|(number, (query, body))| Sample {
            file: format!("/{number}"),
            query: format!("?{query}"),
            body,
        });
        let case = self.case(name, path, "", "", samples.collect())?;
        write_lines(&case.parts[0], queries.iter().map(|query| format!("?{query}")))?;
        Ok(case)
    }

    fn case(
        &mut self,
        name: &str,
        before: &str,
        query: &str,
        lines: &str,
        samples: Vec<Sample>,
    ) -> Result<Case> {
        let number = self.count;
        self.count += 1;
        let parts =
            ["ours", "nginx"].map(|whose| self.folder.join(format!("{number}-{whose}.parts")));
        write_lines(&parts[0], samples.iter().map(|sample| &sample.file))?;
        let behind = format!("{query} HTTP/1.1\nAuthorization: Bearer {}{lines}", self.bench.token);
        Ok(Case {
            name: name.to_owned(),
            aim: None,
            root: format!("/c{number:03}"),
            before: before.to_owned(),
            behind,
            is_conditional: false,
            parts,
            draw: Draw::InTurn,
            samples,
        })
    }

    fn get(&mut self, path: &str) -> Result<Answer> {
        get(&mut self.connection, self.bench, path)
    }
}

impl Case {
    /// Gives the samples to nginx, and writes what it is asked for.
    pub(super) fn save(&self, site: &Site) -> Result<()> {
        let mut asked = Vec::with_capacity(self.samples.len());
        for Sample { file, query, body } in &self.samples {
            let tag = site.put(&format!("{}{}{file}", self.root, self.before), body.as_bytes())?;
            asked.push(if self.is_conditional {
                conditional(file, &tag)
            } else {
                format!("{file}{query}")
            });
        }
        write_lines(&self.parts[1], asked)
    }

    /// What we are asked for.
    pub(in crate::bench) fn ours(&self) -> Requests<'_> {
        self.requests("/v1.0", &self.parts[0])
    }

    /// What nginx is asked for.
    pub(super) fn theirs(&self) -> Requests<'_> {
        self.requests(&self.root, &self.parts[1])
    }

    fn requests<'a>(&'a self, root: &str, parts: &'a Path) -> Requests<'a> {
        Requests {
            before: format!("GET {root}{}", self.before),
            parts,
            behind: self.behind.clone(),
            draw: self.draw,
        }
    }
}

/// The part of a request that asks for something that the client has already.
fn conditional(id: &str, tag: &str) -> String {
    format!("{id} HTTP/1.1\tIf-None-Match: {tag}")
}

/// The query of the link to the next page.
fn next_link(page: &str) -> Result<String> {
    let link = members::text(page, "@odata.nextLink").context("a page without a link")?;
    Ok(link.split_once('?').context("a link without a query")?.1.to_owned())
}

fn first_lines(file: &Path, count: usize) -> Result<Vec<String>> {
    Ok(BufReader::new(File::open(file)?).lines().take(count).collect::<Result<_, _>>()?)
}

fn write_lines(file: &Path, lines: impl IntoIterator<Item = impl AsRef<str>>) -> Result<()> {
    let mut out = BufWriter::new(File::create(file)?);
    for line in lines {
        writeln!(out, "{}", line.as_ref())?;
    }
    Ok(out.flush()?)
}
