//! Who may control a server that misbehaves on demand.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use emulator::{Emulator, Rules};

use super::rig::Rig;

#[test]
fn beyond_the_loopback_only_administrators_control_it() {
    let rig = Rig::with(|options| {
        options.listen = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
        options.emulator = Some(Arc::new(Emulator::new(Rules::default(), 1)));
    });
    for (roles, status) in [(&["CallRecords.Read.All"], 403), (&["Callvault.Admin"], 200)] {
        let token = rig.bearer(roles);
        assert_eq!(rig.ask("GET", "/callvault.clock", &[&token]).status, status, "{roles:?}");
    }
    assert_eq!(rig.ask("GET", "/callvault.clock", &[]).status, 401);
}
