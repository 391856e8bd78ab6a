//! The text of a page of a collection: what stands around its items, and each item in the form that was
//! asked for.
//!
//! An item whose kept text can't be read is shown as an error in its place, and costs no other one.

use model::assemble::push_annotation;
use model::variation::{Shape, Subject, vary_item};
use odata::MetadataLevel;
use odata::bound::Query;
use odata::edm::{StructuredType, Type};
use odata::json::{Json, Node, push_member, push_string};
use web::problem::{Code, Problem};

use crate::warning::Remarks;

/// The member of an item that can't be shown. What comes in has none of that name.
pub(crate) const ERROR: &str = "@error";

/// What an answer says of an item that can't be shown; the log has the cause.
const MESSAGE: &str = "What is kept of this item is damaged, and can't be shown.";

/// In which form a page goes out.
#[derive(Clone, Copy)]
pub(crate) struct PageForm<'a> {
    /// The type of the items.
    pub(crate) ty: &'static StructuredType,
    /// The path of the collection, as contexts write it.
    pub(crate) path: &'a str,
    /// The service root with the version.
    pub(crate) root: &'a str,
    pub(crate) query: &'a Query,
    pub(crate) shape: Shape,
}

/// A page, growing.
pub(crate) struct PageText<'a> {
    out: Vec<u8>,
    form: PageForm<'a>,
    /// The service root with the version and a closing slash.
    root: String,
    /// Where the items begin.
    items_at: usize,
}

impl<'a> PageText<'a> {
    /// Opens the page with its context and what is to be said of the query; `capacity` are the bytes that it may need.
    pub(crate) fn open(
        form: PageForm<'a>,
        context: &[&str],
        remarks: &Remarks,
        capacity: usize,
    ) -> Self {
        let mut out = Vec::with_capacity(capacity);
        out.push(b'{');
        if form.shape.metadata != MetadataLevel::None {
            push_annotation(&mut out, "@odata.context", context);
        }
        remarks.push(&mut out);
        Self { out, form, root: format!("{}/", form.root), items_at: 0 }
    }

    /// Says how many items there are on all pages, if that is asked for.
    pub(crate) fn count(&mut self, count: Option<u64>) {
        let Some(count) = count else { return };
        self.separate();
        let quote = if self.form.shape.ieee754_compatible { "\"" } else { "" };
        self.out.extend_from_slice(format!("\"@odata.count\":{quote}{count}{quote}").as_bytes());
    }

    /// Says where the next page is, if there is one.
    pub(crate) fn link(&mut self, next: Option<&str>) {
        let Some(next) = next else { return };
        self.separate();
        push_annotation(&mut self.out, "@odata.nextLink", &[next]);
    }

    /// Says where to ask for what changes.
    pub(crate) fn delta_link(&mut self, link: &str) {
        self.separate();
        push_annotation(&mut self.out, "@odata.deltaLink", &[link]);
    }

    /// Begins the items.
    pub(crate) fn open_items(&mut self) {
        self.separate();
        self.out.extend_from_slice(b"\"value\":[");
        self.items_at = self.out.len();
    }

    /// Adds an item, which `push` appends with its braces in the form in which it is kept. `id` names it
    /// where it can't be shown.
    pub(crate) fn item(
        &mut self,
        id: &str,
        is_varied: bool,
        push: impl FnOnce(&mut Vec<u8>) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        if self.out.len() > self.items_at {
            self.out.push(b',');
        }
        let begin = self.out.len();
        let mut made = push(&mut self.out);
        if is_varied && made.is_ok() {
            made = self.vary(begin);
        }
        match made {
            Err(problem) if problem.is_damage() => {
                self.out.truncate(begin);
                self.out.extend_from_slice(error_row(id, &problem).as_str().as_bytes());
                Ok(())
            }
            made => made,
        }
    }

    /// Adds an item that is gone, or does not meet the conditions any more (OData JSON Format section
    /// 15.3).
    pub(crate) fn removed(&mut self, id: &str, reason: &str) {
        if self.out.len() > self.items_at {
            self.out.push(b',');
        }
        self.out.extend_from_slice(b"{\"@removed\":{");
        push_member(&mut self.out, "reason", reason);
        self.out.extend_from_slice(b"},");
        push_member(&mut self.out, "id", id);
        self.out.push(b'}');
    }

    fn vary(&mut self, begin: usize) -> Result<(), Problem> {
        let PageForm { ty, path, query, shape, .. } = self.form;
        let subject =
            Subject { ty: Type::Structured(ty), is_collection: true, path, root: &self.root };
        let varied =
            vary_item(&self.out[begin..], &subject, query, &shape).map_err(Problem::damaged)?;
        self.out.truncate(begin);
        self.out.extend_from_slice(&varied);
        Ok(())
    }

    /// Ends the items.
    pub(crate) fn close_items(&mut self) {
        self.out.push(b']');
    }

    /// Ends the page.
    pub(crate) fn close(mut self) -> Vec<u8> {
        self.out.push(b'}');
        self.out
    }

    fn separate(&mut self) {
        if self.out.len() > 1 {
            self.out.push(b',');
        }
    }
}

/// What is shown in place of an item whose kept text can't be read. Its cause goes to the log.
pub(crate) fn error_row(id: &str, problem: &Problem) -> Json {
    tracing::error!(id, cause = ?problem, "an item can't be shown");
    let mut out = vec![b'{'];
    if !id.is_empty() {
        push_member(&mut out, "id", id);
        out.push(b',');
    }
    push_string(&mut out, ERROR);
    out.extend_from_slice(b":{");
    push_member(&mut out, "code", Code::Internal.name());
    out.push(b',');
    push_member(&mut out, "message", MESSAGE);
    out.extend_from_slice(b"}}");
    Json::from_written(out)
}

/// What is shown in place of such an item, as a value.
pub(crate) fn error_node(id: &str, problem: &Problem) -> Node<'static> {
    let row = error_row(id, problem);
    Node::parse(row.as_str()).map_or(Node::Null, Node::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::generated::CALL_RECORD;

    fn page(shape: Shape) -> String {
        let query = Query::default();
        let form = PageForm {
            ty: &CALL_RECORD,
            path: "records",
            root: "https://x/v1.0",
            query: &query,
            shape,
        };
        let mut page = PageText::open(
            form,
            &["https://x/v1.0/$metadata#", "records"],
            &Remarks::default(),
            64,
        );
        page.count(Some(3));
        page.open_items();
        for text in [r#"{"id":"a"}"#, r#"{"id":"b""#, r#"{"id":"c","version":1}"#] {
            let push = |out: &mut Vec<u8>| {
                out.extend_from_slice(text.as_bytes());
                Ok(())
            };
            page.item("it\"s", true, push).unwrap();
        }
        page.item("d", false, |_| Err(Problem::damaged("cut"))).unwrap();
        page.close_items();
        page.link(Some("https://x/?\"next"));
        String::from_utf8(page.close()).unwrap()
    }

    #[test]
    fn a_damaged_item_costs_no_other_one() {
        let shape = Shape { metadata: MetadataLevel::None, ..Shape::default() };
        let error = format!(r#""@error":{{"code":"generalException","message":"{MESSAGE}"}}"#);
        let expected = format!(
            r#"{{"@odata.count":3,"value":[{{"id":"a"}},{{"id":"it\"s",{error}}},{{"id":"c","version":1}},{{"id":"d",{error}}}],"@odata.nextLink":"https://x/?\"next"}}"#
        );
        assert_eq!(page(shape), expected);
    }

    #[test]
    fn other_problems_end_the_page() {
        let query = Query::default();
        let shape = Shape::default();
        let form = PageForm { ty: &CALL_RECORD, path: "", root: "", query: &query, shape };
        let mut page = PageText::open(form, &["c"], &Remarks::default(), 0);
        page.open_items();
        assert!(page.item("a", false, |_| Err(crate::record::not_found())).is_err());
    }

    #[test]
    fn what_stands_around_the_items_has_the_form_that_was_asked_for() {
        let shape = Shape { ieee754_compatible: true, ..Shape::default() };
        let text = page(shape);
        let node = Node::parse(&text).unwrap();
        assert_eq!(node.get("@odata.count").unwrap().kind(), "a string");
        assert!(node.get("@odata.context").is_some());
        let items = node.get("value").unwrap().as_array().unwrap();
        assert_eq!(items[2].get("version").unwrap().kind(), "a string");
    }
}
