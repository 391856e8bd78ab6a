//! The sockets that a server listens on. They are bound before anything else is done, so that a port in use
//! costs no work that is then lost.

use std::net::{SocketAddr, TcpListener};

use crate::start_error::StartError;

/// Bound sockets, for [`crate::start`]. Connections wait in the system's queue until then.
#[derive(Debug)]
pub struct Listeners {
    pub(crate) api: TcpListener,
    pub(crate) admin: Option<TcpListener>,
    /// Where the application will be served.
    pub address: SocketAddr,
    /// Where health and metrics will be.
    pub admin_address: Option<SocketAddr>,
}

impl Listeners {
    /// Binds the addresses of the application and of health and metrics; port 0 takes any free port.
    /// `is_secured` says that the application's has TLS, or may do without.
    ///
    /// # Errors
    /// [`StartError::Listen`] when one of them can't be had, [`StartError::PlainHttp`] when the
    /// application's can be reached from other machines and is not secured.
    pub fn bind(
        listen: SocketAddr,
        admin: Option<SocketAddr>,
        is_secured: bool,
    ) -> Result<Self, StartError> {
        if !is_secured && !listen.ip().is_loopback() {
            return Err(StartError::PlainHttp(listen));
        }
        let (api, address) = bind(listen, "--listen")?;
        let admin = admin.map(|address| bind(address, "--admin-listen")).transpose()?;
        let (admin, admin_address) = admin.unzip();
        Ok(Self { api, admin, address, admin_address })
    }
}

fn bind(address: SocketAddr, flag: &'static str) -> Result<(TcpListener, SocketAddr), StartError> {
    let bind = || {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let bound = listener.local_addr()?;
        Ok((listener, bound))
    };
    bind().map_err(|source| StartError::Listen { address, flag, source })
}
