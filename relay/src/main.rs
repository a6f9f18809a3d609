//! `satchel-relay`: the blind mailbox server, and the operator's commands.

mod cli;

fn main() -> std::process::ExitCode {
    cli::run()
}
