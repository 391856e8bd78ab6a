//! An identity provider's HTTP server that answers as it is told.

use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex};

/// What a path answers.
#[derive(Clone)]
pub(crate) enum Reply {
    /// 200 with JSON.
    Json(String),
    /// Another status, with a body that would be good JSON at 200.
    Status(u16, String),
    /// 302 to a URL.
    Redirect(String),
    /// The connection is closed without a word.
    Nothing,
    /// 200 with JSON, each time once the sender says so, or is gone.
    Held(Arc<Mutex<Receiver<()>>>, String),
}

#[derive(Default)]
struct Script {
    replies: HashMap<String, Reply>,
    asked: Vec<String>,
}

/// A server on this machine, which lives as long as the test process.
pub(crate) struct Provider {
    address: SocketAddr,
    script: Arc<Mutex<Script>>,
}

impl Provider {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("bound");
        let script = Arc::new(Mutex::new(Script::default()));
        let shared = Arc::clone(&script);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let script = Arc::clone(&shared);
                std::thread::spawn(move || answer(stream, &script));
            }
        });
        Self { address, script }
    }

    /// The URL of a path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Says what a path answers from now on. A path that nothing was said of answers 404.
    pub(crate) fn set(&self, path: &str, reply: Reply) {
        self.script.lock().expect("sound").replies.insert(path.to_owned(), reply);
    }

    /// How often a path was asked for.
    pub(crate) fn asked(&self, path: &str) -> usize {
        let script = self.script.lock().expect("sound");
        script.asked.iter().filter(|asked| *asked == path).count()
    }
}

fn answer(mut stream: TcpStream, script: &Mutex<Script>) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).unwrap_or(0) == 0 {
            return;
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head);
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let reply = {
        let mut script = script.lock().expect("sound");
        script.asked.push(path.clone());
        script.replies.get(&path).cloned()
    };
    let (status, location, body) = match reply {
        Some(Reply::Json(body)) => (200, String::new(), body),
        Some(Reply::Held(go, body)) => {
            // An error is the sender's end: nothing is held any more.
            let _ = go.lock().expect("sound").recv();
            (200, String::new(), body)
        }
        Some(Reply::Status(status, body)) => (status, String::new(), body),
        Some(Reply::Redirect(url)) => (302, format!("location: {url}\r\n"), String::new()),
        Some(Reply::Nothing) => return,
        None => (404, String::new(), String::new()),
    };
    let text = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\n{location}content-length: {}\r\n\
         connection: close\r\n\r\n{body}",
        body.len()
    );
    // A client that gave up is no fault of the server's.
    let _ = stream.write_all(text.as_bytes());
}
