//! What stands around every page: head, navigation, search, and the requests that the page is made of.

use maud::{DOCTYPE, Markup, html};

use crate::assets::Assets;
use crate::format::visible;

/// What is around a page.
#[derive(Debug, Clone)]
pub struct Frame<'a> {
    /// The one heading of the page.
    pub title: &'a str,
    /// Where the files are.
    pub assets: &'a Assets,
    /// Version of the program.
    pub version: &'a str,
    /// Who looks at which tenant; none while nobody is signed in.
    pub visit: Option<Visit<'a>>,
    /// Questions to the API that give what the page shows.
    pub requests: &'a [Request],
}

/// Who looks at which tenant.
#[derive(Debug, Clone, Copy)]
pub struct Visit<'a> {
    /// What addresses of the tenant begin with, without a slash at the end.
    pub base: &'a str,
    /// The name of the person who is signed in.
    pub name: &'a str,
    /// Proves that a form comes from this session.
    pub form_token: &'a str,
    /// Which part of the navigation the page belongs to.
    pub tab: Tab,
    /// What stands in the search box.
    pub search: &'a str,
}

/// A part of the navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tab {
    /// The overview.
    Overview,
    /// Calls.
    Calls,
    /// None of them.
    Other,
}

/// A question to the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// What it gives.
    pub title: String,
    /// Its address, encoded.
    pub url: String,
}

/// A whole page.
pub fn page(frame: &Frame<'_>, main: &Markup) -> String {
    page_with(frame, main, None)
}

/// A whole page that loads a script.
pub fn page_with(frame: &Frame<'_>, main: &Markup, script: Option<&str>) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (frame.title) " · Callvault" }
                link rel="stylesheet" href=(frame.assets.style);
                @if let Some(script) = script {
                    script type="module" src=(script) {}
                }
            }
            body {
                a class="skip" href="#main" { "Skip to content" }
                (top(frame))
                main id="main" {
                    h1 { (visible(frame.title)) }
                    (main)
                    (requests(frame.requests))
                }
                footer { "Callvault " (frame.version) " · times are UTC" }
            }
        }
    };
    page.into_string()
}

fn top(frame: &Frame<'_>) -> Markup {
    let Some(visit) = &frame.visit else {
        return html! { header class="top" { span class="brand" { "Callvault" } } };
    };
    let Visit { base, name, form_token, tab, search } = *visit;
    let current = |of| (of == tab).then_some("page");
    html! {
        header class="top" {
            a class="brand" href=(format!("{base}/")) { "Callvault" }
            nav aria-label="Pages" {
                a href=(format!("{base}/")) aria-current=[current(Tab::Overview)] { "Overview" }
                a href=(format!("{base}/calls")) aria-current=[current(Tab::Calls)] { "Calls" }
            }
            form role="search" action=(format!("{base}/calls")) {
                label class="skip" for="search" { "Search calls" }
                input id="search" type="search" name="q" value=(search) size="28"
                    placeholder="Name, number, device, id, subnet";
                button { "Search" }
            }
            form class="who" method="post" action="/ui/sign-out" {
                span { (visible(name)) }
                input type="hidden" name="token" value=(form_token);
                button { "Sign out" }
            }
        }
    }
}

fn requests(requests: &[Request]) -> Markup {
    html! {
        @if !requests.is_empty() {
            details class="requests" {
                summary { "Requests that give these figures" }
                p class="soft" {
                    "They need a token of the API, which the command line makes beside the store: "
                    code { "export TOKEN=$(callvault token --role CallRecords.Read.All)" }
                    @if requests.iter().any(|request| request.url.starts_with("https:")) {
                        ". If the server made its certificate itself, curl also needs "
                        code { "--cacert cert.pem" }
                    }
                    "."
                }
                @for request in requests {
                    p class="soft" { (request.title) }
                    pre { "curl -g -H \"Authorization: Bearer $TOKEN\" \\\n  '" (request.url) "'" }
                }
            }
        }
    }
}
