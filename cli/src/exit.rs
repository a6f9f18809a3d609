//! Exit statuses: one table, shown by `satchel help exit-codes` and in `--help`.

use std::process::ExitCode;

/// What a process leaves behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    Done = 0,
    Usage = 2,
    Locked = 3,
    Refused = 4,
    Storage = 5,
    Network = 6,
    OtherSide = 7,
    NotFound = 8,
    NotAllowed = 9,
    CheckFailed = 10,
}

impl Exit {
    /// The table.
    pub const ALL: [(Self, &'static str); 10] = [
        (Self::Done, "done"),
        (Self::Usage, "wrong usage"),
        (Self::Locked, "wrong passphrase, or no passphrase given"),
        (Self::Refused, "the input was refused: text guard, limits, closed lists, an unreadable file, a question not answered with yes"),
        (Self::Storage, "the store's files: none there, in use, full, damaged, not writable"),
        (Self::Network, "the network: nobody answers, cut, too slow, or one that costs and is spared"),
        (Self::OtherSide, "the other phone or the relay refused"),
        (Self::NotFound, "no such record, zone, resource, relay, member, phone or erasure"),
        (Self::NotAllowed, "not allowed: role, removed, suspended, copied, the team's last day is over"),
        (Self::CheckFailed, "a check of `doctor` or `demo` failed"),
    ];

    /// The table as text.
    pub fn table() -> String {
        let lines = Self::ALL.iter().map(|(exit, meaning)| format!("  {:>2}  {meaning}\n", *exit as u8));
        format!("Exit codes:\n{}", lines.collect::<String>())
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
