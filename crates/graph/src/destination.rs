//! What a bound path leads to, by the table of routes.

use model::log::Log;
use odata::bound::{Expr, Resource, Step};
use odata::edm::{Operation, Type};
use odata::literal::Literal;
use web::Problem;

use crate::label::Label;
use crate::routes::{Handler, RESOURCES, Row, Rows};
use crate::target::{Base, Ids, Tail, Target};
use crate::unsupported::Unsupported;

/// What a bound path leads to.
#[derive(Debug)]
pub(crate) struct Destination {
    pub(crate) rows: Rows,
    pub(crate) ids: Ids,
    /// What is asked of what the rows name.
    pub(crate) tail: Tail,
    filters: Vec<Expr>,
}

impl Destination {
    /// Reads a bound path.
    ///
    /// # Errors
    /// When it leads to something that nothing answers yet.
    pub(crate) fn of(resource: &Resource) -> Result<Self, Unsupported> {
        let steps = resource.steps.as_slice();
        if !steps.iter().any(|step| matches!(step, Step::Cast(_))) {
            return Self::find(steps, |_| true).unwrap_or_else(|| Err(unmatched(steps)));
        }
        match steps {
            [Step::EntitySet { .. }, ..] => Err(unmatched(steps)),
            [Step::Singleton { .. }, Step::Navigation(property), ..]
                if property.name == "calls" =>
            {
                Err(unmatched(steps))
            }
            _ => Self::of_records(steps),
        }
    }

    /// Reads a path of call records, or of what is inside them. A cast to the type that something has
    /// anyway says nothing there.
    fn of_records(steps: &[Step]) -> Result<Self, Unsupported> {
        let steps = without_own_casts(steps);
        Self::find(&steps, Row::is_of_records).unwrap_or_else(|| Err(Unsupported::path(&steps)))
    }

    /// The row that matches most of a path, of those that count; `None` if none does.
    fn find(steps: &[Step], counts: impl Fn(&Row) -> bool) -> Option<Result<Self, Unsupported>> {
        let mut best: Option<(&'static Row, Ids, usize)> = None;
        for row in RESOURCES.iter().filter(|row| counts(row)) {
            let Some((ids, length)) = matched(row.path, steps) else { continue };
            let fits = length == steps.len() || row.takes_tail();
            if fits && best.as_ref().is_none_or(|(.., longest)| length > *longest) {
                best = Some((row, ids, length));
            }
        }
        let (row, ids, length) = best?;
        let rows = Rows::of(RESOURCES, row);
        let behind = Tail::behind(&steps[length..]);
        Some(behind.map(|(filters, tail)| Self { rows, ids, tail, filters }))
    }

    /// Its label, for metrics and the access log.
    pub(crate) fn label(&self) -> Label {
        let label = self.rows.label();
        if self.tail == Tail::Count { label.of_count() } else { label }
    }

    /// 405 with the methods that it knows. Only a whole record, or list of them, is written, and where
    /// only Graph's own contract counts, none is erased.
    pub(crate) fn refuse_method(&self, is_strict: bool) -> Problem {
        let is_whole = self.tail == Tail::Whole;
        self.rows.refuse(|row| {
            let is_erasure = matches!(row.handler, Handler::EraseRecord);
            let is_write =
                is_erasure || matches!(row.handler, Handler::CreateRecord | Handler::PutRecord);
            (is_whole || !is_write) && !(is_strict && is_erasure)
        })
    }

    /// Whether it is call records, or inside of them.
    pub(crate) fn is_of_records(&self) -> bool {
        self.rows.first().is_of_records()
    }

    /// What the query language calls it, where that is call records or inside of them.
    pub(crate) fn target(self) -> Option<Target> {
        let base = match self.rows.first().handler {
            Handler::Read(base) => base(self.ids),
            Handler::ImportRecords => Base::Import,
            _ => return None,
        };
        Some(Target { base, filters: self.filters, tail: self.tail })
    }
}

/// What a bound path of call records, or of what is inside them, addresses.
///
/// # Errors
/// When it leads to nothing of these.
pub(crate) fn target(resource: &Resource) -> Result<Target, Unsupported> {
    let destination = Destination::of_records(&resource.steps)?;
    destination.target().ok_or_else(|| Unsupported::path(&resource.steps))
}

impl Row {
    fn is_of_records(&self) -> bool {
        matches!(
            self.handler,
            Handler::Read(_)
                | Handler::CreateRecord
                | Handler::PutRecord
                | Handler::EraseRecord
                | Handler::ImportRecords
        )
    }

    /// Whether something may stand behind its path.
    fn takes_tail(&self) -> bool {
        self.is_of_records() && self.label != Label::Communications
    }
}

/// The ids of a path that begins as a pattern says, and how many steps that are.
fn matched(pattern: &str, steps: &[Step]) -> Option<(Ids, usize)> {
    let (mut ids, mut at, mut keys) = (Ids::default(), 0, 0);
    for segment in pattern.split('/') {
        match (segment, steps.get(at)?) {
            ("{id}" | "{record}", Step::Key(key)) => {
                let place = match keys {
                    0 if pattern.starts_with("communications/callRecords") => &mut ids.record.id,
                    0 => &mut ids.first,
                    1 => &mut ids.first,
                    _ => &mut ids.second,
                };
                place.clone_from(key);
                keys += 1;
                if segment == "{record}"
                    && let Some(version) = steps.get(at + 1).and_then(version)
                {
                    ids.record.version = Some(version);
                    at += 1;
                }
            }
            ("version()", step) => ids.record.version = Some(version(step)?),
            ("get{log}()", Step::Operation { operation, .. }) => {
                ids.log = Some(Log::of_function(operation.name)?);
            }
            ("import{log}()", Step::Operation { operation, .. }) => {
                ids.log = Some(Log::of_action(operation.name)?);
            }
            (name, Step::Operation { operation, .. }) if is_named(operation, name) => {}
            ("$count", Step::Count) => {}
            (name, Step::EntitySet { name: known, .. } | Step::Singleton { name: known, .. })
                if name == *known => {}
            (name, Step::Navigation(property)) if name == property.name => {}
            _ => return None,
        }
        at += 1;
    }
    Some((ids, at))
}

fn is_named(operation: &Operation, pattern: &str) -> bool {
    pattern.strip_suffix("()") == Some(operation.name)
}

/// The version that `callvault.version(version=…)` names.
fn version(step: &Step) -> Option<i64> {
    match step {
        Step::Operation { operation, arguments, .. } if operation.name == "version" => {
            match arguments.first() {
                Some((_, Literal::Integer(version))) => Some(*version),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Names what a path that matches no row asks for.
fn unmatched(steps: &[Step]) -> Unsupported {
    match steps {
        [Step::EntitySet { .. }, ..] => Unsupported::named("this path of a subscription"),
        [Step::Singleton { .. }, Step::Navigation(property), ..] if property.name == "calls" => {
            Unsupported::named("this path of a call")
        }
        steps => Unsupported::path(steps),
    }
}

/// The steps without casts to the type that something has anyway.
fn without_own_casts(steps: &[Step]) -> Vec<Step> {
    let mut ty = None;
    let mut kept = Vec::with_capacity(steps.len());
    for step in steps {
        let next = match step {
            Step::Cast(to) if ty == Some(Type::Structured(to)) => continue,
            Step::Cast(to) => Some(Type::Structured(to)),
            Step::EntitySet { ty, .. } | Step::Singleton { ty, .. } => Some(Type::Structured(ty)),
            Step::Navigation(property) | Step::Property(property) => Some(property.ty),
            Step::Operation { operation, .. } => operation.returns.as_ref().map(|it| it.ty),
            Step::Call(call) => call.operation.returns.as_ref().map(|it| it.ty),
            Step::Key(_) | Step::Filter(_) | Step::Count | Step::Ref | Step::Value => ty,
        };
        ty = next;
        kept.push(step.clone());
    }
    kept
}
