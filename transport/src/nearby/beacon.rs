//! Showing and seeing appearances on the local network: multicast DNS service discovery (RFC 6762, RFC 6763).
//!
//! The service type, the host name and the instance name say nothing: the type is a word that any program may use, the names
//! are random and change with each appearance. Between appearances nothing is sent but answers; questions follow the
//! RFC's schedule, each twice as late as the one before.

use crate::error::TransportError;
use mdns_sd::{Receiver, ScopedIp, ServiceDaemon, ServiceEvent, ServiceInfo, TxtProperty};
use satchel_core::sync::Appearance;
use std::net::{SocketAddr, SocketAddrV6};

/// The service type: neutral on purpose.
pub const SERVICE_TYPE: &str = "_sync._tcp.local.";
/// The one property of an instance: salt and tags.
const PROPERTY: &str = "t";

/// Something on the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sight {
    /// An instance of the service, perhaps a colleague's phone.
    Seen {
        /// Its name, random.
        name: String,
        /// Where it can be called.
        addresses: Vec<SocketAddr>,
        /// What it shows.
        shown: Vec<u8>,
    },
    /// It is not there any more.
    Gone {
        /// Its name.
        name: String,
    },
}

/// Shows this phone, until dropped.
pub struct Beacon {
    daemon: ServiceDaemon,
    port: u16,
    shown: Option<String>,
}

impl std::fmt::Debug for Beacon {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Beacon")
    }
}

fn failed(_: mdns_sd::Error) -> TransportError {
    // its own words may hold an address
    TransportError::Discovery
}

impl Beacon {
    /// Begins to look around; nothing is shown yet. `port` is where calls are taken. Errors: [`TransportError::Discovery`].
    pub fn start(port: u16) -> Result<(Self, Receiver<ServiceEvent>), TransportError> {
        let daemon = ServiceDaemon::new().map_err(failed)?;
        let seen = daemon.browse(SERVICE_TYPE).map_err(failed)?;
        Ok((Self { daemon, port, shown: None }, seen))
    }

    /// Shows this appearance in place of the one before. Errors: [`TransportError::Discovery`].
    pub fn show(&mut self, appearance: &Appearance) -> Result<(), TransportError> {
        self.hide();
        let name: String = appearance.name.iter().map(|byte| format!("{byte:02x}")).collect();
        let property = TxtProperty::from((PROPERTY, appearance.bytes));
        let host = format!("{name}.local.");
        let info = ServiceInfo::new(SERVICE_TYPE, &name, &host, "", self.port, vec![property]).map_err(failed)?.enable_addr_auto();
        let full = info.get_fullname().to_owned();
        self.daemon.register(info).map_err(failed)?;
        self.shown = Some(full);
        Ok(())
    }

    /// Says goodbye, if anything was shown.
    pub fn hide(&mut self) {
        if let Some(name) = self.shown.take() {
            let _ = self.daemon.unregister(&name);
        }
    }

    /// Whether an instance is this phone's own.
    pub fn is_own(&self, name: &str) -> bool {
        self.shown.as_deref() == Some(name)
    }
}

impl Drop for Beacon {
    fn drop(&mut self) {
        if let Some(gone) = self.shown.take().and_then(|name| self.daemon.unregister(&name).ok()) {
            // the goodbye has to leave before the daemon ends
            let _ = gone.recv();
        }
        let _ = self.daemon.shutdown();
    }
}

/// What an event of the network means here; most mean nothing.
pub fn sight_of(event: ServiceEvent) -> Option<Sight> {
    match event {
        ServiceEvent::ServiceResolved(service) => {
            let shown = service.txt_properties.get_property_val(PROPERTY)??.to_vec();
            let mut addresses: Vec<SocketAddr> = service.addresses.iter().map(|address| socket_address(address, service.port)).collect();
            // in the plainer family first, and the same order every time
            addresses.sort();
            Some(Sight::Seen { name: service.fullname.clone(), addresses, shown })
        }
        ServiceEvent::ServiceRemoved(_, name) => Some(Sight::Gone { name }),
        _ => None,
    }
}

fn socket_address(address: &ScopedIp, port: u16) -> SocketAddr {
    match address {
        // a link-local address means nothing without the interface it was heard on
        ScopedIp::V6(address) => SocketAddrV6::new(*address.addr(), port, 0, address.scope_id().index).into(),
        other => SocketAddr::new(other.to_ip_addr(), port),
    }
}
