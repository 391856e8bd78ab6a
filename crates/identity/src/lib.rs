//! Who may: bearer tokens, application roles, the built-in token issuer.
//!
//! A request's token becomes a [`Caller`] or a [`Denial`] reason in [`Verifier`]. Tokens come from
//! identity providers that the operator trusts ([`IssuerConfig`]) or from the [`Issuer`] built in.
//! The crate knows nothing of records, HTTP routes or SQL: what must be kept is handed out and
//! taken in as plain rows, and the time is always an argument, in seconds since 1970. It opens no
//! connection: what it must [`Fetch`] is fetched by what its user gives it.

mod bearer;
mod cache;
mod caller;
mod certificate;
mod claims;
mod client_assertion;
mod denial;
mod discovery;
mod documents;
mod fetch;
mod form;
mod guid;
mod issuer;
mod issuer_keys;
mod issuers;
mod jws;
mod keys;
mod keyset;
mod master_key;
mod random;
mod recent;
mod secret;
mod signing_key;
mod strict_json;
mod token_answer;
mod token_endpoint;
mod verify;

pub use bearer::bearer;
pub use caller::{Caller, role};
pub use certificate::{Certificate, CertificateError};
pub use claims::{GRAPH_AUDIENCE, GRAPH_RESOURCE_ID, MAX_TTL};
pub use client_assertion::{
    ASSERTION_TYPE, AppCredential, ClientCertificate, FEDERATED_AUDIENCE, FederatedCredential,
};
pub use denial::Denial;
pub use fetch::{Fetch, FetchAnswer, FetchFailure, FetchFuture, FetchLimits};
pub use guid::{normalize_tenant, random_guid};
pub use issuer::{Grant, Issuer, OPERATOR_APP};
pub use issuers::{ConfigError, IssuerConfig, TrustedIssuers};
pub use master_key::{KeyFileError, MasterKey, OpenError};
pub use random::random_key;
pub use recent::RecentTokens;
pub use secret::{generate_secret, hash_secret, verify_secret};
pub use signing_key::{KeyError, OVERLAP, SigningKey, rotate};
pub use token_answer::TokenAnswer;
pub use token_endpoint::{RegisteredApp, TokenRequest, answer_token_request};
pub use verify::Verifier;
