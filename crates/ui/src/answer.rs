//! Answers at the addresses of the pages.

use graph::pages::{PageAnswer, PageWorker, Pages};
use http::uri::PathAndQuery;
use http::{Method, StatusCode};
use pages::frame::Tab;
use pages::sign_in::{Refusal, page as sign_in_page};
use web::{Arrival, Problem, Response};

use crate::address::{Address, Page};
use crate::assets::ASSETS;
use crate::page::{self, Content, Surroundings, guarded};
use crate::sign_in::{self, Outcome, to};
use crate::site::Site;
use crate::visitor::{Visit, Visitor};
use crate::{assets, view};

impl Pages for Site {
    fn answer(&self, worker: PageWorker, arrival: Arrival) -> PageAnswer<'_> {
        Box::pin(answer(self, worker, arrival))
    }
}

/// Answers a request; what goes wrong is a page as well.
async fn answer(site: &Site, worker: PageWorker, arrival: Arrival) -> Result<Response, Problem> {
    let is_secure = worker.public_url().starts_with("https:");
    let nobody = Surroundings { version: worker.version(), visit: None, search: "" };
    let refuse = |problem: &Problem| {
        problem.log_cause();
        page::problem(nobody, problem)
    };
    let Some(address) = Address::of(arrival.uri.path()) else {
        return Ok(nowhere(&worker, &arrival, is_secure).await);
    };
    let answered = match (address, &arrival.method) {
        (Address::Asset(name), &Method::GET) => {
            assets::answer(&name).ok_or_else(|| Problem::not_there("There is no such file."))
        }
        (Address::SignIn, &Method::POST) => {
            sign_in::by_link(&worker, arrival, is_secure).await.map(|outcome| match outcome {
                Outcome::Done(response) => guarded(response),
                Outcome::Refused(refusal) => {
                    ask_for_code(nobody, Some(refusal), None).with_status(StatusCode::FORBIDDEN)
                }
            })
        }
        (Address::SignIn, &Method::GET) => Ok(ask_for_code(nobody, None, None)),
        (Address::SignOut, &Method::POST) => {
            sign_in::out(&worker, arrival, is_secure).await.map(guarded)
        }
        (Address::Start, &Method::GET) => start(site, &worker, &arrival, is_secure).await,
        (Address::Of(tenant, page), &Method::GET) => {
            match Visitor::of(&worker, &arrival.headers, is_secure).await {
                Ok(Visit::By(visitor)) if visitor.session.tenant == tenant => {
                    return Ok(of_visitor(&worker, &visitor, page, &arrival).await);
                }
                // Of another tenant nothing is told, not even whether it is there.
                Ok(Visit::By(_)) => return Ok(nowhere(&worker, &arrival, is_secure).await),
                Ok(visit) => sign_in_first(site, &worker, (&arrival, &visit), is_secure).await,
                Err(problem) => Err(problem),
            }
        }
        _ => Err(Problem::method_not_allowed([&Method::GET])),
    };
    Ok(answered.unwrap_or_else(|problem| refuse(&problem)))
}

/// 404 for an address that leads to no page, with the navigation for somebody who is signed in.
async fn nowhere(worker: &PageWorker, arrival: &Arrival, is_secure: bool) -> Response {
    let visit = Visitor::of(worker, &arrival.headers, is_secure).await;
    let visitor = match &visit {
        Ok(Visit::By(visitor)) => Some((visitor, Tab::Other)),
        _ => None,
    };
    let around = Surroundings { version: worker.version(), visit: visitor, search: "" };
    page::problem(around, &Problem::not_there("There is no such page."))
}

async fn start(
    site: &Site,
    worker: &PageWorker,
    arrival: &Arrival,
    is_secure: bool,
) -> Result<Response, Problem> {
    let is_out = arrival.uri.query() == Some("out=1");
    match Visitor::of(worker, &arrival.headers, is_secure).await? {
        Visit::By(visitor) => Ok(guarded(to(&format!("{}/", page::base(&visitor))))),
        visit if is_out => {
            let nobody = Surroundings { version: worker.version(), visit: None, search: "" };
            drop(visit);
            Ok(ask_for_code(nobody, None, None))
        }
        visit => sign_in_first(site, worker, (arrival, &visit), is_secure).await,
    }
}

/// Signs in visitors who need no link, and asks the others for theirs.
async fn sign_in_first(
    site: &Site,
    worker: &PageWorker,
    (arrival, visit): (&Arrival, &Visit),
    is_secure: bool,
) -> Result<Response, Problem> {
    if let Some(auto) = &site.auto_sign_in
        && let Some(response) = sign_in::by_itself(worker, (auto, arrival), is_secure).await?
    {
        return Ok(guarded(response));
    }
    let nobody = Surroundings { version: worker.version(), visit: None, search: "" };
    let refusal = matches!(visit, Visit::Over).then_some(Refusal::Session);
    let wanted = arrival.uri.path_and_query().map(PathAndQuery::as_str);
    Ok(ask_for_code(nobody, refusal, wanted))
}

/// `wanted` is the page that was asked for, to which signing in leads.
fn ask_for_code(
    nobody: Surroundings<'_>,
    refusal: Option<Refusal>,
    wanted: Option<&str>,
) -> Response {
    let main = sign_in_page(refusal, wanted);
    let content = Content { title: "Sign in".to_owned(), main, requests: Vec::new() };
    page::with_script(nobody, &content, Some(&ASSETS.sign_in))
}

/// A page of somebody who is signed in.
async fn of_visitor(
    worker: &PageWorker,
    visitor: &Visitor,
    page: Page,
    arrival: &Arrival,
) -> Response {
    let tab = if page == Page::Overview { Tab::Overview } else { Tab::Calls };
    let around =
        Surroundings { version: worker.version(), visit: Some((visitor, tab)), search: "" };
    if !visitor.may_read() {
        let message =
            "You are signed in, but without the role Callvault.Reader, which opens calls.";
        return page::problem(around, &Problem::forbidden_because(message));
    }
    let query = arrival.uri.query();
    let made = match page {
        Page::Overview => view::overview::answer(worker, visitor, query).await,
        Page::Calls => view::calls::answer(worker, visitor, query).await,
        Page::Call(id) => view::call::answer(worker, visitor, (&id, query)).await,
        Page::Json(id) => view::call::json(worker, visitor, (&id, query)).await,
    };
    made.unwrap_or_else(|problem| {
        problem.log_cause();
        page::problem(around, &problem)
    })
}
