//! Literals as a URL writes them, mostly of values that stand in the records.

use odata::primitive::{DateTimeOffset, Fine, Moment};
use serde_json::Value as Json;

use super::place::Kind;
use super::random::Random;

/// A literal of that kind; of one of the samples, or near it, or of something odd.
pub(super) fn literal(kind: Kind, samples: &[&Json], random: &mut Random) -> String {
    let said: Vec<_> = samples.iter().filter(|json| !json.is_null()).collect();
    let sample =
        if said.is_empty() || random.chance(8) { &Json::Null } else { *random.pick(&said) };
    match kind {
        Kind::Bool => (*random.pick(&["true", "false"])).to_owned(),
        Kind::Int => whole(sample, random),
        Kind::Float => number(sample, random),
        Kind::Text => text(sample, random),
        Kind::Instant => instant(sample, random),
        Kind::Duration => duration(sample, random),
        Kind::Date => day(sample, random),
        Kind::Time => time(sample, random),
        Kind::Enum(ty) => {
            let name = match sample.as_str() {
                Some(name) if ty.members.iter().any(|(member, _)| *member == name) => name,
                _ => random.pick(ty.members).0,
            };
            if random.chance(40) { format!("{}'{name}'", ty.name) } else { format!("'{name}'") }
        }
    }
}

/// `text` between quotes.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn whole(sample: &Json, random: &mut Random) -> String {
    let odd = [0, 1, -1, 2, 10, 100, i64::from(i32::MAX), i64::MAX, i64::MIN + 1];
    let number = sample.as_i64().unwrap_or_else(|| *random.pick(&odd));
    match random.below(8) {
        0 => number.saturating_add(1).to_string(),
        1 => number.saturating_sub(1).to_string(),
        2 => format!("{number}.0"),
        3 if number.unsigned_abs() < 1_000_000 => format!("{number}.5"),
        4 if random.chance(50) => format!("{number}.00000000000000000001"),
        _ => number.to_string(),
    }
}

fn number(sample: &Json, random: &mut Random) -> String {
    if random.chance(4) {
        return (*random.pick(&["INF", "-INF", "NaN"])).to_owned();
    }
    let odd = [0.0, 0.5, 1.0, -1.0, 0.1, 100.0, 1e10, 1e-7];
    let number = sample.as_f64().unwrap_or_else(|| *random.pick(&odd));
    match random.below(6) {
        0 => format!("{}", number.round() as i64),
        1 => format!("{number:e}"),
        2 => format!("{:.3}", number.clamp(-1e9, 1e9)),
        _ => format!("{number}"),
    }
}

fn text(sample: &Json, random: &mut Random) -> String {
    let odd =
        ["", " ", "a", "x'y", "\\", "\"", "%", "_", "ß", "İ", "e\u{301}", "𝄞", "(", "null", "*"];
    let Some(text) = sample.as_str() else { return quoted(random.pick::<&str>(&odd)) };
    let swapped: String = text
        .chars()
        .map(|char| {
            if char.is_ascii_lowercase() {
                char.to_ascii_uppercase()
            } else {
                char.to_ascii_lowercase()
            }
        })
        .collect();
    match random.below(10) {
        0 => quoted(&swapped),
        1 => quoted(random.pick::<&str>(&odd)),
        2 => quoted(&part(text, random)),
        _ => quoted(text),
    }
}

/// Some characters out of a text, one behind the other.
pub(super) fn part(text: &str, random: &mut Random) -> String {
    let chars: Vec<char> = text.chars().collect();
    if chars.is_empty() {
        return String::new();
    }
    let start = random.below(chars.len());
    let length = 1 + random.below((chars.len() - start).min(6));
    chars[start..start + length].iter().collect()
}

fn instant(sample: &Json, random: &mut Random) -> String {
    let text = sample.as_str().unwrap_or("2023-11-14T22:13:20Z");
    let ticks = DateTimeOffset::parse(text).unwrap_or_default().0;
    match random.below(8) {
        0 => DateTimeOffset(ticks + 1).to_string(),
        1 => DateTimeOffset(ticks - 1).to_string(),
        2 => {
            let ahead = DateTimeOffset(ticks + 90 * 60 * 10_000_000).to_string();
            format!("{}+01:30", ahead.trim_end_matches('Z'))
        }
        3 => day(sample, random),
        4 => {
            let at = Fine { ticks, rest: 1 + random.below(99_999) as u32 };
            Moment { at, offset: *random.pick(&[0, 90, -330]) }.to_string()
        }
        _ => DateTimeOffset(ticks).to_string(),
    }
}

fn day(sample: &Json, _random: &mut Random) -> String {
    let text = sample.as_str().filter(|text| text.len() >= 10).unwrap_or("2023-11-14");
    let ticks = DateTimeOffset::parse(text).unwrap_or_default();
    ticks.to_string().split('T').next().unwrap_or("2023-11-14").to_owned()
}

fn time(sample: &Json, random: &mut Random) -> String {
    let text = sample.as_str().filter(|text| text.contains('T')).unwrap_or("2023-11-14T22:13:20Z");
    let ticks = DateTimeOffset::parse(text).unwrap_or_default().to_string();
    let time = ticks.split('T').nth(1).unwrap_or("22:13:20").trim_end_matches('Z').to_owned();
    if random.chance(20) { time[..5].to_owned() } else { time }
}

fn duration(sample: &Json, random: &mut Random) -> String {
    let odd = ["PT0S", "PT1S", "P1D", "-PT5M", "PT0.0000001S", "PT1H"];
    let text = sample.as_str().unwrap_or_else(|| *random.pick(&odd));
    let mut length = Fine::parse_duration(text).unwrap_or_default();
    match random.below(12) {
        0 | 1 => length.ticks += 1,
        2 => length.rest = 1 + random.below(99_999) as u32,
        _ => {}
    }
    let mut out = "duration'".to_owned();
    // Writing to a string doesn't fail.
    let _ = length.write_duration(&mut out);
    out + "'"
}
