//! Starting, TLS, HTTP/2, stopping.

use std::net::TcpStream;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use http_body_util::{BodyExt, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use web::{Listeners, TlsFiles};

use super::client::Connection;
use super::rig::{PATIENCE, Rig, TENANT};
use crate::start_error::StartError;

/// Makes a certificate for `localhost` and writes its files.
pub(super) fn certify(folder: &Path) -> (TlsFiles, CertificateDer<'static>) {
    let files = TlsFiles { certificate: folder.join("cert.pem"), key: folder.join("key.pem") };
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    std::fs::write(&files.certificate, made.cert.pem()).unwrap();
    std::fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
    (files, made.cert.der().clone())
}

fn trusting(certificate: CertificateDer<'static>) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

fn secured(
    rig: &Rig,
    config: ClientConfig,
) -> Connection<StreamOwned<ClientConnection, TcpStream>> {
    let name = ServerName::try_from("localhost").unwrap();
    let session = ClientConnection::new(Arc::new(config), name).unwrap();
    let stream = TcpStream::connect(rig.address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    Connection(StreamOwned::new(session, stream))
}

fn temporary() -> std::path::PathBuf {
    let folder = std::env::temp_dir().join(format!("callvault-{}", identity::random_guid()));
    std::fs::create_dir(&folder).unwrap();
    folder
}

#[test]
fn tls_serves_by_the_files_and_takes_up_new_ones() {
    let folder = temporary();
    let (files, first) = certify(&folder);
    let rig = Rig::with(|options| options.tls = Some(files));
    let running = rig.running.as_ref().unwrap();
    assert!(running.public_url.starts_with("https://127.0.0.1:"));
    let mut kept = secured(&rig, trusting(first.clone()));
    let answer = kept.ask("GET", "/v1.0/$metadata", &[]);
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("strict-transport-security"), Some("max-age=31536000"));

    let (_, second) = certify(&folder);
    running.reload_tls().unwrap();
    assert_eq!(secured(&rig, trusting(second)).ask("GET", "/nowhere", &[]).status, 404);
    assert_eq!(kept.ask("GET", "/nowhere", &[]).status, 404, "open connections stay");

    let key = std::fs::read(folder.join("key.pem")).unwrap();
    certify(&folder);
    std::fs::write(folder.join("key.pem"), key).unwrap();
    let other = running.reload_tls().unwrap_err().to_string();
    assert!(other.contains("is not the key of the certificate in"), "{other}");
    std::fs::write(folder.join("key.pem"), "damaged").unwrap();
    assert!(matches!(running.reload_tls(), Err(web::StartError::Certificate { .. })));
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn plain_http_on_a_tls_port_is_told_so() {
    let folder = temporary();
    let (files, certificate) = certify(&folder);
    let rig = Rig::with(|options| options.tls = Some(files));
    let mut plain = rig.connect();
    let answer = plain.ask("GET", "/", &[]);
    assert_eq!((answer.status, answer.code().as_str()), (400, "BadRequest"));
    assert!(answer.text().contains("https://"), "{}", answer.text());
    assert!(plain.is_closed_by_server());
    // What is neither TLS nor HTTP gets an alert.
    let mut noise = rig.connect();
    noise.send([1; 64]);
    while !noise.is_closed_by_server() {}
    assert_eq!(secured(&rig, trusting(certificate)).ask("GET", "/nowhere", &[]).status, 404);
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_handshake_that_stalls_is_cut_off() {
    let folder = temporary();
    let (files, _) = certify(&folder);
    let rig = Rig::with(|options| {
        options.tls = Some(files);
        options.limits.head = Duration::from_millis(200);
    });
    assert!(rig.connect().is_closed_by_server());
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn http2_is_spoken_with_and_without_tls() {
    let folder = temporary();
    let (files, certificate) = certify(&folder);
    let plain = Rig::start();
    let secure = Rig::with(|options| options.tls = Some(files));
    let mut config = trusting(certificate);
    config.alpn_protocols = vec![b"h2".to_vec()];
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let stream = tokio::net::TcpStream::connect(plain.address).await.unwrap();
        let (status, length) = metadata_by_http2(stream).await;
        assert_eq!(status, 200);
        let stream = tokio::net::TcpStream::connect(secure.address).await.unwrap();
        let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
        let name = ServerName::try_from("localhost").unwrap();
        let stream = connector.connect(name, stream).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        assert_eq!(metadata_by_http2(stream).await, (200, length));
    });
    std::fs::remove_dir_all(folder).unwrap();
}

/// Asks for the model twice at once.
async fn metadata_by_http2<S>(stream: S) -> (u16, usize)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
    tokio::spawn(connection);
    let request = || {
        let request = http::Request::get("http://localhost/v1.0/$metadata");
        request.body(Empty::<bytes::Bytes>::new()).unwrap()
    };
    let both = (sender.send_request(request()), sender.send_request(request()));
    let (first, second) = tokio::join!(both.0, both.1);
    let (first, second) = (first.unwrap(), second.unwrap());
    let status = first.status().as_u16();
    let first = first.into_body().collect().await.unwrap().to_bytes();
    let second = second.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(first, second);
    (status, first.len())
}

#[test]
fn plain_http_beyond_loopback_must_be_asked_for() {
    let everywhere = "0.0.0.0:0".parse().unwrap();
    let refused = Listeners::bind(everywhere, None, false).unwrap_err();
    assert!(matches!(refused, web::StartError::PlainHttp(address) if address == everywhere));
    let rig = Rig::with(|options| {
        options.listen = everywhere;
        options.public_url = Some("http://graph.contoso.com/".to_owned());
    });
    assert_eq!(rig.running.as_ref().unwrap().public_url, "http://graph.contoso.com");
}

#[test]
fn what_can_not_work_is_refused_at_the_start() {
    let rig = Rig::start();
    let taken = rig.address;
    assert!(matches!(
        Rig::try_with(|options| options.listen = taken),
        Err(StartError::Server(web::StartError::Listen { address, flag: "--listen", .. }))
            if address == taken
    ));
    assert!(matches!(
        Rig::try_with(|options| options.public_url = Some("graph.contoso.com".to_owned())),
        Err(StartError::Server(web::StartError::PublicUrl(_)))
    ));
    assert!(matches!(
        Rig::try_with(|options| options.page_token_keys.clear()),
        Err(StartError::NoPageTokenKey)
    ));
}

#[test]
fn shutting_down_lets_requests_in_flight_end_and_takes_no_new_ones() {
    let mut rig = Rig::start();
    let mut idle = rig.connect();
    assert_eq!(idle.ask("GET", "/nowhere", &[]).status, 404);
    let mut busy = rig.connect();
    busy.send(format!(
        "POST /{TENANT}/oauth2/v2.0/token HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\nabc"
    ));
    rig.wait_for_metric("callvault_requests_in_flight 1");
    let running = rig.running.take().unwrap();
    let stopping = std::thread::spawn(move || running.shutdown());
    assert!(idle.is_closed_by_server());
    assert!(!stopping.is_finished());
    assert!(TcpStream::connect(rig.address).is_err());
    busy.send("def");
    assert_eq!(busy.answer("POST").status, 400);
    assert!(busy.is_closed_by_server());
    stopping.join().unwrap();
}

#[test]
fn shutting_down_does_not_wait_for_ever() {
    let mut rig = Rig::with(|options| {
        options.limits.drain = Duration::from_millis(100);
        options.limits.body_idle = Duration::from_hours(1);
    });
    let mut stuck = rig.connect();
    stuck.send(format!(
        "POST /{TENANT}/oauth2/v2.0/token HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\nabc"
    ));
    rig.wait_for_metric("callvault_requests_in_flight 1");
    let running = rig.running.take().unwrap();
    let (ended, end) = mpsc::channel();
    std::thread::spawn(move || {
        running.shutdown();
        ended.send(()).unwrap();
    });
    // Nothing else would end the request before the test is over.
    end.recv_timeout(PATIENCE).unwrap();
    assert!(stuck.is_closed_by_server());
}
