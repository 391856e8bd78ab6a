//! The files that pages load, at addresses that change with their content, so that browsers keep them for good.

use std::sync::LazyLock;

use http::header::{CACHE_CONTROL, HeaderValue};
use pages::assets::{Assets, SIGN_IN, STYLE};
use web::Response;
use web::response::ContentType;

/// Their addresses.
pub(crate) static ASSETS: LazyLock<Assets> = LazyLock::new(|| Assets {
    style: format!("/ui/a/{}", name(STYLE, "css")),
    sign_in: format!("/ui/a/{}", name(SIGN_IN, "js")),
});

/// A name with the hash of the content.
fn name(content: &str, kind: &str) -> String {
    let hash = blake3::hash(content.as_bytes()).to_hex();
    format!("{}.{kind}", &hash[..16])
}

/// The file of that name.
pub(crate) fn answer(name_of: &str) -> Option<Response> {
    let is = |address: &str| address.strip_prefix("/ui/a/") == Some(name_of);
    let (content, kind) = if is(&ASSETS.style) {
        (STYLE, "text/css; charset=utf-8")
    } else if is(&ASSETS.sign_in) {
        (SIGN_IN, "text/javascript; charset=utf-8")
    } else {
        return None;
    };
    let kept = HeaderValue::from_static("public, max-age=31536000, immutable");
    let response = Response::of(ContentType::Other(kind), content);
    Some(response.with_header(CACHE_CONTROL, kept))
}
