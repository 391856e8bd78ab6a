//! Lists of values behind `IN`: each with a placeholder of its own, or all in one where there are many.

use std::fmt::Write as _;

use odata::json::push_string;

use super::fragment::Sql;
use super::statement::Bind;

/// Values with placeholders of their own. Engines take no more than some ten thousand of these, and
/// compile a statement anew for each length of its lists.
const FEW: usize = 100;

/// `IN (…)` with these values; none if they are many and an engine would read some otherwise than they
/// are written.
pub(crate) fn one_of(values: Vec<Bind>) -> Option<Sql> {
    if values.len() <= FEW {
        let values = values.into_iter().map(Sql::value);
        return Some(Sql::text(" IN (").append(Sql::join(values, ", ")).push(")"));
    }
    let (sqlite, postgres) = match values[0] {
        Bind::Int(_) => ("j.value", "CAST(j.item AS bigint)"),
        Bind::Text(_) => ("j.value", "j.item COLLATE \"C\""),
        Bind::Bytes(_) => ("unhex(j.value)", "decode(j.item, 'hex')"),
        Bind::Real(_) => return None,
    };
    let array = Bind::Text(array(&values)?);
    let sql = Sql::text(" IN (SELECT ").push_either(sqlite, postgres);
    let sql = sql.push_either(" FROM json_each(", " FROM json_array_elements_text(CAST(");
    Some(sql.push_bind(array).push_either(") j)", " AS json)) AS j(item))"))
}

/// The values as a JSON array; none unless all are of one kind.
fn array(values: &[Bind]) -> Option<String> {
    let mut out = b"[".to_vec();
    for value in values {
        if out.len() > 1 {
            out.push(b',');
        }
        if std::mem::discriminant(value) != std::mem::discriminant(&values[0]) {
            return None;
        }
        match value {
            Bind::Int(number) => out.extend_from_slice(number.to_string().as_bytes()),
            // One engine ends texts there, the other keeps it as something else.
            Bind::Text(text) if text.contains(['\0', '\u{1}']) => return None,
            Bind::Text(text) => push_string(&mut out, text),
            Bind::Bytes(bytes) => {
                let mut digits = String::with_capacity(2 * bytes.len());
                for byte in bytes {
                    // Writing to a String cannot fail.
                    let _ = write!(digits, "{byte:02x}");
                }
                push_string(&mut out, &digits);
            }
            Bind::Real(_) => return None,
        }
    }
    out.push(b']');
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Connection, Dialect};
    use crate::testing;

    /// Which of the values are in a list of them all.
    fn found(connection: &Connection, list: &[Bind], values: &[Bind]) -> Vec<bool> {
        let found = values.iter().map(|value| {
            let list = one_of(list.to_vec()).unwrap();
            let sql = Sql::text("SELECT ").push_bind(value.clone()).append(list);
            let statement = sql.finish(Dialect::Sqlite);
            connection.value(&statement.text, statement.binds.as_slice()).unwrap().unwrap()
        });
        found.collect()
    }

    #[test]
    fn a_long_list_has_the_values_of_a_short_one() {
        let connection = testing::in_memory();
        let texts = (0..150).map(|n| Bind::Text(format!("it's \"{n}\" \\ é")));
        let bytes = (0..150_u8).map(|n| Bind::Bytes(vec![n, 0, 255]));
        let numbers = (0..150).map(|n| Bind::Int(i64::MAX - n));
        for all in [texts.collect::<Vec<_>>(), bytes.collect(), numbers.collect()] {
            for length in [2, 149] {
                let expected: Vec<bool> = (0..150).map(|at| at < length).collect();
                assert_eq!(found(&connection, &all[..length], &all), expected, "{:?}", all[0]);
            }
        }
        let odd = vec![Bind::Text("a\0".to_owned()); 200];
        assert_eq!(one_of(odd), None);
    }
}
