//! Satchel at a terminal.
//!
//! | file | holds |
//! |---|---|
//! | `arguments` | what can be typed |
//! | `commands` | what it does |
//! | `store` | the store, its passphrase and its clock |
//! | `keystore` | a keystore made of files, and what it cannot promise |
//! | `lookup` | abbreviated ids, aliases, names of resources |
//! | `failure`, `exit`, `wording` | why not, as a code, an exit status and a sentence |
//! | `output` | everything that is printed |
//! | `hsds` | directories of services in the Human Services Data Specification |
//! | `demo` | a week with several phones and a relay |

mod arguments;
mod commands;
mod demo;
mod exit;
mod failure;
#[allow(dead_code, unused_imports, reason = "a reader with an interface of its own: not every part of its report is printed")]
mod hsds;
mod keystore;
mod lookup;
mod output;
mod qr;
mod store;
mod wording;

use clap::Parser;
use std::process::ExitCode;

/// Memory is wiped when it is given back: parsers and formatters free copies of texts all the time.
#[global_allocator]
static ALLOCATOR: zeroizing_alloc::ZeroAlloc<std::alloc::System> = zeroizing_alloc::ZeroAlloc(std::alloc::System);

fn main() -> ExitCode {
    let arguments = match arguments::Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { exit::Exit::Usage.into() } else { exit::Exit::Done.into() };
        }
    };
    let output = output::Output::new(arguments.settings.json);
    match commands::run(arguments, output) {
        Ok(()) => exit::Exit::Done.into(),
        Err(failure) => {
            output.fail(&failure);
            failure.exit().into()
        }
    }
}
