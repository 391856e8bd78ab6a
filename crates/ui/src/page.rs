//! A page as an answer: what stands around it, its status and its header lines.

use http::StatusCode;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, REFERRER_POLICY,
};
use maud::{Markup, html};
use pages::frame::{Frame, Request, Tab, Visit, page_with};
use pages::message::{Failure, failure};
use web::response::ContentType;
use web::{Problem, Response};

use crate::assets::ASSETS;
use crate::visitor::Visitor;

/// Only files of this server, no code but theirs, and nobody may frame a page.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                      connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; \
                      require-trusted-types-for 'script'; trusted-types 'none'";

const HEADERS: [(HeaderName, HeaderValue); 6] = [
    (CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
    (CACHE_CONTROL, HeaderValue::from_static("private, no-store")),
    (REFERRER_POLICY, HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("x-content-type-options"), HeaderValue::from_static("nosniff")),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    ),
];

/// What a page is made of.
#[derive(Debug)]
pub(crate) struct Content {
    pub(crate) title: String,
    pub(crate) main: Markup,
    /// The questions that give what it shows.
    pub(crate) requests: Vec<Request>,
}

/// What is the same for all pages of a visit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Surroundings<'a> {
    pub(crate) version: &'a str,
    /// Who is signed in, and the part of the navigation.
    pub(crate) visit: Option<(&'a Visitor, Tab)>,
    /// What stands in the search box.
    pub(crate) search: &'a str,
}

/// An answer with a page.
pub(crate) fn answer(around: Surroundings<'_>, content: &Content) -> Response {
    with_script(around, content, None)
}

/// An answer with a page that loads a script.
pub(crate) fn with_script(
    around: Surroundings<'_>,
    content: &Content,
    script: Option<&str>,
) -> Response {
    let base = around.visit.map(|(visitor, _)| base(visitor)).unwrap_or_default();
    let visit = around.visit.map(|(visitor, tab)| Visit {
        base: &base,
        name: &visitor.session.name,
        form_token: &visitor.form_token,
        tab,
        search: around.search,
    });
    let frame = Frame {
        title: &content.title,
        assets: &ASSETS,
        version: around.version,
        visit,
        requests: &content.requests,
    };
    let text = page_with(&frame, &content.main, script);
    guarded(Response::of(ContentType::Html, text))
}

/// A page that says why there is no other, with the status and the header lines of the problem.
pub(crate) fn problem(around: Surroundings<'_>, problem: &Problem) -> Response {
    problem_with(around, problem, &Markup::default())
}

/// The same with the form behind it in which the request can be corrected.
pub(crate) fn problem_with(around: Surroundings<'_>, problem: &Problem, form: &Markup) -> Response {
    let status = problem.code().status();
    let title = match status {
        StatusCode::NOT_FOUND => "Not found",
        StatusCode::FORBIDDEN => "Not allowed",
        StatusCode::SERVICE_UNAVAILABLE => "No answer in time",
        _ => "No answer",
    };
    let told = Failure { code: problem.code().name(), message: problem.message() };
    let main = html! { (failure(told)) (form) };
    let content = Content { title: title.to_owned(), main, requests: Vec::new() };
    let mut response = answer(around, &content).with_status(status);
    response.headers.extend(problem.headers().iter().cloned());
    response
}

/// With the header lines of all answers to people.
pub(crate) fn guarded(mut response: Response) -> Response {
    response.headers.extend(HEADERS);
    response
}

/// What addresses of the tenant of a visitor begin with.
pub(crate) fn base(visitor: &Visitor) -> String {
    format!("/ui/{}", visitor.session.tenant)
}
