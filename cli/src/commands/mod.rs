//! What the commands do.

mod board;
mod catalogue;
mod charter;
mod consent;
mod diagnosis;
mod erasing;
mod exchange;
mod founding;
mod inbox;
mod keys;
mod meetings;
mod members;
mod overview;
mod packs;
mod people;
mod recovery;
mod relay;
mod screening;
mod share;
mod view;

use crate::arguments::{Arguments, Command, PassphraseAction};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{self, Output};

/// Runs the command.
pub fn run(arguments: Arguments, output: Output) -> Result<(), Failure> {
    let settings = arguments.settings;
    match arguments.command {
        Command::Init { name, time_zone } => founding::init(&settings, output, &name, time_zone),
        Command::Invite { role, listen, address, expect_words, typed, own_device } => {
            let whom = founding::Whom { role: &role, is_own_device: own_device, is_typed: typed };
            founding::invite(&settings, output, &whom, &listen, address, expect_words.as_deref())
        }
        Command::Join { invitation, name, address, expect_words, typed } => {
            founding::join(&settings, output, &invitation, &name, address, expect_words.as_deref(), typed)
        }
        Command::Participant(command) => people::participant(&settings, output, command),
        Command::FollowUp(command) => people::follow_up(&settings, output, command),
        Command::Refer(command) => people::refer(&settings, output, command),
        Command::Grant(command) => consent::grant(&settings, output, command),
        Command::Withdraw(command) => consent::withdraw(&settings, output, command),
        Command::Vault(command) => consent::vault(&settings, output, command),
        Command::Share(command) => share::share(&settings, output, command),
        Command::Encounter(command) => meetings::encounter(&settings, output, command),
        Command::Tally(command) => meetings::tally(&settings, output, command),
        Command::Zone(command) => meetings::zone(&settings, output, command),
        Command::List { all } => overview::list(&settings, output, all),
        Command::Show { id } => overview::show(&settings, output, &id),
        Command::Sync(command) => relay::sync(&settings, output, &command),
        Command::Peer(command) => exchange::peer(&settings, output, command),
        Command::Relay(command) => relay::relay(&settings, output, command),
        Command::Member(command) => members::member(&settings, output, command),
        Command::Erase(command) => erasing::erase(&settings, output, command),
        Command::Pack(command) => packs::pack(&settings, output, command),
        Command::Recovery(command) => recovery::recovery(&settings, output, command),
        Command::Reseat { remove, steward } => recovery::reseat(&settings, output, &remove, steward),
        Command::Complaint(command) => board::complaint(&settings, output, command),
        Command::Board(command) => board::board(&settings, output, command),
        Command::Charter(command) => charter::charter(&settings, output, command),
        Command::Catalogue(command) => catalogue::run(&settings, output, command),
        Command::Screen { suggest, .. } => screening::run(output, suggest),
        Command::Doctor { confirm_date } => diagnosis::doctor(&settings, output, confirm_date),
        Command::Passphrase { words, action: None } => founding::passphrase(&settings, output, words),
        Command::Passphrase { action: Some(PassphraseAction::Change { new_passphrase_fd }), .. } => {
            keys::change_passphrase(&settings, output, new_passphrase_fd)
        }
        Command::EraseDevice { yes } => keys::erase_device(&settings, output, yes),
        Command::Demo => crate::demo::run(),
        Command::ExitCodes => {
            output::say(Exit::table().trim_end());
            Ok(())
        }
    }
}
