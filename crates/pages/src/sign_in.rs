//! Signing in.

use maud::{Markup, html};

/// Why somebody who tried is not signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The link was used, has expired, or never was.
    Link,
    /// An address without the part behind `#`, in which the code is.
    NoCode,
    /// Text that is not as long as a code.
    Length {
        /// Characters of a code.
        expected: usize,
        /// Characters of what came.
        found: usize,
    },
    /// The session is over.
    Session,
}

/// Asks for the code of a link. `to` is where it leads then, if not to the start.
pub fn page(refusal: Option<Refusal>, to: Option<&str>) -> Markup {
    let why = refusal.map(|refusal| match refusal {
        Refusal::Link => "This link opens nothing: it was used already, or has expired. Ask for a new one.".to_owned(),
        Refusal::NoCode => {
            "The part behind # is missing, in which the code is: paste the link as a whole.".to_owned()
        }
        Refusal::Length { expected, found } => format!(
            "This is no whole code: a code has {expected} characters, and this {found}. Paste the link as a whole."
        ),
        Refusal::Session => "Your session is over.".to_owned(),
    });
    html! {
        @if let Some(why) = why { div class="note error" role="alert" { p { (why) } } }
        p {
            "The operator of this server makes a link for you, which works once: "
            code { "callvault ui link --tenant GUID --name NAME" }
        }
        form method="post" action="/ui/sign-in" {
            label for="code" { "Link, or the code at its end " }
            @if let Some(to) = to { input type="hidden" name="to" value=(to); }
            input id="code" name="code" autocomplete="off" required;
            " "
            button { "Sign in" }
        }
    }
}
