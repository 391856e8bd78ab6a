//! An identity provider that answers as it is told.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use identity::{Fetch, FetchAnswer, FetchFailure, FetchFuture, FetchLimits};
use tokio::sync::Notify;

const BASE: &str = "https://provider.contoso.example";

/// What a path answers.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// 200 with JSON.
    Json(String),
    /// Another status, with a body that would be good JSON at 200.
    Status(u16, String),
    /// The connection is closed without a word.
    Nothing,
    /// More than whoever asks will take.
    TooMuch,
    /// 200 with JSON, once it is told to go on.
    Held(Arc<Notify>, String),
}

#[derive(Debug, Default)]
struct Script {
    replies: HashMap<String, Reply>,
    asked: Vec<(String, FetchLimits)>,
}

/// A provider with what fetches from it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Provider {
    script: Arc<Mutex<Script>>,
}

/// The URL of a path of the provider.
pub(crate) fn url(path: &str) -> String {
    format!("{BASE}{path}")
}

impl Provider {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Says what a path answers from now on. A path that nothing was said of answers 404.
    pub(crate) fn set(&self, path: &str, reply: Reply) {
        self.script.lock().expect("sound").replies.insert(path.to_owned(), reply);
    }

    /// How often a path was asked for.
    pub(crate) fn asked(&self, path: &str) -> usize {
        self.limits(path).len()
    }

    /// What the answers of a path could take.
    pub(crate) fn limits(&self, path: &str) -> Vec<FetchLimits> {
        let script = self.script.lock().expect("sound");
        let asked = script.asked.iter().filter(|(asked, _)| asked == path);
        asked.map(|(_, limits)| *limits).collect()
    }

    /// Notes that a URL is asked for, and gives what it answers.
    fn take(&self, url: &str, limits: FetchLimits) -> Option<Reply> {
        let path = url.strip_prefix(BASE).expect("a URL of this provider");
        let mut script = self.script.lock().expect("sound");
        script.asked.push((path.to_owned(), limits));
        script.replies.get(path).cloned()
    }
}

impl Fetch for Provider {
    fn fetch<'a>(&'a self, url: &'a str, limits: FetchLimits) -> FetchFuture<'a> {
        Box::pin(async move {
            let (status, body) = match self.take(url, limits) {
                Some(Reply::Json(body)) => (200, body),
                Some(Reply::Status(status, body)) => (status, body),
                Some(Reply::Nothing) => return Err(FetchFailure::Failed("nothing came".into())),
                Some(Reply::TooMuch) => return Err(FetchFailure::TooBig),
                Some(Reply::Held(go, body)) => {
                    go.notified().await;
                    (200, body)
                }
                None => (404, String::new()),
            };
            Ok(FetchAnswer { status, body: body.into_bytes() })
        })
    }
}
