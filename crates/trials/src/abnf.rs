//! The test cases of the OData ABNF against the parser of `odata`: what each says about a text, and
//! what the parser says. The cases are OASIS's and stay where they are; `reasons` says why some
//! differ.

mod reasons;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use odata::json::Node;

/// A text and what the standard says of it.
struct Case {
    suite: String,
    rule: String,
    input: String,
    /// The text follows the rule.
    is_right: bool,
}

/// How often the parser agreed, differed with a reason and without one.
#[derive(Default)]
struct Counts {
    agreed: usize,
    explained: usize,
    unexplained: usize,
    left_out: usize,
}

/// `abnf PATH`: PATH is the folder with `abnf-testcases.json`.
///
/// # Errors
/// When the cases can't be read, or one differs without a reason.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let [folder] = arguments else { bail!("usage: cargo xtask abnf PATH") };
    let path = Path::new(folder).join("abnf-testcases.json");
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let mut counts: BTreeMap<String, Counts> = BTreeMap::new();
    for case in cases(&text)? {
        let counts = counts.entry(case.suite.clone()).or_default();
        let Some(outcome) = odata::syntax::check(&case.rule, &case.input) else {
            counts.left_out += 1;
            continue;
        };
        if outcome.is_ok() == case.is_right {
            counts.agreed += 1;
            continue;
        }
        let reason = reasons::of(&case.input, case.is_right);
        match reason {
            Some(_) => counts.explained += 1,
            None => counts.unexplained += 1,
        }
        let found = outcome.err().map_or("accepted".to_owned(), |error| error.to_string());
        println!("{} {}: {found}\n    {}", case.rule, case.input, reason.unwrap_or("NO REASON"));
    }
    print(&counts)
}

/// Tells the counts, and fails when there is a difference without a reason.
fn print(counts: &BTreeMap<String, Counts>) -> Result<()> {
    for (suite, counts) in counts {
        println!(
            "{suite}: {} agreed, {} differ with a reason, {} without one, {} are of other rules",
            counts.agreed, counts.explained, counts.unexplained, counts.left_out
        );
    }
    let unexplained: usize = counts.values().map(|counts| counts.unexplained).sum();
    if unexplained > 0 {
        bail!("{unexplained} differences without a reason");
    }
    Ok(())
}

fn cases(text: &str) -> Result<Vec<Case>> {
    let document = Node::parse(text).map_err(|error| anyhow::anyhow!("{error}"))?;
    let items = document.as_array().context("an array of cases")?;
    items.iter().map(|item| case(item).context("a case without its members")).collect()
}

fn case(item: &Node<'_>) -> Option<Case> {
    let text = |name: &str| Some(item.get(name)?.as_text()?.value().into_owned());
    Some(Case {
        suite: text("suite")?,
        rule: text("rule")?,
        input: text("input")?,
        is_right: matches!(item.get("fail_at"), None | Some(Node::Null)),
    })
}
