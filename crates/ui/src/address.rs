//! Which page an address leads to.

use model::TenantId;
use odata::percent::{Plus, decode};

/// What an address leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Address {
    /// The start, which leads on to the tenant of the person who is signed in.
    Start,
    /// A file that pages load.
    Asset(String),
    /// Where the code of a link is sent to.
    SignIn,
    /// Where the form of the same name is sent to.
    SignOut,
    /// A page of a tenant.
    Of(TenantId, Page),
}

/// A page of a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Page {
    Overview,
    Calls,
    Call(String),
    /// The record of a call as JSON.
    Json(String),
}

impl Address {
    /// Reads the raw path of an address, from `/ui` on. None for one that leads nowhere.
    pub(crate) fn of(path: &str) -> Option<Self> {
        let rest = path.strip_prefix("/ui")?;
        match rest {
            "" | "/" => return Some(Self::Start),
            "/sign-in" => return Some(Self::SignIn),
            "/sign-out" => return Some(Self::SignOut),
            _ => {}
        }
        let rest = rest.strip_prefix('/')?;
        let (first, rest) = rest.split_once('/').unwrap_or((rest, ""));
        if first == "a" {
            return Some(Self::Asset(rest.to_owned()));
        }
        let tenant = TenantId::parse(first)?;
        let page = match rest {
            "" => Page::Overview,
            "calls" => Page::Calls,
            _ => {
                let id = rest.strip_prefix("calls/").filter(|id| !id.contains('/'))?;
                let (id, is_json) = match id.strip_suffix(".json") {
                    Some(id) => (id, true),
                    None => (id, false),
                };
                let id = decode(id, Plus::Literal).ok().filter(|id| !id.is_empty())?.into_owned();
                if is_json { Page::Json(id) } else { Page::Call(id) }
            }
        };
        Some(Self::Of(tenant, page))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_page_has_one_address() {
        let tenant = "11111111-2222-4333-8444-555555555555";
        let of = |page| Some(Address::Of(TenantId::parse(tenant).unwrap(), page));
        let at = |rest: &str| Address::of(&format!("/ui/{tenant}{rest}"));
        assert_eq!(Address::of("/ui"), Some(Address::Start));
        assert_eq!(Address::of("/ui/"), Some(Address::Start));
        assert_eq!(at(""), of(Page::Overview));
        assert_eq!(at("/"), of(Page::Overview));
        assert_eq!(at("/calls"), of(Page::Calls));
        assert_eq!(at("/calls/a%2Fb%20c"), of(Page::Call("a/b c".into())));
        assert_eq!(at("/calls/x.json"), of(Page::Json("x".into())));
        for nowhere in ["/calls/", "/calls/a/b", "/call", "/calls/%zz"] {
            assert_eq!(at(nowhere), None, "{nowhere}");
        }
        assert_eq!(Address::of("/ui/nobody/calls"), None);
    }
}
