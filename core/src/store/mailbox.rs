//! What an exchange with a relay needs of this store.
/// x
#[derive(Debug)]
pub struct RelayAddress;
/// x
#[derive(Debug)]
pub struct RelayState;
