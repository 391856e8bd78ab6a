//! Profiles as TOML, in one canonical form that is read back as the same profile.

use std::fmt::Write as _;

use odata::primitive::Duration;
use toml::Value;

use super::{Comparison, GateFails, Mode, Needs, Profile, Rule};
use crate::figures::Figure;
use crate::metric::{Metric, Scale};

impl Profile {
    /// As a file that has this profile alone.
    pub fn to_toml(&self) -> String {
        let Self { name, version, title, source, rules } = self;
        let mut out = format!("[[profile]]\nname = {}\nversion = {version}\n", text(name));
        push(&mut out, format_args!("title = {}\n", text(title)));
        if let Some(source) = source {
            push(&mut out, format_args!("source = {}\n", text(source)));
        }
        for rule in rules {
            push_rule(&mut out, rule);
        }
        out
    }
}

fn push_rule(out: &mut String, rule: &Rule) {
    let mode = match rule.mode {
        Mode::Any => "any",
        Mode::First => "first",
    };
    let medium = rule.medium.name();
    push(out, format_args!("\n[[profile.rule]]\nmedium = \"{medium}\"\nmode = \"{mode}\"\n"));
    if rule.needs == Needs::All {
        out.push_str("needs = \"all\"\n");
    }
    if let Some(gate) = &rule.gate {
        let fails = match gate.fails {
            GateFails::Unclassified => "unclassified",
            GateFails::Good => "good",
        };
        let compared = compared(gate.metric, gate.comparison, gate.threshold);
        push(out, format_args!("gate = {{ {compared}, fails = \"{fails}\" }}\n"));
    }
    for (name, conditions) in [("poor", &rule.poor), ("watch", &rule.watch)] {
        push(out, format_args!("{name} = [\n"));
        for it in conditions {
            let compared = compared(it.metric, it.comparison, it.threshold);
            push(out, format_args!("  {{ reason = {}, {compared} }},\n", text(&it.reason)));
        }
        out.push_str("]\n");
    }
}

fn compared(metric: Metric, comparison: Comparison, threshold: Figure) -> String {
    let threshold = match (metric.scale(), threshold) {
        (Scale::Duration, Figure::Int(ticks)) => text(&Duration(ticks).to_string()),
        (_, Figure::Int(number)) => number.to_string(),
        (_, Figure::Real(number)) => format!("{number:?}"),
    };
    format!("metric = \"{}\", {} = {threshold}", metric.name(), comparison.key())
}

fn text(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}

fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("a string takes all text");
}

#[cfg(test)]
mod tests {
    use super::super::Profiles;

    #[test]
    fn what_is_written_is_read_back() {
        for profile in Profiles::shipped().iter() {
            let text = profile.to_toml();
            let read = Profiles::of_file(&text).unwrap();
            assert_eq!(read, std::slice::from_ref(profile), "{text}");
        }
        let quoted = "[[profile]]\nname = \"q\"\nversion = 2\ntitle = 'a \"b\" \\ c'\n\
                      [[profile.rule]]\nmedium = \"video\"\nmode = \"any\"\nneeds = \"all\"\n\
                      gate = { metric = \"averageJitter\", at_most = \"PT0.0000001S\", fails = \"good\" }\n\
                      poor = [{ reason = \"r\", metric = \"averagePacketLossRate\", below = 0.3 }]\n";
        let read = Profiles::of_file(quoted).unwrap();
        assert_eq!(Profiles::of_file(&read[0].to_toml()).unwrap(), read);
    }
}
