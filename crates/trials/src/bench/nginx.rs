//! The reference for reads: an nginx of our own with one worker, which serves our answers from files,
//! with our header lines, as fast as it can.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::instance::Tls;
use xtask::process;

/// What an nginx serves.
pub(super) struct Site {
    folder: PathBuf,
    /// Names and values of header lines that each answer has.
    lines: Vec<(String, String)>,
    /// The type of the content.
    content_type: String,
}

/// A running nginx.
pub(super) struct Nginx {
    child: Child,
    /// The process that answers.
    pub(super) worker: u32,
    pub(super) url: String,
}

/// Header lines that nginx makes by itself.
const ITS_OWN: [&str; 8] = [
    "content-length",
    "content-type",
    "date",
    "etag",
    "connection",
    "server",
    "content-encoding",
    "transfer-encoding",
];

impl Site {
    /// An empty site whose answers have the lines of one of ours.
    pub(super) fn new(folder: &Path, answered: &[(String, String)]) -> Result<Self> {
        fs::create_dir_all(folder.join("files"))?;
        let line = |name: &str| {
            let found = answered.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value.clone())
        };
        let content_type = line("content-type").unwrap_or_else(|| "application/json".to_owned());
        let lines = answered
            .iter()
            .filter(|(name, _)| !ITS_OWN.iter().any(|own| own.eq_ignore_ascii_case(name)));
        Ok(Self { folder: folder.to_owned(), lines: lines.cloned().collect(), content_type })
    }

    /// Puts an answer under a path without a query; gives the tag that nginx will give it.
    pub(super) fn put(&self, path: &str, body: &[u8]) -> Result<String> {
        let file = self.folder.join("files").join(path.trim_start_matches('/'));
        fs::create_dir_all(file.parent().context("a file has a folder")?)?;
        fs::write(&file, body)?;
        let written = fs::metadata(&file)?;
        let seconds = written.modified()?.duration_since(std::time::UNIX_EPOCH)?.as_secs();
        Ok(format!("\"{seconds:x}-{:x}\"", written.len()))
    }

    /// Starts an nginx with one worker on a core.
    pub(super) fn serve(&self, core: &str, tls: Option<&Tls>) -> Result<Nginx> {
        let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let file = self.folder.join("nginx.conf");
        fs::write(&file, self.settings(port, tls)?)?;
        let mut nginx = Command::new("nginx");
        nginx.arg("-c").arg(&file).arg("-p").arg(&self.folder);
        // Its worker must be able to read what we saved, whoever we are.
        if process::output(Command::new("id").arg("-u"))?.trim() == "0" {
            nginx.args(["-g", "user root;"]);
        }
        let child = super::pinned(core, &nginx).spawn().context("can't start nginx")?;
        std::thread::sleep(Duration::from_millis(500));
        let children = format!("/proc/{0}/task/{0}/children", child.id());
        let worker = fs::read_to_string(children)?;
        let worker = worker.split_whitespace().next().context("nginx has no worker")?.parse()?;
        let url = match tls {
            Some(_) => format!("https://localhost:{port}"),
            None => format!("http://127.0.0.1:{port}"),
        };
        Ok(Nginx { child, worker, url })
    }

    fn settings(&self, port: u16, tls: Option<&Tls>) -> Result<String> {
        let here = self.folder.display();
        let mut lines = String::new();
        for (name, value) in &self.lines {
            ensure!(!value.contains('\''), "a header line with a quote");
            // nginx makes ids too.
            let value = if name.ends_with("request-id") { "$request_id" } else { value };
            writeln!(lines, "add_header {name} '{value}';")?;
        }
        let listen = match tls {
            None => format!("listen 127.0.0.1:{port};"),
            Some(tls) => format!(
                "listen 127.0.0.1:{port} ssl; ssl_certificate {}; ssl_certificate_key {};\n\
                 ssl_protocols TLSv1.3; ssl_session_cache off;",
                tls.certificate.display(),
                tls.key.display()
            ),
        };
        Ok(format!(
            "worker_processes 1; daemon off; pid {here}/nginx.pid; error_log {here}/error.log;\n\
             events {{ worker_connections 1024; }}\n\
             http {{ access_log off; sendfile on; tcp_nopush on; tcp_nodelay on; etag on;\n\
               keepalive_requests 1000000000; open_file_cache max=15000 inactive=1h;\n\
               open_file_cache_valid 1h; server_tokens off;\n\
               gzip on; gzip_types *; gzip_comp_level 1; gzip_min_length 1000;\n\
               default_type '{}'; client_body_temp_path {here}/t1; proxy_temp_path {here}/t2;\n\
               fastcgi_temp_path {here}/t3; uwsgi_temp_path {here}/t4; scgi_temp_path {here}/t5;\n\
               {lines}\
               server {{ {listen} root {here}/files; }} }}\n",
            self.content_type
        ))
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Asked, so that it ends its worker too; there is nothing to do if it has ended already.
        process::works("kill", &["-TERM", &self.child.id().to_string()]);
        let _ = self.child.wait();
    }
}
