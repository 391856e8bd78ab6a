//! Signing in.

use maud::{Markup, html};

/// Why somebody who tried is not signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The link was used, has expired, or never was.
    Link,
    /// The session is over.
    Session,
}

/// Asks for the code of a link. `to` is where it leads then, if not to the start.
pub fn page(refusal: Option<Refusal>, to: Option<&str>) -> Markup {
    let why = refusal.map(|refusal| match refusal {
        Refusal::Link => "This link opens nothing: it was used, has expired, or is not whole.",
        Refusal::Session => "Your session is over.",
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
