//! What the token endpoint answers: RFC 6749, section 5, in Entra's form.

use serde_json::{Value, json};

use crate::client_assertion::AssertionFault;
use crate::guid::random_guid;

/// An answer of the token endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The body, `application/json`. It holds a token: to be sent with `Cache-Control: no-store`.
    pub body: String,
    /// The value of `WWW-Authenticate`, where the client tried that way of authentication.
    pub www_authenticate: Option<&'static str>,
}

/// Why no token is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The body is not a form, or not readable as one.
    NoForm,
    /// A parameter came twice, or in two places.
    Repeated(&'static str),
    /// A parameter is missing.
    Missing(&'static str),
    /// The path names no tenant.
    NoTenant(String),
    /// Another grant type than client credentials.
    GrantType(String),
    /// A scope that is not one resource's `/.default`.
    Scope(String),
    /// No client secret.
    NoSecret,
    /// The tenant has no such application.
    NoApplication {
        /// As it was asked for.
        client_id: String,
        /// Where.
        tenant: String,
    },
    /// The secret is not the application's.
    WrongSecret(String),
    /// The assertion does not show that the client is the application.
    Assertion(AssertionFault, String),
    /// The fault is on this side.
    Transient,
}

/// Characters of what the client sent that are repeated to it.
const ECHO: usize = 100;

impl Refusal {
    /// Status, OAuth error, Entra's number for it, and the sentence.
    fn parts(&self) -> (u16, &'static str, u32, String) {
        let echo = |text: &str| text.chars().take(ECHO).collect::<String>();
        match self {
            Self::NoForm => {
                (400, "invalid_request", 900_144, "The request body must be a form.".into())
            }
            Self::Repeated(name) => {
                let text = format!("The parameter '{name}' must not be given more than once.");
                (400, "invalid_request", 90_100, text)
            }
            Self::Missing(name) => {
                let text =
                    format!("The request body must contain the following parameter: '{name}'.");
                (400, "invalid_request", 900_144, text)
            }
            Self::NoTenant(name) => {
                let text =
                    format!("Tenant '{}' not found. A tenant is named by its GUID.", echo(name));
                (400, "invalid_request", 90_002, text)
            }
            Self::GrantType(name) => {
                let text = format!("The app requested an unsupported grant type '{}'.", echo(name));
                (400, "unsupported_grant_type", 70_003, text)
            }
            Self::Scope(scope) => {
                let text = format!(
                    "The provided request must include a 'scope' input parameter. The provided \
                     value for the input parameter 'scope' is not valid. The scope {} is not \
                     valid.",
                    echo(scope)
                );
                (400, "invalid_scope", 70_011, text)
            }
            Self::NoSecret => {
                let text = "The request body must contain the following parameter: \
                            'client_assertion' or 'client_secret'.";
                (401, "invalid_client", 7_000_218, text.into())
            }
            Self::NoApplication { client_id, tenant } => {
                let text = format!(
                    "Application with identifier '{}' was not found in the directory '{tenant}'.",
                    echo(client_id)
                );
                (400, "unauthorized_client", 700_016, text)
            }
            Self::WrongSecret(client_id) => {
                let text = format!(
                    "Invalid client secret provided. Ensure the secret being sent in the request \
                     is the client secret value, not the client secret ID, for a secret added to \
                     app '{client_id}'."
                );
                (401, "invalid_client", 7_000_215, text)
            }
            Self::Assertion(fault, client_id) => {
                let (number, text) = of_assertion(*fault);
                let text = format!("{text} The application is '{}'.", echo(client_id));
                (401, "invalid_client", number, text)
            }
            Self::Transient => {
                let text = "A transient error has occurred. Please try again.";
                (503, "temporarily_unavailable", 90_033, text.into())
            }
        }
    }

    /// Entra's number for the reason.
    pub(crate) fn number(&self) -> u32 {
        self.parts().2
    }

    /// The answer, at the time `now`, to a client that authenticated by HTTP Basic or in the body.
    pub(crate) fn answer(&self, basic: bool, now: i64) -> TokenAnswer {
        let (status, error, number, text) = self.parts();
        let (trace, correlation, time) = (random_guid(), random_guid(), timestamp(now));
        let description = format!(
            "AADSTS{number}: {text} Trace ID: {trace} Correlation ID: {correlation} Timestamp: \
             {time}"
        );
        let body = json!({
            "error": error,
            "error_description": description,
            "error_codes": [number],
            "timestamp": time,
            "trace_id": trace,
            "correlation_id": correlation,
        });
        let www_authenticate = (status == 401 && basic).then_some("Basic realm=\"callvault\"");
        TokenAnswer { status, body: body.to_string(), www_authenticate }
    }
}

/// Entra's number of what is wrong with an assertion, and the sentence.
fn of_assertion(fault: AssertionFault) -> (u32, &'static str) {
    match fault {
        AssertionFault::Malformed => (50_027, "The client assertion is no valid JWT token."),
        AssertionFault::OtherApplication => {
            (700_021, "Client assertion application identifier doesn't match 'client_id'.")
        }
        AssertionFault::Audience => {
            (700_023, "Client assertion audience claim does not match the token endpoint.")
        }
        AssertionFault::Time => {
            (700_024, "Client assertion is not within its valid time range: check the clock.")
        }
        AssertionFault::Certificate => (
            700_027,
            "Client assertion was signed with a key that is not one of the application's \
             certificates, or the certificate has expired.",
        ),
        AssertionFault::Issuer => {
            (700_211, "No matching federated identity record found for the assertion's issuer.")
        }
        AssertionFault::FederatedAudience => {
            (700_212, "No matching federated identity record found for the assertion's audience.")
        }
        AssertionFault::Subject => {
            (700_213, "No matching federated identity record found for the assertion's subject.")
        }
        AssertionFault::Signature => (50_013, "Assertion failed signature validation."),
    }
}

/// The answer that holds a token.
pub(crate) fn granted(token: &str, expires_in: i64) -> TokenAnswer {
    let body: Value = json!({
        "token_type": "Bearer",
        "expires_in": expires_in,
        "ext_expires_in": expires_in,
        "access_token": token,
    });
    TokenAnswer { status: 200, body: body.to_string(), www_authenticate: None }
}

/// The time as Entra writes it in errors: `2016-01-09 02:02:12Z`.
fn timestamp(now: i64) -> String {
    let (days, second) = (now.div_euclid(86_400), now.rem_euclid(86_400));
    // Days to a date of the Gregorian calendar, with years that begin in March, so that the leap
    // day comes last: an era has 146,097 days, a cycle of five months 153.
    let shifted = days + 719_468;
    let (era, day) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let date = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{date:02} {hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_entra_writes_them() {
        for (seconds, text) in [
            (0, "1970-01-01 00:00:00Z"),
            (1_452_304_932, "2016-01-09 02:02:12Z"),
            (951_782_399, "2000-02-28 23:59:59Z"),
            (951_782_400, "2000-02-29 00:00:00Z"),
            (951_868_800, "2000-03-01 00:00:00Z"),
            (4_107_542_400, "2100-03-01 00:00:00Z"),
            (-1, "1969-12-31 23:59:59Z"),
        ] {
            assert_eq!(timestamp(seconds), text);
        }
    }

    #[test]
    fn what_the_client_sent_is_repeated_in_part_only_and_as_json() {
        let answer = Refusal::GrantType(format!("\"\n{}", "x".repeat(10_000))).answer(false, 0);
        assert!(answer.body.len() < 800, "{}", answer.body);
        let body: Value = serde_json::from_str(&answer.body).expect("JSON");
        assert!(body["error_description"].as_str().expect("text").contains("'\"\nxxx"));
    }

    #[test]
    fn only_who_tried_basic_is_asked_for_it() {
        let refusal = Refusal::WrongSecret("x".into());
        assert_eq!(refusal.answer(false, 0).www_authenticate, None);
        assert!(refusal.answer(true, 0).www_authenticate.is_some());
        assert_eq!(Refusal::Missing("scope").answer(true, 0).www_authenticate, None);
    }
}
