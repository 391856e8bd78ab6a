//! What the service says of itself: `$metadata` and the service document.

use std::rc::Rc;
use std::sync::LazyLock;

use bytes::Bytes;
use odata::csdl;

use super::capabilities::ABILITIES;
use super::model;
use crate::negotiate::{Format, MetadataFormat};
use crate::problem::Problem;
use crate::request::Request;
use crate::response::Response;
use crate::router::ApiVersion;
use crate::worker::Worker;

type Printed = LazyLock<Bytes>;

static V1_XML: Printed = LazyLock::new(|| csdl::xml(&::model::generated::V1_0, &ABILITIES).into());
static V1_JSON: Printed =
    LazyLock::new(|| csdl::json(&::model::generated::V1_0, &ABILITIES).into());
static BETA_XML: Printed =
    LazyLock::new(|| csdl::xml(&::model::generated::BETA, &ABILITIES).into());
static BETA_JSON: Printed =
    LazyLock::new(|| csdl::json(&::model::generated::BETA, &ABILITIES).into());

/// `$metadata`, in XML unless JSON is preferred.
pub(super) fn document(request: &Request) -> Result<Response, Problem> {
    only_get(request)?;
    let format = request.preferences.metadata_document()?;
    let text = match (request.version, format) {
        (ApiVersion::V1, MetadataFormat::Xml) => &V1_XML,
        (ApiVersion::V1, MetadataFormat::Json) => &V1_JSON,
        (ApiVersion::Beta, MetadataFormat::Xml) => &BETA_XML,
        (ApiVersion::Beta, MetadataFormat::Json) => &BETA_JSON,
    };
    let body = Bytes::clone(text);
    Ok(match format {
        MetadataFormat::Xml => Response::xml(body),
        MetadataFormat::Json => Response::json(Format::default(), body),
    })
}

/// The root of a version (OData JSON Format section 5).
pub(super) fn service_document(
    worker: &Rc<Worker>,
    request: &Request,
) -> Result<Response, Problem> {
    only_get(request)?;
    let format = request.preferences.json()?;
    let text = csdl::service_document(model(request.version), worker.urls.root(request.version));
    Ok(Response::json(format, text))
}

fn only_get(request: &Request) -> Result<(), Problem> {
    if request.method == http::Method::GET {
        return Ok(());
    }
    Err(Problem::method_not_allowed("GET, HEAD"))
}
