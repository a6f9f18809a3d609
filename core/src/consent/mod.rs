//! What may be recorded, kept and shared: the charter, and what participants said.

pub mod charter;
pub mod grant;
pub mod page;

pub use charter::{Agreement, AgreementWith, Charter, CharterError, FOUNDED_FROM, Retention};
pub use grant::{Act, GatedCategory, Grant, HowGiven, Purpose, Withdrawal};
