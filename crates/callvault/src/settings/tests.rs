//! Settings as users write them, and the result.

use std::fs;

use super::*;

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/callvault.example.toml");

fn of_file(name: &str, text: &str) -> Result<Layers> {
    let path = std::env::temp_dir().join(format!("callvault-{}-{name}.toml", std::process::id()));
    fs::write(&path, text).unwrap();
    let mut layers = Layers::default();
    let added = layers.add_file(&path);
    fs::remove_file(path).unwrap();
    added.map(|()| layers)
}

fn of_environment(variables: &[(&str, &str)]) -> Result<Settings> {
    let mut layers = Layers::default();
    let variables = variables.iter().map(|(name, value)| ((*name).into(), (*value).into()));
    layers.add_environment(variables)?;
    Settings::resolve(&layers)
}

#[test]
fn without_settings_the_defaults_apply() {
    let settings = Settings::resolve(&Layers::default()).unwrap();
    assert_eq!(settings.server.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(settings.server.admin_listen.unwrap().to_string(), "127.0.0.1:8081");
    assert_eq!(settings.store, Place::File("callvault-data/callvault.db".into()));
    assert_eq!((settings.retention_days, settings.changes_days), (None, Some(30)));
    assert!(settings.graph.legacy_identities);
}

#[test]
fn the_environment_overrides_the_file_and_flags_override_both() {
    let mut layers = of_file(
        "order",
        "data_dir = '/a'\n[server]\nlisten = '127.0.0.1:1'\nworkers = 1\n[log]\nlevel = 'warn'\n",
    )
    .unwrap();
    let variables = [
        ("CALLVAULT_SERVER__LISTEN", "127.0.0.1:2"),
        ("CALLVAULT_SERVER__WORKERS", "2"),
        ("CALLVAULT_PORT_8080_TCP", "tcp://10.0.0.1"),
        ("CALLVAULT_SERVICE_HOST", "10.0.0.1"),
        ("PATH", "/bin"),
    ];
    layers
        .add_environment(variables.into_iter().map(|(name, text)| (name.into(), text.into())))
        .unwrap();
    layers.add_flag("server.listen", Some("127.0.0.1:3")).unwrap();
    layers.add_flag("server.public_url", None::<String>).unwrap();
    let settings = Settings::resolve(&layers).unwrap();
    assert_eq!(settings.server.listen.port(), 3);
    assert_eq!(settings.server.workers, Some(2));
    assert_eq!(settings.log.level, Level::Warn);
    assert_eq!(settings.store, Place::File("/a/callvault.db".into()));
}

#[test]
fn an_unknown_key_is_an_error_that_names_it() {
    let error = of_file("unknown", "[server]\nlisten = '127.0.0.1:1'\nlistne = 1\n").unwrap_err();
    let text = error.to_string();
    assert!(text.contains("unknown.toml") && text.contains("line 3"), "{text}");
    assert!(text.contains("unknown field `listne`"), "{text}");
    let error = of_environment(&[("CALLVAULT_SERVER__LISTNE", "1")]).unwrap_err();
    assert!(format!("{error:#}").contains("CALLVAULT_SERVER__LISTNE"), "{error:#}");
    assert!(of_environment(&[("CALLVAULT_SERVR__LISTEN", "1")]).is_err());
    for name in ["CALLVAULT_LISTEN", "CALLVAULT_DATADIR", "CALLVAULT_SERVER_LISTEN", "CALLVAULT_"] {
        let error = format!("{:#}", of_environment(&[(name, "1")]).unwrap_err());
        assert!(error.contains(name) && error.contains("CALLVAULT_SERVER__LISTEN"), "{error}");
    }
}

#[test]
fn the_environment_has_numbers_texts_and_lists() {
    let settings = of_environment(&[
        ("CALLVAULT_RECORDS__RETENTION", "90"),
        ("CALLVAULT_GRAPH__RETENTION_VIEW", "30d"),
        ("CALLVAULT_GRAPH__LEGACY_IDENTITIES", "null"),
        ("CALLVAULT_SERVER__ADMIN_LISTEN", "off"),
        ("CALLVAULT_SERVER__ALLOW_PLAIN_HTTP", "true"),
        ("CALLVAULT_SERVER__PUBLIC_URL", "https://calls.contoso.com/"),
        ("CALLVAULT_AUTH__ISSUERS", r#"[{issuer = "https://a", audiences = ["b"]}]"#),
    ])
    .unwrap();
    assert_eq!(settings.retention_days, Some(90));
    assert_eq!(settings.graph.retention_view_days, Some(30));
    assert!(!settings.graph.legacy_identities && settings.server.allow_plain_http);
    assert_eq!(settings.server.admin_listen, None);
    assert_eq!(settings.server.public_url.as_deref(), Some("https://calls.contoso.com"));
    assert_eq!(settings.issuers[0].audiences, ["b"]);
}

#[test]
fn invalid_values_are_errors() {
    for (name, value) in [
        ("CALLVAULT_SERVER__LISTEN", "8080"),
        ("CALLVAULT_SERVER__ADMIN_LISTEN", "no"),
        ("CALLVAULT_SERVER__PUBLIC_URL", "calls.contoso.com"),
        ("CALLVAULT_SERVER__TLS_CERT", "/a.pem"),
        ("CALLVAULT_SERVER__WORKERS", "0"),
        ("CALLVAULT_GRAPH__RETENTION_VIEW", "60d"),
        ("CALLVAULT_RECORDS__RETENTION", "0"),
        ("CALLVAULT_RECORDS__RETENTION", "never"),
        ("CALLVAULT_AUTH__ISSUERS", r#"[{issuer = "https://a"}]"#),
        ("CALLVAULT_AUTH__ISSUERS", r#"[{issuer = "https://a", audiences = []}]"#),
        ("CALLVAULT_LOG__LEVEL", "loud"),
    ] {
        assert!(of_environment(&[(name, value)]).is_err(), "{name}={value}");
    }
}

#[test]
fn localhost_is_an_address() {
    let settings = of_environment(&[
        ("CALLVAULT_SERVER__LISTEN", "localhost:9"),
        ("CALLVAULT_SERVER__ADMIN_LISTEN", "localhost:10"),
    ])
    .unwrap();
    assert_eq!(settings.server.listen.to_string(), "127.0.0.1:9");
    assert_eq!(settings.server.admin_listen.unwrap().to_string(), "127.0.0.1:10");
    for wrong in ["localhost", "localhost:", "localhost:99999", "contoso.com:80"] {
        let error = of_environment(&[("CALLVAULT_SERVER__LISTEN", wrong)]).unwrap_err();
        let error = format!("{error:#}");
        assert!(error.contains("server.listen") && error.contains("localhost:8080"), "{error}");
    }
}

#[test]
fn stores_are_urls() {
    let file = |path: &str| Place::File(path.into());
    assert_eq!(place("sqlite:/a/b.db").unwrap(), file("/a/b.db"));
    assert_eq!(place("sqlite:b.db").unwrap(), file("b.db"));
    let url = "postgres://ann:secret@db.contoso.com/calls";
    assert_eq!(place(url).unwrap(), Place::Postgres(url.to_owned()));
    for wrong in ["sqlite:", "mysql://secret@a", "/a/b.db", ""] {
        let error = place(wrong).unwrap_err().to_string();
        assert!(error.contains("expected sqlite:PATH") && !error.contains("secret"), "{error}");
    }
    let told = place("/a/b.db").unwrap_err().to_string();
    assert!(told.ends_with(", and not '/a/b.db'"), "{told}");
}

#[test]
fn the_example_file_states_the_defaults() {
    let text = fs::read_to_string(EXAMPLE).unwrap();
    // Every setting is in the file, commented out, including those without a default.
    let uncommented: String = text
        .lines()
        .map(|line| line.strip_prefix('#').filter(|rest| !rest.starts_with(' ')).unwrap_or(line))
        .flat_map(|line| [line, "\n"])
        .collect();
    for text in [&text, &uncommented] {
        Settings::resolve(&of_file("example", text).unwrap()).unwrap();
    }
    let stated = Settings::resolve(&of_file("stated", &uncommented).unwrap()).unwrap();
    let default = Settings::resolve(&Layers::default()).unwrap();
    assert_eq!(format!("{:?}", stated.limits), format!("{:?}", default.limits));
    assert_eq!(format!("{:?}", stated.log), format!("{:?}", default.log));
    assert_eq!(format!("{:?}", stated.graph), format!("{:?}", default.graph));
    assert_eq!(stated.server.listen, default.server.listen);
    assert_eq!(stated.store, default.store);
    assert_eq!(stated.recheck, default.recheck);
}

#[test]
fn durations_are_seconds_or_have_a_unit() {
    let settings = of_environment(&[
        ("CALLVAULT_CALLS__GRACE", "5"),
        ("CALLVAULT_CALLS__ABANDONED_AFTER", "2d"),
    ])
    .unwrap();
    assert_eq!(settings.calls.grace, Duration::from_secs(5));
    assert_eq!(settings.calls.abandoned_after, Duration::from_hours(48));
    for wrong in ["soon", "5 minutes", "-1", "400d", ""] {
        let error = of_environment(&[("CALLVAULT_CALLS__GRACE", wrong)]).unwrap_err();
        assert!(format!("{error:#}").contains("calls.grace"), "{wrong}: {error:#}");
    }
}

#[test]
fn applications_are_rechecked_at_an_interval_or_never() {
    let recheck = |text| {
        Ok::<_, anyhow::Error>(of_environment(&[("CALLVAULT_AUTH__RECHECK", text)])?.recheck)
    };
    assert_eq!(of_environment(&[]).unwrap().recheck, None);
    assert_eq!(recheck("off").unwrap(), None);
    for (text, seconds) in [("60s", 60), ("60", 60), ("2m", 120)] {
        assert_eq!(recheck(text).unwrap(), Some(Duration::from_secs(seconds)), "{text}");
    }
    for wrong in ["0", "0s", "never", "on"] {
        let error = format!("{:#}", recheck(wrong).unwrap_err());
        assert!(error.contains("auth.recheck"), "{wrong}: {error}");
    }
}

#[test]
fn rates_are_named_or_written_out() {
    let rates = |text: &str| -> Result<Option<web::Rates>> {
        let layers = of_file("rate", &format!("[limits]\nrate = {text}\n"))?;
        Ok(Settings::resolve(&layers)?.limits.of_server().rates)
    };
    assert_eq!(rates("'off'").unwrap(), None);
    assert_eq!(rates("'graph'").unwrap(), Some(graph::GRAPH_RATES));
    let own = rates("{ record = '10/20s', following = '50/5m', application = '1500 / 20s' }");
    let graph = graph::GRAPH_RATES;
    let (list, list_following) = (None, None);
    let expected = web::Rates { everywhere: None, tenant: None, list, list_following, ..graph };
    assert_eq!(own.unwrap(), Some(expected));
    let of_environment = of_environment(&[("CALLVAULT_LIMITS__RATE", "graph")]).unwrap();
    assert_eq!(of_environment.limits.of_server().rates, Some(graph));
    for wrong in
        ["'fast'", "5", "{ record = '0/20s' }", "{ record = '10' }", "{ records = '1/1s' }"]
    {
        let error = format!("{:#}", rates(wrong).unwrap_err());
        assert!(error.contains("10/20s"), "{wrong}: {error}");
    }
}
