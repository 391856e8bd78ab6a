//! Requests a second of GET by id, basic and expanded, against nginx serving the same bytes from files,
//! by 32 kept connections of wrk.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use super::{LOAD, MEASURED, median, pinned};
use crate::http::Connection;
use crate::instance::Instance;
use crate::process;
use crate::served::Served;

/// Records that are asked for, in turn.
const ASKED: usize = 2_000;
const EXPANDED: &str = "?$expand=sessions($expand=segments)";
const COLLECTION: &str = "/v1.0/communications/callRecords/";

/// Measures both forms by turns, three times each, and prints the ratios of the medians.
pub(super) fn measure(store: &Instance, records: &Path, folder: &Path) -> Result<()> {
    for program in ["nginx", "wrk"] {
        if !process::works(program, &["-v"]) && Command::new(program).arg("-v").output().is_err() {
            bail!("the benchmark of reads needs {program}");
        }
    }
    let token = store.token("CallRecords.Read.All")?;
    // Neither server writes a line for each request.
    let mut serve = pinned(MEASURED, &store.serve_command());
    let server = Served::start(serve.env("CALLVAULT_LOG__LEVEL", "warn"))?;
    let ids = ids(records)?;
    for (form, query) in [("basic", ""), ("expanded", EXPANDED)] {
        let site = folder.join(form);
        let bytes = save(store, &token, &ids, query, &site)?;
        let nginx = Nginx::start(&site)?;
        let ours = Load::new(
            &site,
            "ours",
            store.url(),
            &ids,
            |id| format!("{COLLECTION}{id}{query}"),
            &token,
        )?;
        let theirs =
            Load::new(&site, "nginx", nginx.url.clone(), &ids, |id| format!("/{id}"), &token)?;
        let (mut of_ours, mut of_theirs) = (Vec::new(), Vec::new());
        for _ in 0..3 {
            of_ours.push(ours.run()?);
            of_theirs.push(theirs.run()?);
        }
        let (ours, theirs) = (median(of_ours), median(of_theirs));
        println!(
            "get {form:<10} {ours:>9.0} requests/s  nginx {theirs:>9.0}  ratio {:.2}  ({bytes} bytes each)",
            ours / theirs
        );
    }
    server.stop()
}

/// The ids of the first records.
fn ids(records: &Path) -> Result<Vec<String>> {
    let mut ids = Vec::new();
    for line in BufReader::new(File::open(records)?).lines() {
        let line = line?;
        // The record's own id stands first or last on its line; those of parts in between.
        let id = if let Some((_, rest)) = line.split_once("{\"id\":\"") {
            rest.split('"').next()
        } else {
            line.rsplit_once("\"id\":\"").and_then(|(_, rest)| rest.split('"').next())
        };
        let id = id.context("a record without id")?.to_owned();
        if !ids.contains(&id) {
            ids.push(id);
        }
        if ids.len() == ASKED {
            break;
        }
    }
    Ok(ids)
}

/// Saves our answers as files for nginx, and gives their mean size.
fn save(store: &Instance, token: &str, ids: &[String], query: &str, site: &Path) -> Result<usize> {
    fs::create_dir_all(site.join("files"))?;
    let mut connection = Connection::open(&store.url())?;
    let mut bytes = 0;
    for id in ids {
        let (status, body) = connection.get(&format!("{COLLECTION}{id}{query}"), token)?;
        ensure!(status == 200, "record {id}: {status} {body:.300}");
        bytes += body.len();
        fs::write(site.join("files").join(id), body)?;
    }
    Ok(bytes / ids.len().max(1))
}

/// An nginx of our own with one worker, serving files as fast as it can.
struct Nginx {
    child: Child,
    url: String,
}

impl Nginx {
    fn start(site: &Path) -> Result<Self> {
        let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let here = site.display();
        let settings = format!(
            "worker_processes 1; daemon off; pid {here}/nginx.pid; error_log {here}/error.log;\n\
             events {{ worker_connections 1024; }}\n\
             http {{ access_log off; sendfile on; tcp_nopush on; tcp_nodelay on;\n\
               keepalive_requests 1000000000; open_file_cache max=10000 inactive=1h;\n\
               default_type application/json; client_body_temp_path {here}/t1; proxy_temp_path {here}/t2;\n\
               fastcgi_temp_path {here}/t3; uwsgi_temp_path {here}/t4; scgi_temp_path {here}/t5;\n\
               server {{ listen 127.0.0.1:{port}; root {here}/files; }} }}\n"
        );
        let file = site.join("nginx.conf");
        fs::write(&file, settings)?;
        // Its worker must be able to read what we saved, whoever we are.
        let mut nginx = Command::new("nginx");
        nginx.arg("-c").arg(&file).arg("-p").arg(site);
        if process::output(Command::new("id").arg("-u"))?.trim() == "0" {
            nginx.args(["-g", "user root;"]);
        }
        let child = pinned(MEASURED, &nginx).spawn().context("can't start nginx")?;
        std::thread::sleep(Duration::from_millis(500));
        Ok(Self { child, url: format!("http://127.0.0.1:{port}") })
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Asked, so that it ends its worker too; there is nothing to do if it has ended already.
        process::works("kill", &["-TERM", &self.child.id().to_string()]);
        let _ = self.child.wait();
    }
}

/// A load of wrk that asks for every record in turn.
struct Load {
    url: String,
    script: PathBuf,
}

impl Load {
    fn new(
        site: &Path,
        name: &str,
        url: String,
        ids: &[String],
        path: impl Fn(&str) -> String,
        token: &str,
    ) -> Result<Self> {
        let mut lua = String::from("local requests = {}\nlocal next = 0\nfunction init(args)\n");
        writeln!(lua, "  wrk.headers['Authorization'] = 'Bearer {token}'")?;
        for id in ids {
            writeln!(lua, "  requests[#requests + 1] = wrk.format('GET', [[{}]])", path(id))?;
        }
        lua.push_str("end\nfunction request()\n  next = next % #requests + 1\n  return requests[next]\nend\n");
        let script = site.join(format!("{name}.lua"));
        fs::write(&script, lua)?;
        Ok(Self { url, script })
    }

    /// Runs for some seconds and gives the requests a second.
    fn run(&self) -> Result<f64> {
        let mut wrk = Command::new("wrk");
        wrk.args(["-t1", "-c32", "-d6s", "-s"]).arg(&self.script).arg(&self.url);
        let said = process::output(&mut pinned(LOAD, &wrk))?;
        ensure!(!said.contains("Non-2xx"), "not every answer was 200:\n{said}");
        let rate = said.lines().find_map(|line| line.strip_prefix("Requests/sec:"));
        rate.context("wrk tells no rate")?.trim().parse().context("wrk's rate")
    }
}
