//! Graph's API as the server's application, on one worker thread.

use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;

use http::Method;
use web::layers::admit;
use web::request_id::RequestIds;
use web::{
    Activity, Application, Arrival, Entry, Problem, Request, Response, StartError, Subject, Trace,
};

use crate::direct::{self, Direct};
use crate::emulated::admit_emulated;
use crate::pages::{PageWorker, Pages};
use crate::place_maps::Named;
use crate::request::Place;
use crate::routes::{self, Handler, Lead, Rows};
use crate::throttling;
use crate::version::ApiVersion;
use crate::worker::{Shared, Worker};
use crate::{batch, dispatch, front_page, mirror_notices, oauth, place_maps};

/// The application.
#[derive(Debug)]
pub(crate) struct App {
    worker: Rc<Worker>,
    /// What the fast way keeps.
    direct: Rc<direct::State>,
    pages: Option<Arc<dyn Pages>>,
}

/// What the applications of all threads share.
#[derive(Debug)]
pub(crate) struct AppShared {
    pub(crate) shared: Arc<Shared>,
    /// Makes the pages for people, if there are any.
    pub(crate) pages: Option<Arc<dyn Pages>>,
}

/// What answers by itself.
#[derive(Debug)]
pub(crate) enum Special {
    FrontPage(Rows),
    Pages(Rows),
    Batch(Rows, ApiVersion),
    Issuer(Rows, String),
    PlaceMaps(Rows, Option<Named>),
    MirrorNotices(Rows, String, String),
}

impl Application for App {
    type Shared = AppShared;
    type Place = Place;
    type Special = Special;
    type Fast = Direct;

    fn new(web: Rc<web::Worker>, served: Arc<AppShared>) -> Result<Self, StartError> {
        let direct = Rc::new(direct::State::new(web.shared.threads));
        let (shared, pages) = (Arc::clone(&served.shared), served.pages.clone());
        Ok(Self { worker: Rc::new(Worker::new(web, shared)), direct, pages })
    }

    fn worker(&self) -> &Rc<web::Worker> {
        &self.worker.web
    }

    fn fast_way(self: &Rc<Self>, activity: &Rc<Activity>) -> Option<Direct> {
        // What is answered directly passes none of the layers, and so no emulator.
        let is_open = self.worker.shared.emulator.is_none();
        is_open.then(|| {
            Direct::new(Rc::clone(&self.worker), Rc::clone(&self.direct), Rc::clone(activity))
        })
    }

    async fn enter(
        self: &Rc<Self>,
        arrival: Arrival,
        trace: &mut Trace,
        ids: &RequestIds,
    ) -> Result<Response, Problem> {
        match &self.worker.shared.emulator {
            None => admit(self, arrival, trace).await,
            Some(emulator) => {
                // Rare and large: kept out of the future of every request.
                Box::pin(admit_emulated(self, emulator, arrival, trace, ids)).await
            }
        }
    }

    fn lead(path: &str) -> Result<Entry<Self>, Problem> {
        #[cfg(test)]
        assert_ne!(path, "/panic", "a panic on purpose");
        let resource = |version, path_start, document: Option<Rows>| Entry::Resource {
            place: Place { version, document },
            path_start,
            is_public: document.is_some(),
        };
        Ok(match routes::lead(path)? {
            Lead::Resources { version, path_start } => resource(version, path_start, None),
            Lead::Version { version, path_start, rows } => match rows.first().handler {
                Handler::Batch => Entry::Special(Special::Batch(rows, version)),
                _ => resource(version, path_start, Some(rows)),
            },
            Lead::Tenant { tenant, rows } => {
                Entry::Special(Special::Issuer(rows, tenant.to_owned()))
            }
            Lead::PlaceMaps { rows, name, version } => {
                let named = name.map(|name| Named { name: name.to_owned(), version });
                Entry::Special(Special::PlaceMaps(rows, named))
            }
            Lead::MirrorNotices { rows, name, secret } => {
                Entry::Special(Special::MirrorNotices(rows, name.to_owned(), secret.to_owned()))
            }
            Lead::Root(rows) => Entry::Special(Special::FrontPage(rows)),
            Lead::Pages(rows) => Entry::Special(Special::Pages(rows)),
        })
    }

    fn refuse_method(self: &Rc<Self>, path: &str) -> Problem {
        dispatch::refuse_method(&self.worker, path)
    }

    fn subject<'r>(method: &Method, path: &'r str, query: Option<&str>) -> Subject<'r> {
        throttling::subject(method, path, query)
    }

    fn answer(
        self: &Rc<Self>,
        request: &mut Request<Place>,
    ) -> impl Future<Output = Result<Response, Problem>> {
        dispatch::answer(&self.worker, request)
    }

    async fn answer_special(
        self: &Rc<Self>,
        special: Special,
        arrival: Arrival,
        trace: &mut Trace,
    ) -> Result<Response, Problem> {
        match special {
            Special::FrontPage(rows) => {
                let has_pages = self.pages.is_some();
                front_page::answer((&self.worker.web.shared, has_pages), rows, &arrival, trace)
            }
            Special::Pages(rows) => {
                trace.route = rows.label().into();
                rows.select(&arrival.method)?;
                let pages = self.pages.as_ref().ok_or_else(Problem::no_such_route)?;
                pages.answer(PageWorker::new(&self.worker), arrival).await
            }
            Special::Batch(rows, version) => {
                batch::answer(self, rows, version, arrival, trace).await
            }
            Special::PlaceMaps(rows, named) => {
                place_maps::answer(&self.worker, (rows, named), arrival, trace).await
            }
            Special::MirrorNotices(rows, name, secret) => {
                mirror_notices::answer(&self.worker, (rows, name, secret), arrival, trace).await
            }
            Special::Issuer(rows, tenant) => {
                oauth::answer(&self.worker, &tenant, rows, arrival, trace).await
            }
        }
    }
}
