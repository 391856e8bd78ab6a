//! A worker on a clock that only goes on when nobody has anything left to do: so limits of time are
//! kept to the tick, however slow the machine is.

use std::net::Ipv6Addr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use identity::Grant;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::runtime::{Builder, LocalOptions};
use tokio::time::Instant;
use web::connection;
use web::connection_table::Peer;
use web::serve::{drain, secured, share};
use web::tls::Tls;
use web::{Application, Times, Worker};

use super::lifetime::certify;
use super::rig::{APP, Bare, TENANT};
use crate::app::{App, AppShared};
use crate::caller::role;
use crate::start::split;

const HEAD: Duration = Duration::from_secs(10);
const IDLE: Duration = Duration::from_mins(1);
const BODY_IDLE: Duration = Duration::from_secs(30);
const BODY: Duration = Duration::from_mins(1);
const BODY_RATE: u64 = 100;
const DRAIN: Duration = Duration::from_secs(7);
/// As often a connection is looked at, so as much later it may be closed.
const TICK: Duration = Duration::from_secs(2);
/// Between two lines of a client that trickles, which so notices late that it was cut off.
const TRICKLE: Duration = Duration::from_millis(500);

const ASKED: &str = "GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n";

/// Runs a test beside a worker.
fn beside_worker<F: Future<Output = ()>>(test: impl FnOnce(Rc<App>) -> F) {
    let bare = Bare::new();
    let mut options = bare.options();
    options.limits.head = HEAD;
    options.limits.idle = IDLE;
    options.limits.body_idle = BODY_IDLE;
    options.limits.body = BODY;
    options.limits.body_rate = BODY_RATE;
    options.limits.drain = DRAIN;
    let (options, share_of_app) = split(options).unwrap();
    let shared = Arc::new(share(options, "127.0.0.1:8080".parse().unwrap(), 1).unwrap());
    let of_app = Arc::new(share_of_app.make(&shared).unwrap());
    let of_app = Arc::new(AppShared { shared: of_app, pages: None });
    let runtime = Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build_local(LocalOptions::default())
        .unwrap();
    runtime.block_on(async move {
        let worker = Worker::new(shared, 0).unwrap();
        test(Rc::new(App::new(worker, of_app).unwrap())).await;
    });
}

/// A connection to the worker.
struct Client(DuplexStream);

impl Client {
    fn of(app: &Rc<App>) -> Self {
        Self::with_room(app, 64 << 10)
    }

    /// One whose answers wait where so many bytes are not taken yet.
    fn with_room(app: &Rc<App>, bytes: usize) -> Self {
        let (ours, theirs) = tokio::io::duplex(bytes);
        let times = Times { head: HEAD, idle: IDLE, least_rate: BODY_RATE };
        tokio::task::spawn_local(connection::serve(
            Rc::clone(app),
            Arc::new(Peer::new(Ipv6Addr::LOCALHOST.into())),
            theirs,
            times,
        ));
        Self(ours)
    }

    async fn send(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.unwrap();
    }

    /// Asks for something that is not there, and reads the answer.
    async fn ask(&mut self) {
        self.send(ASKED).await;
        assert_eq!(self.status().await, 404);
    }

    /// The status of an answer, which is read to its end.
    async fn status(&mut self) -> u16 {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.0.read_u8().await.unwrap());
        }
        let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
        let length = head.split("content-length: ").nth(1).unwrap();
        let length: usize = length.lines().next().unwrap().parse().unwrap();
        self.0.read_exact(&mut vec![0; length]).await.unwrap();
        head.split(' ').nth(1).unwrap().parse().unwrap()
    }

    /// Begins a request with a body of ten bytes, and sends three of them.
    async fn begin_body(&mut self) {
        self.send(&format!(
            "POST /{TENANT}/oauth2/v2.0/token HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc"
        ))
        .await;
    }

    /// When the server closes it.
    async fn closed(mut self) -> Instant {
        assert_eq!(self.0.read(&mut [0; 1]).await.unwrap(), 0);
        Instant::now()
    }
}

#[track_caller]
fn is_after(closed: Instant, began: Instant, limit: Duration) {
    let after = closed - began;
    assert!(limit <= after && after <= limit + TICK + TRICKLE, "{after:?} and not {limit:?}");
}

#[test]
fn a_connection_that_says_nothing_is_closed_when_a_head_is_overdue() {
    beside_worker(|app| async move {
        let began = Instant::now();
        is_after(Client::of(&app).closed().await, began, HEAD);
    });
}

#[test]
fn a_head_that_trickles_in_is_cut_off_while_others_are_served() {
    beside_worker(|app| async move {
        let (mut slow, mut other) = (Client::of(&app), Client::of(&app));
        slow.ask().await;
        let began = Instant::now();
        slow.send("GET /nowhere HTTP/1.1\r\nHost: x\r\n").await;
        while slow.0.write_all(b"X: y\r\n").await.is_ok() {
            other.ask().await;
            tokio::time::sleep(TRICKLE).await;
        }
        is_after(Instant::now(), began, HEAD);
        other.ask().await;
    });
}

#[test]
fn an_idle_connection_is_kept_for_a_while_and_then_closed() {
    beside_worker(|app| async move {
        let mut client = Client::of(&app);
        for _ in 0..2 {
            client.ask().await;
            // Longer than a head may take: between requests a client may wait.
            tokio::time::sleep(IDLE.saturating_sub(TICK)).await;
        }
        client.ask().await;
        let began = Instant::now();
        is_after(client.closed().await, began, IDLE);
    });
}

#[test]
fn a_body_that_stops_arriving_is_408() {
    beside_worker(|app| async move {
        let mut client = Client::of(&app);
        client.begin_body().await;
        let began = Instant::now();
        assert_eq!(client.status().await, 408);
        is_after(Instant::now(), began, BODY_IDLE);
        is_after(client.closed().await, began, BODY_IDLE);
    });
}

#[test]
fn a_body_that_drips_is_408_when_its_time_is_used_up() {
    beside_worker(|app| async move {
        let mut client = Client::of(&app);
        let began = Instant::now();
        client
            .send(&format!(
                "POST /{TENANT}/oauth2/v2.0/token HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n"
            ))
            .await;
        let drip = Duration::from_secs(8);
        for _ in 0..7 {
            tokio::time::sleep(drip).await;
            client.send("d").await;
        }
        assert_eq!(client.status().await, 408);
        is_after(Instant::now(), began, BODY);
        is_after(client.closed().await, began, BODY);
    });
}

#[test]
fn a_body_that_keeps_the_rate_may_take_long() {
    beside_worker(|app| async move {
        let mut client = Client::of(&app);
        let (piece, count) = ("d".repeat(20 * BODY_RATE as usize), 8);
        client
            .send(&format!(
                "POST /{TENANT}/oauth2/v2.0/token HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n",
                piece.len() * count
            ))
            .await;
        for _ in 0..count {
            tokio::time::sleep(Duration::from_secs(20)).await;
            client.send(&piece).await;
        }
        assert_eq!(client.status().await, 400, "it is no form that asks for a token");
    });
}

#[test]
fn an_answer_that_is_taken_in_drips_is_cut_off() {
    beside_worker(|app| async move {
        let mut client = Client::with_room(&app, 64);
        client.send("GET /v1.0/$metadata HTTP/1.1\r\nHost: x\r\n\r\n").await;
        let (began, mut taken) = (Instant::now(), 0);
        while let Ok(count) = client.0.read(&mut [0; 32]).await
            && count > 0
        {
            taken += count as u64;
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        let (after, limit) = (began.elapsed(), IDLE + Duration::from_secs(taken / BODY_RATE));
        // What was in the client's buffer when it was cut off is taken in drips too.
        assert!(limit <= after && after <= limit + 3 * TICK, "{after:?} and not {limit:?}");
        assert_eq!(app.worker().shared.answer_budget.used(), 0);
    });
}

#[test]
fn draining_waits_for_requests_in_flight_but_not_for_ever() {
    beside_worker(|app| async move {
        let (mut stuck, mut idle) = (Client::of(&app), Client::of(&app));
        idle.ask().await;
        stuck.begin_body().await;
        // Time goes on when the worker has read what was sent.
        tokio::time::sleep(TICK).await;
        let began = Instant::now();
        let (closed, ()) = tokio::join!(idle.closed(), drain(app.worker()));
        is_after(closed, began, Duration::ZERO);
        is_after(Instant::now(), began, DRAIN);
    });
}

#[test]
fn a_handshake_that_stalls_is_given_up() {
    beside_worker(|_| async move {
        let (_stalled, theirs) = tokio::io::duplex(64 << 10);
        let folder = Bare::new();
        let tls = Tls::load(&certify(&folder.folder).0).unwrap();
        let began = Instant::now();
        assert!(secured(&tls, theirs, HEAD).await.is_none());
        is_after(Instant::now(), began, HEAD);
    });
}

/// Requests that were answered.
fn answered(app: &App) -> u64 {
    let metrics = app.worker().shared.expose_metrics();
    let lines = metrics.lines().filter(|line| line.starts_with("callvault_requests_total"));
    lines.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
}

#[test]
fn requests_behind_each_other_let_others_have_their_turn() {
    beside_worker(|app| async move {
        let (mut many, mut other) = (Client::of(&app), Client::of(&app));
        other.ask().await;
        many.send(&ASKED.repeat(60)).await;
        other.ask().await;
        let so_far = answered(&app);
        assert!(so_far < 10, "{so_far} were answered before");
        for _ in 0..60 {
            assert_eq!(many.status().await, 404);
        }
    });
}

#[test]
fn members_of_a_batch_let_others_have_their_turn() {
    beside_worker(|app| async move {
        let (mut many, mut other) = (Client::of(&app), Client::of(&app));
        other.ask().await;
        let roles = [role::READ.to_owned()];
        let grant = Grant { tenant: TENANT, app_id: APP, roles: &roles, ttl: 3_600 };
        let token = app.worker().shared.issuer.issue(&grant, web::unix_seconds()).unwrap();
        let member = |id: usize| format!(r#"{{"id":"{id}","method":"GET","url":"/nowhere"}}"#);
        let members: Vec<String> = (0..20).map(member).collect();
        let body = format!(r#"{{"requests":[{}]}}"#, members.join(","));
        let length = body.len();
        many.send(&format!(
            "POST /v1.0/$batch HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        ))
        .await;
        other.ask().await;
        let so_far = answered(&app);
        assert!(so_far < 10, "{so_far} were answered before");
        assert_eq!(many.status().await, 200);
    });
}
