//! Smaller queries of one that fails.

use super::Asked;

impl Asked {
    /// Queries that say less, the smallest steps last.
    pub fn smaller(&self) -> Vec<Self> {
        let mut all = Vec::new();
        let mut add = |change: &dyn Fn(&mut Self)| {
            let mut asked = self.clone();
            change(&mut asked);
            if asked != *self {
                all.push(asked);
            }
        };
        add(&|asked| asked.path = None);
        add(&|asked| asked.filter = None);
        add(&|asked| asked.search = None);
        add(&|asked| asked.skip = None);
        add(&|asked| asked.top = None);
        add(&|asked| {
            for (name, value) in std::mem::take(&mut asked.aliases) {
                asked.filter =
                    asked.filter.take().map(|text| text.replace(&format!("@{name}"), &value));
            }
        });
        for at in 0..self.orderby.len() {
            add(&|asked| drop(asked.orderby.remove(at)));
        }
        for at in 0..self.compute.len() {
            add(&|asked| drop(asked.compute.remove(at)));
        }
        for at in 0..self.apply.len() {
            add(&|asked| drop(asked.apply.remove(at)));
        }
        for part in self.filter.iter().flat_map(|filter| parts(filter)) {
            add(&|asked| asked.filter = Some(part.clone()));
        }
        for part in self.path.iter().flat_map(|path| parts(path)) {
            add(&|asked| asked.path = Some(part.clone()));
        }
        for (at, step) in self.apply.iter().enumerate() {
            for part in arguments(step) {
                add(&|asked| asked.apply[at].clone_from(&part));
            }
        }
        all
    }
}

/// Conditions that a condition is made of, and the condition with a smaller body in its lambda.
fn parts(condition: &str) -> Vec<String> {
    for word in [" or ", " and "] {
        let pieces = split(condition, word);
        if pieces.len() > 1 {
            let mut all: Vec<String> = pieces.iter().map(|piece| (*piece).to_owned()).collect();
            for (at, piece) in pieces.iter().enumerate() {
                let without = |other: &(usize, &&str)| other.0 != at;
                let rest: Vec<_> =
                    pieces.iter().enumerate().filter(without).map(|(_, p)| *p).collect();
                all.push(rest.join(word));
                for part in parts(piece) {
                    let mut changed: Vec<&str> = pieces.clone();
                    changed[at] = &part;
                    all.push(changed.join(word));
                }
            }
            return all;
        }
    }
    if let Some(inner) = condition.strip_prefix("not (").and_then(|rest| rest.strip_suffix(')')) {
        let mut all = vec![inner.to_owned()];
        all.extend(parts(inner).into_iter().map(|part| format!("not ({part})")));
        return all;
    }
    if let Some(inner) = condition.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        return vec![inner.to_owned()];
    }
    let lambda = ["/any(", "/all("].iter().filter_map(|name| condition.find(name)).min();
    let body = lambda.and_then(|at| condition[at..].find(':').map(|colon| at + colon + 1));
    match body {
        Some(start) if condition.ends_with(')') => {
            let inner = &condition[start..condition.len() - 1];
            let head = &condition[..start];
            parts(inner).into_iter().map(|part| format!("{head}{part})")).collect()
        }
        _ => Vec::new(),
    }
}

/// The transformation with fewer or smaller arguments.
fn arguments(step: &str) -> Vec<String> {
    let Some((name, rest)) = step.split_once('(') else { return Vec::new() };
    let Some(inner) = rest.strip_suffix(')') else { return Vec::new() };
    if name == "filter" {
        return parts(inner).into_iter().map(|part| format!("filter({part})")).collect();
    }
    let pieces = split(inner, ",");
    let mut all = Vec::new();
    for (at, piece) in pieces.iter().enumerate() {
        let without = |other: &(usize, &&str)| other.0 != at;
        let rest: Vec<_> = pieces.iter().enumerate().filter(without).map(|(_, p)| *p).collect();
        if !rest.is_empty() {
            all.push(format!("{name}({})", rest.join(",")));
        }
        for part in arguments(piece) {
            let mut changed: Vec<&str> = pieces.clone();
            changed[at] = &part;
            all.push(format!("{name}({})", changed.join(",")));
        }
    }
    all
}

/// Splits where the separator stands outside of parentheses, brackets and quotes.
fn split<'t>(text: &'t str, by: &str) -> Vec<&'t str> {
    let (mut pieces, mut start, mut depth, mut is_quoted) = (Vec::new(), 0, 0_usize, false);
    for (at, char) in text.char_indices() {
        match char {
            '\'' => is_quoted = !is_quoted,
            '(' | '[' if !is_quoted => depth += 1,
            ')' | ']' if !is_quoted => depth = depth.saturating_sub(1),
            _ if !is_quoted && depth == 0 && at >= start && text[at..].starts_with(by) => {
                pieces.push(&text[start..at]);
                start = at + by.len();
            }
            _ => {}
        }
    }
    pieces.push(&text[start..]);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_come_apart_where_they_are_joined() {
        let smaller = parts("a eq 'x and y' and s/any(v:v/b gt 1 or v/c eq 2)");
        assert!(smaller.contains(&"a eq 'x and y'".to_owned()));
        assert!(smaller.contains(&"s/any(v:v/b gt 1 or v/c eq 2)".to_owned()));
        assert!(smaller.contains(&"a eq 'x and y' and s/any(v:v/c eq 2)".to_owned()));
    }

    #[test]
    fn transformations_lose_arguments() {
        let smaller = arguments("groupby((a,b),aggregate($count as C,d with sum as S))");
        assert!(smaller.contains(&"groupby((a,b))".to_owned()));
        assert!(
            smaller.contains(&"groupby((b),aggregate($count as C,d with sum as S))".to_owned())
        );
        assert!(smaller.contains(&"groupby((a,b),aggregate($count as C))".to_owned()));
    }
}
