//! Pages: how large they are, and the links from one to the next.
//!
//! A page token carries everything that the next page needs: the bound query, the key behind which
//! to go on, the page size and what is left of `$top`. The link shows the options for people to
//! read; the token decides, and the two must agree. A link that would be too long for an address has a
//! digest of the query in its token; if the options alone are too long, it leads to `/$query`, where they
//! are posted again as they were.

use odata::bound::Query;
use odata::page_token::{Keys, PageToken, open, seal};
use web::problem::Problem;

/// Records and sessions on a page at most.
pub(crate) const MOST_SESSIONS: usize = 60;
/// Participants on a page at most.
pub(crate) const MOST_PARTICIPANTS: usize = 130;

/// Bytes of a link at most: what servers and proxies take of an address without a word (RFC 9110 section
/// 4.1).
const LONGEST_LINK: usize = 8_000;
/// How many entities a page has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PageLimit {
    /// Without a word.
    pub(crate) usual: usize,
    /// If as many are asked for.
    pub(crate) most: usize,
}

impl PageLimit {
    /// As many as Graph's pages have unless more are asked for.
    pub(crate) fn up_to(most: usize) -> Self {
        Self { usual: MOST_SESSIONS, most: most.max(MOST_SESSIONS) }
    }
}

impl From<usize> for PageLimit {
    fn from(most: usize) -> Self {
        Self { usual: most, most }
    }
}

/// Where a page begins and how much it may hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Page {
    /// Entities on a page.
    pub(crate) size: usize,
    /// Entities that `$top` still allows, this page's included.
    pub(crate) left: Option<u64>,
    /// The key behind which the page begins, as the resource writes it; empty on the first page.
    pub(crate) after: Vec<u8>,
    /// The record's version, for what is below a record.
    pub(crate) version: Option<i64>,
}

/// What contexts and links of an answer are written with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Addresses<'a> {
    /// The service root with the version.
    pub(crate) root: &'a str,
    /// The metadata document's address up to and with `#`.
    pub(crate) metadata: &'a str,
    /// The resource's path, as links and tokens carry it.
    pub(crate) resource: &'a str,
    /// Seal page tokens.
    pub(crate) keys: &'a Keys,
    /// Whose links they are.
    pub(crate) tenant: &'a str,
    pub(crate) application: &'a str,
    /// Links may be of any length.
    pub(crate) is_local: bool,
}

impl Page {
    /// Of a request without a token.
    pub(crate) fn first(query: &Query, limit: impl Into<PageLimit>, wanted: Option<u32>) -> Self {
        let PageLimit { usual, most } = limit.into();
        let size = wanted.map_or(usual, |wanted| (wanted as usize).clamp(1, most));
        Self { size, left: query.top, after: Vec::new(), version: None }
    }

    /// Of a request that follows a link, or the first.
    pub(crate) fn of(
        query: &Query,
        to: &Addresses<'_>,
        limit: impl Into<PageLimit>,
        wanted: Option<u32>,
    ) -> Result<Self, Problem> {
        let limit = limit.into();
        match &query.skiptoken {
            Some(text) => Self::following(("$skiptoken", text), query, to, limit.most),
            None => Ok(Self::first(query, limit, wanted)),
        }
    }

    /// Of a request that follows a link, by the option that has its token.
    pub(crate) fn following(
        (option, text): (&'static str, &str),
        query: &Query,
        to: &Addresses<'_>,
        most: usize,
    ) -> Result<Self, Problem> {
        let token = open(to.keys, option, text, (to.tenant, to.application))?;
        let options = query.to_query_string();
        let is_its = token.query == options || token.query == digest(&options);
        if token.resource != to.resource || !is_its {
            let message =
                format!("The {option} belongs to another request. Follow a link as it is.");
            return Err(Problem::bad_request(message).with_target(option));
        }
        Self::from_position(&token, most).ok_or_else(|| {
            Problem::bad_request(format!("The {option} is not valid.")).with_target(option)
        })
    }

    /// The position at which a page of something below a record begins.
    pub(crate) fn start(&self) -> usize {
        let bytes = self.after.first_chunk::<8>().copied().unwrap_or_default();
        usize::try_from(u64::from_le_bytes(bytes)).unwrap_or(usize::MAX)
    }

    /// How many entities this page may hold.
    pub(crate) fn room(&self) -> usize {
        self.left
            .map_or(self.size, |left| self.size.min(usize::try_from(left).unwrap_or(self.size)))
    }

    /// The page behind this one, which held `count` entities and ended with the key `after`;
    /// `None` when `$top` allows no more.
    pub(crate) fn next(&self, count: usize, after: Vec<u8>, version: Option<i64>) -> Option<Self> {
        let left = self.left.map(|left| left.saturating_sub(count as u64));
        (left != Some(0)).then_some(Self { size: self.size, left, after, version })
    }

    /// The link to this page of a resource.
    pub(crate) fn link(&self, to: &Addresses<'_>, resource: &str, query: &Query) -> String {
        self.link_by("$skiptoken", &Addresses { resource, ..*to }, query)
    }

    /// The link to this page, with its token in this option.
    pub(crate) fn link_by(&self, option: &str, to: &Addresses<'_>, query: &Query) -> String {
        let options = query.to_query_string();
        let sealed = |query: &str| {
            let token = PageToken {
                tenant: to.tenant.to_owned(),
                app: to.application.to_owned(),
                resource: to.resource.to_owned(),
                query: query.to_owned(),
                position: self.position(),
                version: self.version,
            };
            seal(to.keys, &token)
        };
        let (root, resource) = (to.root, to.resource);
        let shown = |token: &str| {
            let and = if options.is_empty() { "" } else { "&" };
            format!("{root}/{resource}?{options}{and}{option}={token}")
        };
        let link = shown(&sealed(&options));
        if link.len() <= LONGEST_LINK || to.is_local {
            return link;
        }
        let token = sealed(&digest(&options));
        let link = shown(&token);
        if link.len() <= LONGEST_LINK {
            return link;
        }
        format!("{root}/{resource}/$query?{option}={token}")
    }

    fn position(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(12 + self.after.len());
        out.extend_from_slice(&(self.size as u32).to_le_bytes());
        out.extend_from_slice(&self.left.unwrap_or(u64::MAX).to_le_bytes());
        out.extend_from_slice(&self.after);
        out
    }

    fn from_position(token: &PageToken, most: usize) -> Option<Self> {
        let (size, rest) = token.position.split_first_chunk::<4>()?;
        let (left, after) = rest.split_first_chunk::<8>()?;
        let left = u64::from_le_bytes(*left);
        Some(Self {
            size: (u32::from_le_bytes(*size) as usize).clamp(1, most),
            left: (left != u64::MAX).then_some(left),
            after: after.to_vec(),
            version: token.version,
        })
    }
}

/// Stands for a query in a token. No query reads so.
fn digest(query: &str) -> String {
    format!("#{}", blake3::hash(query.as_bytes()).to_hex())
}
