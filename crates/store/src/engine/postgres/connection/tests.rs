//! When transactions of a connection begin and end, as the server has it.

use testkit::Postgres;

use super::*;

fn opened() -> (Postgres, Connection) {
    let postgres = Postgres::start();
    postgres.ask("CREATE TABLE noted (number bigint)");
    let connection = Connection::open(&Database::of(&postgres.url()).unwrap()).unwrap();
    (postgres, connection)
}

fn note(postgres: &Postgres) {
    postgres.ask("INSERT INTO noted VALUES (1)");
}

/// How many notes the connection sees.
fn seen(connection: &Connection) -> i64 {
    connection.rows("SELECT count(*) FROM noted", &()).unwrap()[0].get(0)
}

fn is_in_transaction(postgres: &Postgres) -> bool {
    let open = "SELECT 1 FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'";
    !postgres.ask(open).is_empty()
}

#[test]
fn what_begins_to_read_sees_what_is_there_by_then_whatever_was_begun_or_left_before() {
    let (postgres, connection) = opened();
    connection.begin_reading(None);
    assert_eq!(seen(&connection), 0);
    note(&postgres);
    assert_eq!(seen(&connection), 0, "it is one state");
    connection.begin_reading(None);
    assert_eq!(seen(&connection), 1);
    note(&postgres);
    // Nothing is asked between the end and the beginning.
    connection.leave();
    connection.begin_reading(Some(Duration::from_mins(5)));
    assert_eq!(seen(&connection), 2);
    note(&postgres);
    connection.begin_reading(None);
    connection.leave();
    assert_eq!(seen(&connection), 3);
    note(&postgres);
    assert_eq!(seen(&connection), 4, "it is no state any more");
    assert!(!is_in_transaction(&postgres));
}

#[test]
fn nothing_is_open_behind_an_end_whatever_was_to_be_sent_before() {
    let (postgres, connection) = opened();
    let preparations: [fn(&Connection); 3] =
        [|_| {}, Connection::leave, |connection| connection.begin_reading(None)];
    for (number, prepare) in preparations.into_iter().enumerate() {
        connection.begin_reading(None);
        seen(&connection);
        assert!(is_in_transaction(&postgres));
        prepare(&connection);
        connection.roll_back().unwrap();
        assert!(!is_in_transaction(&postgres), "{number}");
    }
    // What was not begun is not ended.
    connection.begin_reading(None);
    connection.roll_back().unwrap();
    assert!(!is_in_transaction(&postgres));
}

#[test]
fn a_beginning_that_fails_is_in_nobodys_way() {
    let (postgres, connection) = opened();
    connection.begin("BEGIN; SET LOCAL statement_timeout = 'never'");
    assert!(connection.rows("SELECT count(*) FROM noted", &()).is_err());
    note(&postgres);
    connection.begin_reading(None);
    assert_eq!(seen(&connection), 1);
    connection.begin("BEGIN");
    connection.execute("INSERT INTO noted VALUES (1)", &()).unwrap();
    connection.commit("COMMIT").unwrap();
    assert_eq!(postgres.ask("SELECT count(*) FROM noted"), "2");
    assert!(!is_in_transaction(&postgres));
}
