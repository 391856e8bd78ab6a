//! What the service says of itself: `$metadata` and the service document.

use std::sync::LazyLock;

use ::model::generated::{BETA, V1_0};
use bytes::Bytes;
use odata::edm::Model;
use odata::{ODataVersion, csdl};
use web::negotiate::{Format, MetadataFormat};
use web::problem::Problem;
use web::response::Response;

use crate::capabilities::ABILITIES;
use crate::request::Request;
use crate::version::ApiVersion;
use crate::worker::Worker;

type Printed = LazyLock<Bytes>;

static V1_XML: Printed = LazyLock::new(|| xml(&V1_0, ODataVersion::V4));
static V1_XML_401: Printed = LazyLock::new(|| xml(&V1_0, ODataVersion::V401));
static V1_JSON: Printed = LazyLock::new(|| csdl::json(&V1_0, &ABILITIES).into());
static BETA_XML: Printed = LazyLock::new(|| xml(&BETA, ODataVersion::V4));
static BETA_XML_401: Printed = LazyLock::new(|| xml(&BETA, ODataVersion::V401));
static BETA_JSON: Printed = LazyLock::new(|| csdl::json(&BETA, &ABILITIES).into());

fn xml(model: &'static Model, version: ODataVersion) -> Bytes {
    csdl::xml(model, &ABILITIES, version).into()
}

/// `$metadata`, in XML unless JSON is preferred.
pub(crate) fn document(request: &Request) -> Result<Response, Problem> {
    odata::check_schema_version(request.query().unwrap_or_default())?;
    let format = request.preferences.metadata_document()?;
    let text = match (request.place.version, format, request.preferences.version) {
        (ApiVersion::V1, MetadataFormat::Xml, ODataVersion::V4) => &V1_XML,
        (ApiVersion::V1, MetadataFormat::Xml, ODataVersion::V401) => &V1_XML_401,
        (ApiVersion::V1, MetadataFormat::Json, _) => &V1_JSON,
        (ApiVersion::Beta, MetadataFormat::Xml, ODataVersion::V4) => &BETA_XML,
        (ApiVersion::Beta, MetadataFormat::Xml, ODataVersion::V401) => &BETA_XML_401,
        (ApiVersion::Beta, MetadataFormat::Json, _) => &BETA_JSON,
    };
    let body = Bytes::clone(text);
    Ok(match format {
        MetadataFormat::Xml => Response::xml(body),
        MetadataFormat::Json => Response::json(Format::default(), body),
    })
}

/// The root of a version (OData JSON Format section 5).
pub(crate) fn service_document(worker: &Worker, request: &Request) -> Result<Response, Problem> {
    odata::check_schema_version(request.query().unwrap_or_default())?;
    let format = request.preferences.json()?;
    let version = request.place.version;
    let text = csdl::service_document(version.model(), worker.urls().root(version));
    Ok(Response::json(format, text))
}
