//! Pages that say why there is nothing else.

use maud::{Markup, html};

use crate::format::visible;

/// Why a question has no answer.
#[derive(Debug, Clone, Copy)]
pub struct Failure<'a> {
    /// The code of the API's error.
    pub code: &'a str,
    /// Its message.
    pub message: &'a str,
}

/// A question that failed.
pub fn failure(failure: Failure<'_>) -> Markup {
    html! {
        div class="note error" role="alert" {
            p { (visible(failure.message)) }
            p class="soft" { code { (failure.code) } }
        }
    }
}

/// A sentence, with a way on if there is one: its text and its address.
pub fn note(text: &str, way: Option<(&str, &str)>) -> Markup {
    html! {
        div class="note" {
            p {
                (text)
                @if let Some((name, address)) = way { " " a href=(address) { (name) } }
            }
        }
    }
}
