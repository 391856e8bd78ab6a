//! One guide, block by block.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use anyhow::{Context, Result, anyhow, bail, ensure};
use regex::{Captures, Regex};

use super::compare;
use super::machine::{Machine, Places};
use super::markdown::{Block, blocks};
use super::terminal::{Process, Terminal};
use xtask::repository::root;

/// A file of the clone that a guide links to by its name; readers save it in their folder.
static SAVED: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\[`[\w./-]+`\]\([./]*(clients/[\w./-]+\.\w+)\)").expect("sound"));
/// A variable whose value the reader takes from what was printed behind the label in the comment.
static FILLED: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"=…( +# the ([\w ]+))").expect("sound"));

/// What became of a guide.
pub(super) struct Outcome {
    pub(super) passed: usize,
    /// Blocks that were not run, each with its place and the reason.
    pub(super) not_run: Vec<String>,
    /// Line and reason of the block with which it ended.
    pub(super) failure: Option<String>,
}

/// Follows a guide from an empty folder, as far as it is true.
///
/// # Errors
/// When the folder can't be made.
pub(super) fn follow(name: &str, text: &str, machine: &Machine, is_short: bool) -> Result<Outcome> {
    let folder = machine.folder_for(name)?;
    for link in SAVED.captures_iter(text) {
        let file = root().join(&link[1]);
        fs::copy(&file, folder.join(file.file_name().unwrap_or_default()))
            .with_context(|| format!("the link to {}", &link[1]))?;
    }
    let blocks = blocks(text);
    let mut outcome = Outcome { passed: 0, not_run: Vec::new(), failure: None };
    let mut reader = Reader::new(folder, machine, &blocks);
    let mut is_left_out = false;
    for (at, block) in blocks.iter().enumerate() {
        let is_answer = is_answer(block, at.checked_sub(1).and_then(|at| blocks.get(at)));
        is_left_out = match &block.not_run {
            Some(reason) => {
                outcome.not_run.push(format!("{name}:{}: {reason}", block.line));
                true
            }
            None if is_short && block.has("slow") => {
                outcome.not_run.push(format!("{name}:{}: slow", block.line));
                true
            }
            None => is_left_out && is_answer,
        };
        if is_left_out {
            continue;
        }
        if let Err(error) = reader.take(block, is_answer) {
            outcome.failure = Some(format!("{}: {error:#}", block.line));
            return Ok(outcome);
        }
        outcome.passed += 1;
    }
    if let Err(error) = reader.stop_server() {
        outcome.failure = Some(format!("the server: {error:#}"));
    }
    Ok(outcome)
}

/// Whether a block shows what the one before it prints.
fn is_answer(block: &Block, before: Option<&Block>) -> bool {
    let is_behind_request = before.is_some_and(|before| before.language == "http");
    block.has("output") || block.language == "json" && block.follows && is_behind_request
}

/// Somebody who follows a guide.
struct Reader {
    folder: PathBuf,
    places: Places,
    variables: Vec<(String, String)>,
    terminal: Terminal,
    terminals: usize,
    server: Option<Process>,
    /// The terminal that it was started in.
    server_terminal: Option<Terminal>,
    /// What the last block printed, and all until then.
    last: Option<String>,
    all: String,
}

impl Reader {
    fn new(folder: PathBuf, machine: &Machine, blocks: &[Block]) -> Self {
        let places = Places::new();
        let mut variables = vec![
            ("HOME".to_owned(), machine.home().display().to_string()),
            ("PATH".to_owned(), machine.path()),
            ("PIP_DISABLE_PIP_VERSION_CHECK".to_owned(), "1".to_owned()),
        ];
        if !blocks.iter().any(|block| block.value("file") == Some("callvault.toml")) {
            variables.push(("CALLVAULT_SERVER__LISTEN".to_owned(), places.listen()));
            // Whether an answer is right does not depend on how busy the machine is.
            let patience = ("CALLVAULT_LIMITS__QUERY_MILLISECONDS".to_owned(), "60000".to_owned());
            variables.push(patience);
        }
        variables.push(("CALLVAULT_SERVER__ADMIN_LISTEN".to_owned(), "off".to_owned()));
        let terminal = Terminal::new(&folder, 0, &variables);
        Self {
            folder,
            places,
            variables,
            terminal,
            terminals: 0,
            server: None,
            server_terminal: None,
            last: None,
            all: String::new(),
        }
    }

    /// Does what a block says.
    fn take(&mut self, block: &Block, is_answer: bool) -> Result<()> {
        if is_answer {
            let printed = self.last.as_ref().context("nothing was printed before")?;
            return compare::difference(&block.text, printed)
                .map_or(Ok(()), |error| Err(anyhow!(error)));
        }
        let text = self.places.own(&block.text);
        if let Some(name) = block.value("file") {
            return fs::write(self.folder.join(name), text).with_context(|| name.to_owned());
        }
        let text = self.filled(&text)?;
        match block.language.as_str() {
            "sh" if block.has("server") => self.serve(&text, block.has("paste")),
            "toml" if block.has("settings") => {
                self.stop_server()?;
                fs::write(self.folder.join(".settings"), text)?;
                let serve = "callvault serve --config .settings --data-dir .data";
                self.run_until(serve, "listening on ").map(drop)
            }
            "sh" => {
                let printed = match block.value("interrupt") {
                    Some(until) => self.run_until(&text, until)?,
                    None => self.terminal.run(&text)?,
                };
                self.note(printed);
                Ok(())
            }
            "http" => {
                let mut printed = String::new();
                for (number, request) in requests(&text).iter().enumerate() {
                    printed += &self.terminal.run(&curl(request, &self.folder, number)?)?;
                    printed.push('\n');
                }
                self.note(printed);
                Ok(())
            }
            language => bail!("a block of {language:?} neither runs nor says why not"),
        }
    }

    fn note(&mut self, printed: String) {
        self.all += &printed;
        self.last = Some(printed);
    }

    /// A text with what the reader fills in.
    fn filled(&self, text: &str) -> Result<String> {
        let value = |found: &Captures<'_>| {
            let label = &found[2];
            let mut lines = self.all.lines().rev().filter_map(|line| line.strip_prefix(label));
            let value = lines.find_map(|rest| rest.split_whitespace().next());
            format!("={}{}", value.unwrap_or("…"), &found[1])
        };
        let filled = FILLED.replace_all(text, value).into_owned();
        ensure!(!filled.contains("=…"), "nothing was printed that fills in the value");
        Ok(filled)
    }

    fn serve(&mut self, command: &str, is_pasted: bool) -> Result<()> {
        self.stop_server()?;
        self.terminals += 1;
        let new = Terminal::new(&self.folder, self.terminals, &self.variables);
        let last = std::mem::replace(&mut self.terminal, new);
        // Where the server before was interrupted, if there was one: what was pasted is not known there.
        let terminal = self.server_terminal.take().unwrap_or(last);
        let mut server = terminal.start(command)?;
        server.wait_for("listening on ", None)?;
        self.server_terminal = Some(terminal);
        if is_pasted {
            // It is printed behind them.
            server.wait_for("\ncallvault list ", None)?;
            let printed = server.printed();
            let is_variable = |line: &&str| line.starts_with("export ");
            let pasted: Vec<&str> = printed.lines().filter(is_variable).collect();
            self.terminal.run(&format!("set -a\n{}\nset +a", pasted.join("\n")))?;
        }
        self.last = None;
        self.server = Some(server);
        Ok(())
    }

    fn run_until(&mut self, command: &str, until: &str) -> Result<String> {
        let mut running = self.terminal.start(command)?;
        running.wait_for(until, self.server.as_ref())?;
        running.interrupt()
    }

    fn stop_server(&mut self) -> Result<()> {
        self.server.take().map_or(Ok(()), |server| server.interrupt().map(drop))
    }
}

/// A request as a guide shows it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Request {
    method: String,
    target: String,
    headers: Vec<String>,
    body: String,
}

/// The requests of a block: each a line with method and URL, which goes on in lines that are indented, then
/// header lines, and behind an empty line a body.
fn requests(text: &str) -> Vec<Request> {
    let mut found: Vec<Request> = Vec::new();
    let mut is_body = false;
    for line in text.lines() {
        let method = line.split(' ').next().unwrap_or_default();
        if ["GET", "POST", "PUT", "PATCH", "DELETE"].contains(&method) {
            let target = line[method.len()..].trim().to_owned();
            found.push(Request { method: method.to_owned(), target, ..Request::default() });
            is_body = false;
        } else if let Some(request) = found.last_mut() {
            if is_body {
                writeln!(request.body, "{line}").expect("text can be written");
            } else if line.is_empty() {
                is_body = true;
            } else if line.starts_with(' ') {
                let line = line.trim();
                let is_apart = line.starts_with(['&', '/', '?']) || request.target.ends_with(',');
                request.target += if is_apart { "" } else { " " };
                request.target += line;
            } else {
                request.headers.push(line.to_owned());
            }
        }
    }
    found
}

/// The command that sends a request.
fn curl(request: &Request, folder: &Path, number: usize) -> Result<String> {
    let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    let mut target = path.to_owned();
    if !query.is_empty() {
        let query = query.replace('%', "%25").replace(' ', "%20").replace('"', "%22");
        write!(target, "?{}", query.replace('+', "%2B").replace('#', "%23").replace('\'', "%27"))?;
    }
    let mut command =
        format!("curl -s -g -X {} -H \"Authorization: Bearer $TOKEN\"", request.method);
    for header in &request.headers {
        write!(command, " -H '{header}'")?;
    }
    if !request.body.trim().is_empty() {
        let file = folder.join(format!(".body-{number}"));
        fs::write(&file, request.body.trim_end())?;
        write!(command, " --data-binary @{}", file.display())?;
    }
    write!(command, " \"http://$CALLVAULT_SERVER__LISTEN\"'{target}'")?;
    Ok(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read_as_they_are_shown() {
        let text = "GET /a?$filter=b eq 'c'\n  and d&$select=e,\n  f\nPOST /g\nContent-Type: text/plain\n\nh\ni\n";
        let found = requests(text);
        let [get, post] = &found[..] else { panic!("{found:?}") };
        assert_eq!(get.target, "/a?$filter=b eq 'c' and d&$select=e,f");
        assert_eq!((post.method.as_str(), post.headers.len()), ("POST", 1));
        assert_eq!(post.body, "h\ni\n");
    }

    #[test]
    fn a_block_that_is_nothing_to_do_is_an_error() {
        let machine_of = |text: &str| blocks(text).remove(0);
        let block = machine_of("```toml\nx = 1\n```\n");
        assert!(!is_answer(&block, None) && block.value("file").is_none());
    }
}
