//! Addresses that begin with `$` and the id of an earlier request of a batch: they mean what it made, or
//! what it was about (OData Protocol 11.7.3.1, OData JSON Format 19.1.4).

use std::collections::HashMap;

use http::Uri;
use http::header::LOCATION;
use web::layers::MemberAnswer;

use super::has_failed;

/// Where what earlier requests were about is; nowhere for those that failed.
#[derive(Debug, Default)]
pub(super) struct References(HashMap<String, Option<String>>);

impl References {
    /// Notes what a request was about. `public` is the address that links begin with.
    pub(super) fn add(&mut self, id: Option<&str>, uri: &Uri, answer: &MemberAnswer, public: &str) {
        let Some(id) = id else { return };
        let made = answer.lines.get(LOCATION).and_then(|line| line.to_str().ok());
        let path = made.and_then(|address| address.strip_prefix(public)).unwrap_or(uri.path());
        let path = (!has_failed(Some(answer))).then(|| path.to_owned());
        self.0.insert(id.to_owned(), path);
    }

    /// Puts what is referred to in place of a reference, if the address begins with one.
    ///
    /// # Errors
    /// The id of the request that failed.
    pub(super) fn resolve(&self, uri: &mut Uri) -> Result<(), String> {
        let text = uri.to_string();
        // It stands right behind the version.
        let rest = text.strip_prefix('/').and_then(|text| text.split_once('/'));
        let Some(reference) = rest.and_then(|(_, rest)| rest.strip_prefix('$')) else {
            return Ok(());
        };
        let end = reference.find(['/', '?', '(']).unwrap_or(reference.len());
        let (id, behind) = reference.split_at(end);
        match self.0.get(id) {
            None => Ok(()),
            Some(None) => Err(id.to_owned()),
            Some(Some(path)) => {
                if let Ok(found) = format!("{path}{behind}").parse() {
                    *uri = found;
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_stands_behind_the_version() {
        let mut known = References::default();
        known.0.insert("1".to_owned(), Some("/v1.0/x/a".to_owned()));
        known.0.insert("2".to_owned(), None);
        for (address, expected) in [
            ("/v1.0/$1", Ok("/v1.0/x/a")),
            ("/v1.0/$1/b?$top=1", Ok("/v1.0/x/a/b?$top=1")),
            ("/v1.0/$1?$select=id", Ok("/v1.0/x/a?$select=id")),
            ("/v1.0/$2/b", Err("2".to_owned())),
            ("/v1.0/$3", Ok("/v1.0/$3")),
            ("/v1.0/$11", Ok("/v1.0/$11")),
            ("/v1.0/x/$1", Ok("/v1.0/x/$1")),
            ("/v1.0/x?a=/$1", Ok("/v1.0/x?a=/$1")),
        ] {
            let mut uri: Uri = address.parse().unwrap();
            let resolved = known.resolve(&mut uri).map(|()| uri.to_string());
            assert_eq!(resolved, expected.map(str::to_owned), "{address}");
        }
    }
}
