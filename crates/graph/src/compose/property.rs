//! Values of properties, however deep (OData Protocol 11.2.4).

use std::borrow::Cow;

use model::rows::QUALITY;
use model::search::Finder;
use odata::bound::{PathStep, Query};
use odata::edm::{StructuredType, Type};
use odata::eval::{Meter, Pager, Selection, Sieve, Window};
use odata::json::{Member, Node, write_members, write_node};
use store::Reader;
use web::Problem;

use super::entity::{quality_member, record_text, whole_record};
use super::narrowing::{choosing, narrow};
use super::selection::{exhausted, load};
use super::{Answer, Base, Composer, Question};
use crate::scope::Content;
use crate::target::PropertyForm;

impl Composer {
    /// The value at the end of a path from an entity.
    pub(super) fn property(
        &self,
        reader: &mut Reader,
        question: &Question,
        path: &[PathStep],
        form: PropertyForm,
        query: &Query,
    ) -> Result<Answer, Problem> {
        let text = match &question.target.base {
            Base::Record(record) if calls(path) => {
                let row = self.scope.find(reader, record)?;
                whole_record(reader, &row, false)?
            }
            Base::Record(record) => {
                let row = self.scope.find(reader, record)?;
                let mut text = record_text(&row)?;
                if is_quality(path) {
                    text.pop();
                    let verdict = quality_member(&reader.verdict(&row)?);
                    text.push_str(&String::from_utf8_lossy(&verdict));
                    text.push('}');
                }
                text
            }
            base => match self.entity(reader, base)? {
                Some((mut entity, ..)) => {
                    if is_quality(path) {
                        entity.quality = entity.judged()?;
                    }
                    entity.text()
                }
                None => return Ok(Answer::Nothing),
            },
        };
        let entity = load(&text, &self.budget.meter)?;
        let made = made(&entity, path, &self.budget.meter)?;
        let (start, path) = match &made {
            Some(made) => (made, &path[1..]),
            None => (&entity, path),
        };
        let Some(value) = walk(start, path)? else { return Ok(Answer::Nothing) };
        match (form, value) {
            (_, Node::Null) => Ok(Answer::Nothing),
            (PropertyForm::Raw, value) => Ok(raw(value)),
            (_, Node::Array(items)) => self.collection(question, (items, &entity), form, query),
            (PropertyForm::Count, _) => Err(Problem::no_such_route()),
            (PropertyForm::Object, Node::Object(members)) => {
                let mut out = self.open(question, 1024);
                out.push(b',');
                let mut members = members.clone();
                self.narrow(question, &mut members, &entity)?;
                write_members(&mut out, &members);
                out.push(b'}');
                self.finish(out, question, &content_of(question, false))
            }
            (PropertyForm::Object, value) => {
                let mut out = self.open(question, 256);
                out.extend_from_slice(b",\"value\":");
                write_node(&mut out, value);
                out.push(b'}');
                self.finish(out, question, &content_of(question, false))
            }
        }
    }

    /// Leaves out items of collections that are not chosen. `entity` is the one that the path starts at.
    fn narrow(
        &self,
        question: &Question,
        members: &mut Vec<Member<'_>>,
        entity: &Node<'_>,
    ) -> Result<(), Problem> {
        match (choosing(&question.query), type_of(question)) {
            (Some(select), Type::Structured(ty)) => {
                narrow(members, ty, select, (entity, &self.budget.meter))
            }
            _ => Ok(()),
        }
    }

    fn collection(
        &self,
        question: &Question,
        (items, entity): (&[Node<'_>], &Node<'_>),
        form: PropertyForm,
        query: &Query,
    ) -> Result<Answer, Problem> {
        let is_count = form == PropertyForm::Count;
        let query = Query { count: is_count || query.count, ..query.clone() };
        let ty = type_of(question);
        let sieve = Sieve::new(&query);
        let size = if is_count { 0 } else { usize::MAX };
        let finder = Finder::default();
        let mut pager =
            Pager::new(&sieve, Window::of(&query, 0, size), ty, self.environment(&finder));
        for item in items {
            let keep = |node: &Node<'_>| node.clone().into_owned();
            if pager.offer(Cow::Borrowed(item), keep).is_break() {
                break;
            }
        }
        let Selection { items, count: total, .. } = pager.finish().map_err(exhausted)?;
        if is_count {
            return Ok(Answer::Text(total.unwrap_or_default().to_string()));
        }
        let mut out = self.open(question, 1024);
        if let (true, Some(total)) = (question.query.count, total) {
            out.extend_from_slice(format!(",\"@odata.count\":{total}").as_bytes());
        }
        out.extend_from_slice(b",\"value\":[");
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            let mut item = item.clone();
            if let Node::Object(members) = &mut item {
                self.narrow(question, members, entity)?;
            }
            write_node(&mut out, &item);
        }
        out.extend_from_slice(b"]}");
        self.finish(out, question, &content_of(question, true))
    }
}

/// Whether a path begins with a function.
fn calls(path: &[PathStep]) -> bool {
    matches!(path.first(), Some(PathStep::Call(_)))
}

/// The value of the function that a path begins with.
fn made(
    entity: &Node<'_>,
    path: &[PathStep],
    meter: &Meter,
) -> Result<Option<Node<'static>>, Problem> {
    let Some(PathStep::Call(call)) = path.first() else { return Ok(None) };
    meter.take_steps(call.function.steps(entity));
    meter.check().map_err(exhausted)?;
    Ok(Some(call.function.value(entity)))
}

/// Whether a path leads to the verdict, or into it.
fn is_quality(path: &[PathStep]) -> bool {
    matches!(path.first(), Some(PathStep::Property(property)) if property.name == QUALITY)
}

fn type_of(question: &Question) -> Type {
    question.resource.ty.unwrap_or(Type::Undeclared(""))
}

fn content_of(question: &Question, is_collection: bool) -> Content<'_> {
    Content { ty: type_of(question), is_collection, path: &question.path, has_unsettled_enum: true }
}

/// The value at the end of a path; `None` where a step leads to nothing, 404 where a value is not of
/// the type that the path says.
fn walk<'n, 'a>(
    mut node: &'n Node<'a>,
    path: &[PathStep],
) -> Result<Option<&'n Node<'a>>, Problem> {
    for step in path {
        let next = match step {
            PathStep::Property(property) => node.get(property.name),
            PathStep::Member(name) => node.get(name),
            PathStep::Cast(ty) if is_of(node, ty) => Some(node),
            PathStep::Cast(_) => return Err(Problem::no_such_route()),
            _ => None,
        };
        match next {
            Some(next) if *next != Node::Null => node = next,
            _ => return Ok(None),
        }
    }
    Ok(Some(node))
}

/// Whether a value says that it is of a type; what says nothing is of the type that is asked for.
fn is_of(node: &Node<'_>, ty: &StructuredType) -> bool {
    match node.get("@odata.type").and_then(Node::as_text) {
        Some(name) => {
            let name = name.value();
            let name = name.trim_start_matches('#');
            name == ty.name || ty.derived.iter().any(|derived| derived.name == name)
        }
        None => true,
    }
}

/// A value bare, as `/$value` gives it.
fn raw(value: &Node<'_>) -> Answer {
    match value {
        Node::String(text) => Answer::Text(text.value().into_owned()),
        other => {
            let mut out = Vec::new();
            write_node(&mut out, other);
            Answer::Text(String::from_utf8_lossy(&out).into_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use model::generated;

    use super::*;

    #[test]
    fn a_path_leads_through_objects_and_casts() {
        let text =
            r##"{"a":{"@odata.type":"#microsoft.graph.callRecords.serviceEndpoint","b":1}}"##;
        let node = Node::parse(text).unwrap();
        let member = |name: &str| PathStep::Member(name.to_owned());
        let value = walk(&node, &[member("a"), member("b")]).unwrap();
        assert_eq!(value, Some(&Node::Number("1".into())));
        let cast = PathStep::Cast(&generated::PARTICIPANT_ENDPOINT);
        assert!(walk(&node, &[member("a"), cast.clone(), member("b")]).is_err());
        assert_eq!(walk(&node, &[member("c"), cast, member("b")]).unwrap(), None);
        let cast = PathStep::Cast(&generated::ENDPOINT);
        assert_eq!(walk(&node, &[member("a"), cast, member("b")]).unwrap(), value);
    }

    #[test]
    fn bare_values_are_not_quoted() {
        let text = Node::parse(r#""PT1S\n""#).unwrap();
        assert!(matches!(raw(&text), Answer::Text(text) if text == "PT1S\n"));
        assert!(matches!(raw(&Node::Number("0.10".into())), Answer::Text(text) if text == "0.10"));
    }
}
