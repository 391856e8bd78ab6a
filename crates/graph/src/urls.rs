//! What the URLs of each version begin with.

use std::sync::Arc;

use crate::version::ApiVersion;

/// The roots of the versions.
#[derive(Debug, Clone)]
pub(crate) struct Urls {
    roots: [Arc<str>; 2],
    contexts: [Arc<str>; 2],
}

impl Urls {
    /// Below the public URL, which has no slash at its end.
    pub(crate) fn new(public: &str) -> Self {
        let root = |version: ApiVersion| format!("{public}/{}", version.segment());
        Self {
            roots: ApiVersion::ALL.map(|version| root(version).into()),
            contexts: ApiVersion::ALL.map(|version| format!("{}/$metadata#", root(version)).into()),
        }
    }

    /// `https://host/v1.0`
    pub(crate) fn root(&self, version: ApiVersion) -> &Arc<str> {
        &self.roots[version as usize]
    }

    /// `https://host/v1.0/$metadata#`
    pub(crate) fn context(&self, version: ApiVersion) -> &Arc<str> {
        &self.contexts[version as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_begin_with_the_public_url() {
        let urls = Urls::new("https://graph.contoso.com");
        assert_eq!(&**urls.root(ApiVersion::V1), "https://graph.contoso.com/v1.0");
        assert_eq!(&**urls.context(ApiVersion::Beta), "https://graph.contoso.com/beta/$metadata#");
    }
}
