//! What the service says of itself: `$metadata` and the service document.

use std::sync::LazyLock;

use bytes::Bytes;
use odata::csdl;
use web::negotiate::{Format, MetadataFormat};
use web::problem::Problem;
use web::response::Response;

use crate::capabilities::ABILITIES;
use crate::request::Request;
use crate::version::ApiVersion;
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
pub(crate) fn document(request: &Request) -> Result<Response, Problem> {
    let format = request.preferences.metadata_document()?;
    let text = match (request.place.version, format) {
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
pub(crate) fn service_document(worker: &Worker, request: &Request) -> Result<Response, Problem> {
    let format = request.preferences.json()?;
    let version = request.place.version;
    let text = csdl::service_document(version.model(), worker.urls().root(version));
    Ok(Response::json(format, text))
}
