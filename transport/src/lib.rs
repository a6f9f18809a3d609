//! Moves Satchel's bytes: phone to phone over TCP, and to a relay over HTTP. Knows no cipher.
//!
//! Everything blocks and has a time limit. A connection that is cut at any byte loses nothing: what was
//! accepted is on disk, and the next session goes on from there.
//!
//! | file | holds |
//! |---|---|
//! | `peer` | a session with a colleague's phone over a TCP stream |
//! | `nearby` | finding colleagues' phones on the local network, and meeting them all |
//! | `joining` | the five messages of joining in person, length-prefixed |
//! | `relay` | requests to a relay: route, pinned key, proxies, the connection |
//! | `live` | staying in touch with a relay |
//! | `error` | why bytes did not arrive |

pub mod error;
pub mod joining;
pub mod live;
pub mod nearby;
pub mod peer;
pub mod relay;

pub use error::TransportError;
