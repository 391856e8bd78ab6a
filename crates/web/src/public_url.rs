//! What links begin with.

use crate::start_error::StartError;

/// The public URL without a slash at the end: `https://host`, perhaps with a path.
///
/// # Errors
/// When it is none that paths can be put behind.
pub(crate) fn read(public: &str) -> Result<&str, StartError> {
    let trimmed = public.trim_end_matches('/');
    let host = trimmed.strip_prefix("https://").or_else(|| trimmed.strip_prefix("http://"));
    let is_url = host.is_some_and(|host| !host.is_empty() && !host.starts_with('/'))
        && trimmed.bytes().all(|byte| byte.is_ascii_graphic())
        && !trimmed.contains(['?', '#', '"', '\\']);
    if is_url { Ok(trimmed) } else { Err(StartError::PublicUrl(public.to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slash_at_the_end_says_nothing() {
        for public in ["https://graph.contoso.com", "https://graph.contoso.com/"] {
            assert_eq!(read(public).unwrap(), "https://graph.contoso.com");
        }
    }

    #[test]
    fn what_is_no_url_is_refused() {
        for public in [
            "",
            "graph.contoso.com",
            "ftp://x",
            "https://",
            "https:///x",
            "https://x?y",
            "http://x y",
        ] {
            assert!(read(public).is_err(), "{public}");
        }
    }
}
