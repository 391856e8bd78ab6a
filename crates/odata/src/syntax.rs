//! The grammar alone: what a text says without a model.

mod rules;
pub(crate) mod show;

use crate::ast::Options;
use crate::error::Error;
use crate::limits::Limits;
use crate::options::Query;
use crate::parser::{Parser, Usage};

pub use rules::check;

/// The syntax trees of the options in a query, one in each line, or what keeps it from being read.
pub fn tree(query: &str) -> String {
    trees(query, &Limits::default()).unwrap_or_else(|error| error.to_string())
}

fn trees(query: &str, limits: &Limits) -> Result<String, Error> {
    let texts = Query::parse(query, limits)?;
    let mut used = Usage::default();
    let mut lines = Vec::new();
    for (name, text) in &texts.aliases {
        let parser = Parser::new(format!("@{name}"), text, limits, used);
        let (value, after) = parser.whole_expression()?;
        lines.push(format!("@{name}={}", show::expression(&value)));
        used = after;
    }
    for (option, text) in &texts.system {
        let mut options = Options::default();
        used = Parser::new(option.name(), text, limits, used).option(*option, &mut options)?;
        lines.extend(show::options(&options));
    }
    Ok(lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_option_has_a_line() {
        assert_eq!(
            tree(
                "$filter=a/any(x:x/b eq @p) or not c&@p=1&$orderby=d desc,e&$top=5&\
                 $expand=f($select=g,*;$levels=max)&$search=a b NOT c&\
                 $apply=groupby((h),aggregate($count as n))/compute(n mul 2 as m)"
            ),
            "@p=1\n\
             $filter=(or a/Any(x:(eq x/b @p)) (not c))\n\
             $orderby=(desc d) (asc e)\n\
             $top=5\n\
             $expand=f($select=g * $levels=max)\n\
             $search=(and (and a b) (not c))\n\
             $apply=groupby((h) aggregate((as n $count)))/compute((as m (mul n 2)))"
        );
        assert_eq!(tree("$filter=a eq"), "Expression expected at position 4 in 'a eq'.");
    }
}
