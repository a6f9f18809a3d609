//! Meeting colleagues' phones on a local network: one built-in call, or the parts for the platform's own discovery.
//!
//! Built in: multicast DNS by this library. Android needs a `MulticastLock` while it runs. iOS wants an entitlement for it, so an
//! app there shows and looks by `NWListener` and `NWBrowser`, with what `appearance` gives and `recognise` answers.

use crate::error::{FfiError, call};
use crate::observer::ObserverError;
use crate::session::SessionReport;
use crate::unlocked::Unlocked;
use satchel_core::Error;
use satchel_core::sync::{Caller, SessionError};
use satchel_transport::nearby::{self, Nearby, Stop};
use satchel_transport::peer::{Patience, PeerError};
use std::sync::{Arc, Mutex, PoisonError};

/// Who of two phones that know each other calls.
#[uniffi::remote(Enum)]
pub enum Caller {
    /// This one, at once.
    Us,
    /// The other one; this one after 8 seconds without a call.
    Them,
    /// The one with the smaller `shown`, compared as bytes; the other one after 8 seconds.
    Either,
}

/// What to show of this phone for half an hour: service type `_sync._tcp`, this name, `shown` as the TXT property `t`.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Appearance {
    /// Instance and host name: 16 hexadecimal digits, random.
    pub name: String,
    /// 144 bytes.
    pub shown: Vec<u8>,
}

/// What happened nearby.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum NearbyEvent {
    /// Calls are taken here.
    Listening {
        /// `host:port`; the host is `0.0.0.0` for all interfaces.
        address: String,
    },
    /// A session with a colleague's phone reached its end.
    Met {
        /// What it did.
        report: SessionReport,
    },
    /// One did not, or somebody on the network spoke nonsense. What was accepted before is kept, and it is tried again.
    Broken {
        /// A stable code.
        code: String,
    },
}

/// Is told what happens nearby, on the thread that called `meet`; it may call the store.
#[uniffi::export(with_foreign)]
pub trait NearbyObserver: Send + Sync {
    /// This happened. Whatever it throws is ignored.
    fn happened(&self, event: NearbyEvent) -> Result<(), ObserverError>;
}

/// Looks for colleagues' phones, once.
#[derive(uniffi::Object)]
pub struct Lookout {
    unlocked: satchel_core::store::Unlocked,
    stop: Stop,
    lookout: Mutex<Option<nearby::Lookout>>,
}

#[uniffi::export]
impl Unlocked {
    /// Takes calls at `listen` (`0.0.0.0:0`: any free port on all interfaces) and is ready to look around.
    ///
    /// Errors: [`FfiError::InvalidInput`] for what is no address, [`FfiError::Sync`] for one that cannot be listened on.
    #[uniffi::method(default(listen = "0.0.0.0:0"))]
    pub fn lookout(&self, listen: &str) -> Result<Arc<Lookout>, FfiError> {
        call(|| {
            let lookout = nearby::Lookout::new(listen, Patience::default())?;
            Ok(Arc::new(Lookout { unlocked: self.core().unattended(), stop: lookout.stop(), lookout: Mutex::new(Some(lookout)) }))
        })
    }

    /// What the platform's own discovery shows of this phone; make it anew every half hour. Errors: [`FfiError::Locked`].
    pub fn appearance(&self) -> Result<Appearance, FfiError> {
        call(|| {
            let appearance = self.core().appearance()?;
            let name = appearance.name.iter().map(|byte| format!("{byte:02x}")).collect();
            Ok(Appearance { name, shown: appearance.bytes.to_vec() })
        })
    }

    /// Whether something shown on the network is a colleague's phone, and who calls; none for anything else.
    ///
    /// Errors: [`FfiError::Locked`].
    pub fn recognise(&self, shown: Vec<u8>) -> Result<Option<Caller>, FfiError> {
        call(|| Ok(self.core().recognise(&shown)?))
    }
}

#[uniffi::export]
impl Lookout {
    /// Meets every colleague's phone in sight until `stop`. Uses the network and blocks; a lookout meets once.
    ///
    /// Errors: [`FfiError::Sync`] where nobody can be looked for, [`FfiError::InvalidInput`] for a lookout used before,
    /// [`FfiError::Locked`] when the store was locked meanwhile.
    pub fn meet(&self, observer: Arc<dyn NearbyObserver>) -> Result<(), FfiError> {
        call(|| {
            let lookout = self.lookout.lock().unwrap_or_else(PoisonError::into_inner).take();
            let lookout = lookout.ok_or_else(|| FfiError::invalid("lookout_over"))?;
            let tell = |event: Nearby| {
                let event = match event {
                    Nearby::Listening(address) => NearbyEvent::Listening { address: address.to_string() },
                    Nearby::Met(report) => NearbyEvent::Met { report: report.as_ref().into() },
                    Nearby::Broken(error) => NearbyEvent::Broken { code: code_of(error) },
                };
                // what an observer throws is its own affair
                let _ = observer.happened(event);
            };
            Ok(lookout.meet(&self.unlocked, None, tell)?)
        })
    }

    /// Ends it from any thread: no further session begins, those under way end first, then `meet` returns.
    pub fn stop(&self) {
        self.stop.stop();
    }
}

fn code_of(error: PeerError<SessionError<Error>>) -> String {
    let code = match &error {
        PeerError::Transport(error) => error.code(),
        PeerError::Session(SessionError::Replica(error)) => error.code(),
        PeerError::Session(SessionError::Fault(fault)) => fault.code(),
    };
    code.to_owned()
}
