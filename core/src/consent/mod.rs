//! What may be recorded, kept and shared: the charter, and what participants said.

pub mod charter;
pub mod grant;
pub mod holding;
pub mod page;
pub mod receipt;
pub mod request;
pub mod standing;
pub mod words;

pub use charter::{Agreement, AgreementWith, Charter, CharterError, FOUNDED_FROM, GrantDays, Retention};
pub use grant::{Act, GatedCategory, Grant, HowGiven, Purpose, ShareClass, Withdrawal};
pub use request::{GrantError, GrantRequest};
pub use standing::{Consents, GrantStatus};
pub use words::{Language, Words};
