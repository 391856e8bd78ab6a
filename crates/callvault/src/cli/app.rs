//! Arguments of the commands on access: `app` and `token`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use model::TenantId;

use super::values;

/// `app`
#[derive(Debug, Subcommand)]
pub(crate) enum App {
    /// Register an application, and print its secret once
    Create(AppCreate),
    /// Print the registered applications
    List(AppList),
    /// Give an application a new secret, and print it once; the old one becomes invalid at once
    Rotate(AppName),
    /// Replace the roles of an application; tokens keep theirs until they expire or auth.recheck applies
    Roles(AppRoles),
    /// Let an application show a certificate, or tokens of another issuer, in place of its secret
    #[command(subcommand)]
    Credential(AppCredential),
    /// Delete an application; tokens stay valid until they expire or auth.recheck applies
    Delete(AppName),
}

/// `app create`
#[derive(Debug, Args)]
pub(crate) struct AppCreate {
    /// Tenant whose records it may access [default: the only one in the store]
    #[arg(long, value_name = "GUID", value_parser = values::tenant)]
    pub(crate) tenant: Option<TenantId>,
    /// Display name
    #[arg(long)]
    pub(crate) name: String,
    /// Role of the application; repeatable
    #[arg(long = "role", value_name = "ROLE", required = true, value_parser = values::role())]
    pub(crate) roles: Vec<String>,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// `app list`
#[derive(Debug, Args)]
pub(crate) struct AppList {
    /// Only applications of this tenant
    #[arg(long, value_name = "GUID", value_parser = values::tenant)]
    pub(crate) tenant: Option<TenantId>,
    /// Print one JSON object per application
    #[arg(long)]
    pub(crate) json: bool,
}

/// `app roles`
#[derive(Debug, Args)]
pub(crate) struct AppRoles {
    /// Client id
    pub(crate) client_id: String,
    /// New role of the application; repeatable
    #[arg(long = "role", value_name = "ROLE", required = true, value_parser = values::role())]
    pub(crate) roles: Vec<String>,
}

/// `app rotate`, `app delete`
#[derive(Debug, Args)]
pub(crate) struct AppName {
    /// Client id
    pub(crate) client_id: String,
}

/// `app credential`
#[derive(Debug, Subcommand)]
pub(crate) enum AppCredential {
    /// Take assertions that the key of a certificate signed
    Certificate(AppCertificate),
    /// Take tokens of another issuer
    Federated(AppFederated),
    /// Print what an application may show, a line each
    List(AppName),
    /// Take one of them away
    Delete(AppCredentialName),
}

/// `app credential certificate`
#[derive(Debug, Args)]
pub(crate) struct AppCertificate {
    /// Client id
    pub(crate) client_id: String,
    /// PEM file with the certificate, which has an RSA key; a private key in it is not kept
    pub(crate) file: PathBuf,
}

/// `app credential federated`
#[derive(Debug, Args)]
pub(crate) struct AppFederated {
    /// Client id
    pub(crate) client_id: String,
    /// What the credential is called
    #[arg(long)]
    pub(crate) name: String,
    /// `iss` of the tokens
    #[arg(long, value_name = "URL")]
    pub(crate) issuer: String,
    /// `sub` of the tokens
    #[arg(long)]
    pub(crate) subject: String,
    /// `aud` of the tokens
    #[arg(long, default_value = identity::FEDERATED_AUDIENCE)]
    pub(crate) audience: String,
    /// File with the issuer's public keys (a JSON Web Key Set)
    #[arg(long, value_name = "FILE")]
    pub(crate) keys: PathBuf,
}

/// `app credential delete`
#[derive(Debug, Args)]
pub(crate) struct AppCredentialName {
    /// Client id
    pub(crate) client_id: String,
    /// Thumbprint of a certificate, or name
    pub(crate) name: String,
}

/// `token`
#[derive(Debug, Args)]
pub(crate) struct Token {
    /// Tenant whose records the token gives access to [default: the only one in the store]
    #[arg(long, value_name = "GUID", value_parser = values::tenant)]
    pub(crate) tenant: Option<TenantId>,
    /// Role of the token; repeatable
    #[arg(long = "role", value_name = "ROLE", required = true, value_parser = values::role())]
    pub(crate) roles: Vec<String>,
    /// Client id of the application that the token names [default: the operator]
    #[arg(long, value_name = "ID")]
    pub(crate) app: Option<String>,
    /// Lifetime: a number with s, m or h, at most 24h
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = values::time_to_live)]
    pub(crate) ttl: Duration,
}
