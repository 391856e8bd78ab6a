//! Certificates and tokens of other issuers in place of secrets, from the mirror to the built-in issuer and back.

use std::path::PathBuf;

use testkit::{Ended, TENANT, certificates};

use crate::rig::{Rig, records, simulated};

/// Writes a file into the mirror's folder.
fn file(rig: &Rig, name: &str, text: &str) -> PathBuf {
    let path = rig.mirror.folder().join(name);
    std::fs::write(&path, text).unwrap();
    path
}

fn add(rig: &Rig, credential: &[&str]) -> Ended {
    let url = format!("http://{}", rig.server.address);
    let add = ["mirror", "add", "contoso", "--tenant", TENANT, "--source", &url, "--rate", "off"];
    let of = ["--application", &rig.application, "--backfill-days", "3"];
    rig.mirror.run(&[&add[..], &of, credential].concat())
}

/// Registers a certificate for the mirror's application at the source.
fn register(rig: &Rig, certificate: &str) {
    let path = file(rig, "registered.pem", certificate);
    let path = path.to_str().unwrap();
    rig.source.succeed(&["app", "credential", "certificate", &rig.application, path]);
}

#[test]
fn a_mirror_is_filled_with_a_certificate_whose_key_stands_nowhere() {
    let mut rig = Rig::bare("");
    rig.import(&simulated(20, 40));
    let (certificate, key) = certificates::of_application(2040);
    let path = file(&rig, "graph.pem", &format!("{certificate}{key}"));
    let flags = ["--certificate-file", path.to_str().unwrap()];
    let refused = add(&rig, &flags);
    assert_eq!(refused.status.code(), Some(1));
    assert!(refused.stderr.contains("AADSTS700027"), "{}", refused.stderr);
    register(&rig, &certificate);
    let added = add(&rig, &flags);
    assert_eq!(added.status.code(), Some(0), "{}", added.stderr);
    std::fs::remove_file(&path).unwrap();
    let mut command = rig.mirror.command(&["mirror", "run", "--until-complete"]);
    let output = command.env("CALLVAULT_LOG__LEVEL", "trace").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    rig.assert_equal();
    let (requests, warnings) = rig.requests();
    assert_eq!((requests.is_empty(), warnings), (false, Vec::<String>::new()));
    // A part of the private key behind the modulus, which is public, and what is sent in place of it.
    let secret = key.lines().nth(14).unwrap().to_owned();
    let mut places = vec![output.stdout, output.stderr, rig.status().to_string().into_bytes()];
    for folder in [rig.mirror.folder(), rig.source.folder()] {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                places.push(std::fs::read(&path).unwrap());
            }
        }
    }
    let has =
        |bytes: &[u8], text: &str| bytes.windows(text.len()).any(|part| part == text.as_bytes());
    assert!(has(key.as_bytes(), &secret), "the search finds what is there");
    for bytes in places {
        assert!(!has(&bytes, &secret), "the private key stands in a file or a log");
        assert!(!has(&bytes, "client_assertion"), "an assertion stands in a file or a log");
    }
}

#[test]
fn a_certificate_that_was_taken_away_gets_no_token_and_one_that_ends_soon_is_told() {
    let rig = Rig::bare("");
    let (certificate, key) = certificates::of_application(2027);
    register(&rig, &certificate);
    let path = file(&rig, "graph.pem", &format!("{certificate}{key}"));
    let added = add(&rig, &["--certificate-file", path.to_str().unwrap()]);
    assert_eq!(added.status.code(), Some(0), "{}", added.stderr);
    let listed = rig.source.succeed(&["app", "credential", "list", &rig.application]);
    assert!(listed.starts_with("certificate  ") && listed.contains("2027-01-01"), "{listed}");
    let thumbprint = listed.split_whitespace().nth(1).unwrap();
    rig.source.succeed(&["app", "credential", "delete", &rig.application, thumbprint]);
    let ended = rig.complete();
    assert_eq!(ended.status.code(), Some(1), "{}", ended.stdout);
    assert!(ended.stderr.contains("AADSTS700027"), "{}", ended.stderr);
}

#[test]
fn a_key_that_is_not_the_certificate_s_is_refused_before_anything_is_sent() {
    let mut rig = Rig::bare("");
    let (certificate, _) = certificates::of_application(2040);
    let (_, other) = certificates::of_application(2040);
    let path = file(&rig, "graph.pem", &format!("{certificate}{other}"));
    let refused = add(&rig, &["--certificate-file", path.to_str().unwrap()]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(refused.stderr.contains("not the one of the certificate"), "{}", refused.stderr);
    assert_eq!(rig.requests().0.len(), 0);
}

#[test]
fn a_token_of_another_issuer_is_read_anew_from_its_file() {
    let rig = Rig::bare("");
    rig.import(&simulated(10, 40));
    // A Callvault of its own is the other issuer: its tokens are signed JWTs with a published key.
    let other = Rig::bare("");
    let issuer = format!("http://{}/{TENANT}/v2.0", other.server.address);
    let keys = other.server.client().get(&format!("/{TENANT}/discovery/v2.0/keys")).text();
    let keys = file(&rig, "keys.json", &keys);
    let audience = "https://graph.microsoft.com";
    let token = || {
        let body = format!(
            "grant_type=client_credentials&client_id={}&client_secret={}&scope=https%3A%2F%2Fx%2F.default",
            other.application, other.secret
        );
        let form = [("Content-Type", "application/x-www-form-urlencoded")];
        let path = format!("/{TENANT}/oauth2/v2.0/token");
        let answer = other.server.client().send("POST", &path, &form, body.as_bytes());
        answer.json()["access_token"].as_str().unwrap().to_owned()
    };
    let path = file(&rig, "token", &token());
    let flags = ["--federated-token-file", path.to_str().unwrap()];
    let refused = add(&rig, &flags);
    assert!(refused.stderr.contains("AADSTS700211"), "{}", refused.stderr);
    let federated = |subject: &str| {
        let of = ["app", "credential", "federated", &rig.application, "--name", "cluster"];
        let who = ["--issuer", &issuer, "--subject", subject, "--audience", audience];
        let of = [&of[..], &who, &["--keys", keys.to_str().unwrap()]].concat();
        rig.source.succeed(&of);
    };
    federated("somebody-else");
    let refused = add(&rig, &flags);
    assert!(refused.stderr.contains("AADSTS700213"), "{}", refused.stderr);
    federated(&other.application);
    let added = add(&rig, &flags);
    assert_eq!(added.status.code(), Some(0), "{}", added.stderr);
    file(&rig, "token", "nonsense");
    let ended = rig.complete();
    assert!(ended.stderr.contains("AADSTS50027"), "{}", ended.stderr);
    file(&rig, "token", &token());
    let ended = rig.complete();
    assert_eq!(ended.status.code(), Some(0), "{}{}", ended.stdout, ended.stderr);
    rig.assert_equal();
}

#[test]
fn a_server_starts_without_the_credential_of_a_mirror_and_the_mirror_when_it_is_there() {
    let rig = Rig::bare("");
    rig.import(&simulated(5, 40));
    let (certificate, key) = certificates::of_application(2040);
    register(&rig, &certificate);
    let pem = rig.mirror.folder().join("graph.pem");
    let source = format!("http://{}", rig.server.address);
    let shown = pem.display();
    for place in [
        "secret_file = \"/nowhere/secret\"".to_owned(),
        "secret_env = \"NO_SUCH_VARIABLE\"".to_owned(),
        "federated_token_file = \"/nowhere/token\"".to_owned(),
        format!("certificate_file = \"{shown}\""),
    ] {
        let settings = format!(
            "[[mirror]]\nname = \"contoso\"\ntenant = \"{TENANT}\"\napplication = \"{}\"\nsource = \"{source}\"\n\
             rate = \"off\"\nbackfill_days = 3\n{place}\n",
            rig.application
        );
        let config = file(&rig, "mirrors.toml", &settings);
        let server = rig.mirror.serve(&["--config", config.to_str().unwrap()]);
        assert_eq!(server.client().get("/v1.0/$metadata").status, 200, "{place}");
    }
    std::fs::write(&pem, format!("{certificate}{key}")).unwrap();
    let config = rig.mirror.folder().join("mirrors.toml");
    let arguments = ["mirror", "run", "--until-complete", "--config", config.to_str().unwrap()];
    let ended = rig.mirror.run(&arguments);
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    assert_eq!(records(&rig.mirror).len(), 5);
}
