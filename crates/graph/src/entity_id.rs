//! `$entity?$id=…`: the entity that an id names (URL Conventions 4.14; OData Protocol 4.1 and 11.2.4). An id
//! here is the address that `@odata.id` states, so the request becomes one for that address.

use odata::bound::{Resource, Step};
use odata::edm::{Kind, Type};
use odata::percent::{Plus, decode};
use web::Problem;

use crate::request::Request;
use crate::worker::Worker;

/// The option that has the id.
const OPTION: &str = "$id";

/// The type behind `/$entity/`, if that is what a path begins with: empty for `/$entity` alone.
fn type_behind(path: &str) -> Option<&str> {
    let rest = path.strip_prefix("/$entity").or_else(|| path.strip_prefix("/%24entity"))?;
    rest.is_empty().then_some(rest).or_else(|| rest.strip_prefix('/'))
}

/// Whether a path asks for the entity that an id names.
pub(crate) fn is_asked(path: &str) -> bool {
    type_behind(path).is_some()
}

/// Turns the request into one for the address that its `$id` states. A change of a reference loses the
/// option, as no reference can be changed.
///
/// # Errors
/// 400 without an id, or with what is none of ours.
pub(crate) fn follow(worker: &Worker, request: &mut Request) -> Result<bool, Problem> {
    let (path, query) = (request.path(), request.query().unwrap_or_default());
    let is_change = request.method != http::Method::GET;
    if is_change && path.ends_with("/$ref") {
        let (_, others) = split(query)?;
        let path = path.to_owned();
        request.lead_to(&path, &others)?;
        return Ok(false);
    }
    let Some(ty) = type_behind(path) else { return Ok(false) };
    if is_change {
        return Err(refuse_method());
    }
    if worker.settings.is_strict {
        return Err(Problem::not_supported(
            "Microsoft Graph does not support the path segment \
                                           '/$entity'.",
        )
        .with_target("path"));
    }
    let (ids, others) = split(query)?;
    let id = match ids.as_slice() {
        [id] => id,
        [] => return Err(refused("'/$entity' needs the query option '$id'.")),
        _ => return Err(refused("The query option '$id' is repeated.")),
    };
    let root = worker.urls().root(request.place.version);
    let address = below(root, id).ok_or_else(|| {
        refused(&format!(
            "'{id}' is not the id of an entity of this service: ids begin with '{root}/'."
        ))
    })?;
    let slash = if ty.is_empty() { "" } else { "/" };
    let path = format!("/{}{slash}{ty}", address.trim_end_matches('/'));
    request.lead_to(&path, &others)?;
    Ok(true)
}

/// 405: an id is only resolved.
pub(crate) fn refuse_method() -> Problem {
    Problem::method_not_allowed([&http::Method::GET, &http::Method::HEAD])
}

/// Checks that an id led to one entity.
///
/// # Errors
/// 400 if it led to anything else.
pub(crate) fn check(resource: &Resource) -> Result<(), Problem> {
    let is_entity = matches!(resource.ty, Some(Type::Structured(ty)) if ty.kind == Kind::Entity);
    let last = resource.steps.iter().rev().find(|step| !matches!(step, Step::Cast(_)));
    let is_named =
        matches!(last, Some(Step::Key(_) | Step::Navigation(_) | Step::Singleton { .. }));
    if is_entity && is_named && !resource.is_collection {
        return Ok(());
    }
    Err(refused("What '$id' names is not an entity."))
}

fn refused(message: &str) -> Problem {
    Problem::bad_request(message.to_owned()).with_target(OPTION)
}

/// The ids that a query has, decoded, and its other options as they are.
fn split(query: &str) -> Result<(Vec<String>, String), Problem> {
    let (mut ids, mut others) = (Vec::new(), Vec::new());
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        if !decode(name, Plus::Space).is_ok_and(|name| name == OPTION) {
            others.push(pair);
            continue;
        }
        // A plus stands in ids that are telephone numbers.
        let id = decode(value, Plus::Literal)
            .map_err(|_| refused("The query option '$id' is no percent-encoded UTF-8."))?;
        ids.push(id.into_owned());
    }
    Ok((ids, others.join("&")))
}

/// The part of an id behind the root of the service: of a whole address, one that begins at the host, or one
/// that is relative to the root.
fn below<'i>(root: &str, id: &'i str) -> Option<&'i str> {
    let of_host = || {
        let (_, behind) = root.split_once("://")?;
        id.strip_prefix(&behind[behind.find('/')?..])
    };
    let rest = match id.strip_prefix(root).or_else(|| id.starts_with('/').then(of_host)?) {
        Some(rest) => rest.strip_prefix('/')?,
        None if id.starts_with('/') || id.contains("://") => return None,
        None => id,
    };
    let is_path = !rest.is_empty() && !rest.contains(['?', '#']);
    is_path.then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_below_the_root_however_they_are_written() {
        let root = "https://graph.contoso.com/v1.0";
        let path = "communications/callRecords('a%20b')";
        for id in [path.to_owned(), format!("/v1.0/{path}"), format!("{root}/{path}")] {
            assert_eq!(below(root, &id), Some(path), "{id}");
        }
        for id in [
            "",
            "/",
            root,
            "https://graph.contoso.com/v1.0/",
            "https://graph.contoso.com/v1.0x/communications",
            "https://graph.contoso.com/beta/communications",
            "https://other.contoso.com/v1.0/communications",
            "/beta/communications",
            "/communications",
            "communications?$top=1",
            "communications#x",
        ] {
            assert_eq!(below(root, id), None, "{id}");
        }
    }

    #[test]
    fn an_id_is_taken_out_of_the_options() {
        let (ids, others) = split("$expand=a&%24id=x('%2B1+%25')&&$select=b").unwrap();
        assert_eq!((ids, others), (vec!["x('+1+%')".to_owned()], "$expand=a&$select=b".to_owned()));
        assert_eq!(split("id=x").unwrap().0, Vec::<String>::new());
    }

    #[test]
    fn only_the_root_has_entities_by_their_ids() {
        for (path, expected) in [
            ("/$entity", Some("")),
            ("/%24entity", Some("")),
            ("/$entity/a.b", Some("a.b")),
            ("/$entitys", None),
            ("/communications/$entity", None),
        ] {
            assert_eq!(type_behind(path), expected, "{path}");
        }
    }
}
