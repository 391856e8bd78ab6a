//! The Graph SDKs, unmodified, against a server of ours: Microsoft's for Python and JavaScript over TLS
//! with tokens from our token endpoint, the community's for Rust over plain HTTP, since it can be told
//! no certificate. Beside them clients that know OData and nothing of Graph: odata2ts and python-odata,
//! which make theirs from our `$metadata`, o.js, `@odata/client`, odata-query and pandas. Each is a small
//! program under `clients/` that counts its own checks.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::instance::{Instance, TENANT, Tls};
use crate::sdks;
use xtask::process::{self, Tally};
use xtask::repository::{PROFILE, fresh_folder, root, target};

/// Records that the clients page through: more than two pages of 60.
const RECORDS: usize = 130;
/// Simulated calls among which a meeting of more than 60 sessions is found.
const CALLS: u32 = 2_000;
/// Simulated calls that leave more rows in a telephone log than a page holds.
const CALLS_WITH_ROWS: u32 = 6_000;

/// `clients`: runs the clients; `clients --prepare` only installs and builds what they need.
///
/// # Errors
/// When something can't be built or a check failed.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    match arguments {
        [] => {}
        [only] if only == "--prepare" => return prepare(),
        _ => bail!("clients [--prepare]"),
    }
    let mut tally = Tally::default();
    run_counted(&mut tally)
}

/// Brings the SDKs of others into the build folder, and builds the client in Rust.
fn prepare() -> Result<()> {
    for name in ["python", "odata-python"] {
        sdks::python_client(name)?;
    }
    for name in ["javascript", "odata2ts", "odata-javascript"] {
        sdks::node_client(name)?;
    }
    process::run(&mut rust_client("build"))
}

/// Runs the clients, one after the other, and counts their checks.
///
/// # Errors
/// When a client could not run to its end or a check failed; the others ran nevertheless.
fn run_counted(tally: &mut Tally) -> Result<()> {
    let python = sdks::python_client("python")?;
    let javascript = sdks::node_client("javascript")?;
    let odata2ts = sdks::node_client("odata2ts")?;
    let folder = fresh_folder("clients")?;
    let tls = certificate(&python, &folder)?;
    let store = Instance::new(PROFILE, folder.join("data"))?.with_tls(tls.clone());
    let records = records(&store, &folder)?;
    let mut asking = ClientSettings::new(&store, &tls, &records)?;
    let rows = folder.join("pstn.ndjson");
    store.fill_log("pstn", CALLS_WITH_ROWS, &rows)?;
    asking.set("CALLVAULT_ROWS", rows.display().to_string());

    let served = store.serve()?;
    let mut check = Command::new(&python);
    let by_python = asking.ask("Python", check.arg(root().join("clients/python/check.py")), tally);
    let mut check = Command::new("node");
    let by_javascript =
        asking.ask("JavaScript", check.arg("check.js").current_dir(&javascript), tally);
    let mut check = Command::new("node");
    let by_odata2ts = asking.ask("odata2ts", check.arg("check.mjs").current_dir(odata2ts), tally);
    let by_odata_clients = odata_clients(&asking, tally);
    served.stop()?;

    let plain = store.beside()?;
    let served = plain.serve()?;
    asking.set("CALLVAULT_URL", plain.url());
    asking.set("CALLVAULT_TOKEN", plain.token("CallRecords.Read.All")?);
    let by_rust = asking.ask("Rust", &mut rust_client("run"), tally);
    served.stop()?;

    // Last, since they add records to those that the others expect.
    let served = store.serve()?;
    asking.set("CALLVAULT_URL", store.url());
    let mut told = Command::new(&python);
    told.arg(root().join("clients/python/check.py")).arg("subscriptions");
    let python_told = asking.ask("Python, notifications", &mut told, tally);
    let mut told = Command::new("node");
    told.args(["check.js", "subscriptions"]).current_dir(&javascript);
    let javascript_told = asking.ask("JavaScript, notifications", &mut told, tally);
    served.stop()?;
    let asked = by_python.and(by_javascript).and(by_odata2ts).and(by_odata_clients).and(by_rust);
    asked.and(python_told).and(javascript_told)
}

/// Runs the OData clients that are told by hand what there is.
fn odata_clients(asking: &ClientSettings, tally: &mut Tally) -> Result<()> {
    let folder = sdks::node_client("odata-javascript")?;
    let python = sdks::python_client("odata-python")?;
    let javascript = [
        ("o.js", "ojs.js"),
        ("@odata/client", "odata-client.js"),
        ("odata-query", "odata-query.js"),
    ];
    let mut asked = Ok(());
    for (client, program) in javascript {
        let mut check = Command::new("node");
        asked = asked.and(asking.ask(client, check.arg(program).current_dir(&folder), tally));
    }
    for (client, program) in
        [("python-odata", "check_python_odata.py"), ("pandas", "check_pandas.py")]
    {
        let mut check = Command::new(&python);
        check.arg(root().join("clients/odata-python").join(program));
        asked = asked.and(asking.ask(client, &mut check, tally));
    }
    asked
}

/// What every client is told, as environment variables.
struct ClientSettings(Vec<(&'static str, String)>);

impl ClientSettings {
    /// Makes the two applications, one that may read and one that may only write.
    fn new(store: &Instance, tls: &Tls, records: &Path) -> Result<Self> {
        let reader = store.create_app("reader", "CallRecords.Read.All")?;
        let ingest = store.create_app("ingest", "CallRecords.Write.All")?;
        Ok(Self(vec![
            ("CALLVAULT_URL", store.url()),
            ("CALLVAULT_CERT", tls.certificate.display().to_string()),
            // The HTTP clients of Python and of Node read their trusted certificates from these.
            ("SSL_CERT_FILE", tls.certificate.display().to_string()),
            ("REQUESTS_CA_BUNDLE", tls.certificate.display().to_string()),
            ("NODE_EXTRA_CA_CERTS", tls.certificate.display().to_string()),
            ("CALLVAULT_RECORDS", records.display().to_string()),
            ("CALLVAULT_TENANT", TENANT.to_owned()),
            ("CALLVAULT_CLIENT_ID", reader.id),
            ("CALLVAULT_CLIENT_SECRET", reader.secret),
            ("CALLVAULT_INGEST_ID", ingest.id),
            ("CALLVAULT_INGEST_SECRET", ingest.secret),
        ]))
    }

    fn set(&mut self, name: &'static str, value: String) {
        self.0.retain(|(known, _)| *known != name);
        self.0.push((name, value));
    }

    fn ask(&self, client: &str, command: &mut Command, tally: &mut Tally) -> Result<()> {
        println!("-- {client}");
        let environment = self.0.iter().map(|(name, value)| (*name, value.as_str()));
        process::run_counted(command.envs(environment), tally)
            .with_context(|| format!("the {client} client"))
    }
}

/// A certificate for localhost that signs itself, made by the library that the Python SDK brings.
fn certificate(python: &Path, folder: &Path) -> Result<Tls> {
    let tls = Tls { certificate: folder.join("cert.pem"), key: folder.join("key.pem") };
    let mut make = Command::new(python);
    make.arg(root().join("clients/python/certificate.py")).arg(&tls.certificate).arg(&tls.key);
    process::run(&mut make)?;
    Ok(tls)
}

/// The records that the clients are to find: simulated ones, among them one meeting of more than 60
/// sessions. They are imported, and their file is given, one record a line.
fn records(store: &Instance, folder: &Path) -> Result<PathBuf> {
    let simulated = folder.join("simulated.ndjson");
    store.simulate(CALLS, 7, "realistic", &simulated)?;
    let chosen = folder.join("records.ndjson");
    let mut file = BufWriter::new(File::create(&chosen)?);
    let mut meeting: Option<String> = None;
    let mut ordinary = 0;
    for line in BufReader::new(File::open(&simulated)?).lines() {
        let line = line?;
        // A session holds its segments; the words can't stand inside a JSON string unescaped.
        let sessions = line.matches("\"segments\":").count();
        if sessions > 60 {
            if meeting.as_ref().is_none_or(|kept| line.len() < kept.len()) {
                meeting = Some(line);
            }
        } else if ordinary < RECORDS {
            ordinary += 1;
            writeln!(file, "{line}")?;
        }
    }
    let Some(meeting) = meeting else {
        bail!("no meeting of more than 60 sessions in {CALLS} calls")
    };
    writeln!(file, "{meeting}")?;
    file.flush()?;
    store.import(&chosen)?;
    Ok(chosen)
}

/// The check of the Rust client, a workspace of its own that is built apart from ours.
fn rust_client(command: &str) -> Command {
    let mut cargo = Command::new("cargo");
    cargo.args([command, "--quiet", "--locked"]).env_remove("RUSTC_WORKSPACE_WRAPPER");
    cargo.arg("--manifest-path").arg(root().join("clients/rust/Cargo.toml"));
    cargo.arg("--target-dir").arg(target().join("clients/rust"));
    cargo
}
