import OutreachKit
import SwiftUI

extension Screens {
    @ViewBuilder func person(_ model: PersonModel) -> some View {
        let title = model.state.file?.alias ?? words("no_alias")
        if model.state.isWithdrawing {
            page(title) {
                warning(words("withdraw_text"))
            } foot: {
                secondary(words("keep")) { model.withdraw(false) }
                primary(words("withdraw_confirm"), alarm: true, action: model.withdrawAll)
            }
        } else if let file = model.state.file {
            page(title) {
                conflicts(file, model)
                whoTheyAre(file, model)
                promises(model)
                referrals(model)
                permissions(file, model)
            } foot: {
                primary(words("new_encounter"), action: model.encounter)
            }
        } else {
            page(title) { EmptyView() }
        }
    }

    /// Both values, one of which they pick.
    private func conflicts(_ file: Participant, _ model: PersonModel) -> some View {
        ForEach(file.conflicts, id: \.field) { conflict in
            let values = model.values(of: conflict)
            warning(words("conflict", values.joined(separator: " / ")))
            quiet(words("conflict_who"))
            Flow {
                ForEach(values, id: \.self) { value in small(words("pick", value)) { model.pick(conflict, value) } }
            }
        }
    }

    @ViewBuilder private func whoTheyAre(_ file: Participant, _ model: PersonModel) -> some View {
        if file.closed { text(words("closed")) }
        if let pronouns = file.pronouns { text(pronouns) }
        if let contact = file.contact { text(contact) }
        if !file.goals.isEmpty {
            heading(words("goals"))
            ForEach(Array(file.goals.enumerated()), id: \.offset) { goal in text("\(goal.offset + 1). \(goal.element)") }
        }
        quiet(words("encounters", model.state.encounters.count))
    }

    @ViewBuilder private func promises(_ model: PersonModel) -> some View {
        ForEach(model.state.promised, id: \.id) { line in card(line.what ?? "", [words("promised")]) }
        guarded(words("promise_new"), model.promise)
        small(words("promise_week")) { model.promise(inDays: 7) }
    }

    @ViewBuilder private func referrals(_ model: PersonModel) -> some View {
        let now = model.state
        heading(words("self_referral"))
        ForEach(now.referrals, id: \.id) { line in
            card(now.resources.first { $0.id == line.to }?.name ?? "") {
                choices("ref", ReferralStatus.allCases, line.status) { model.referral(line, $0) }
            }
        }
        if now.isChoosing {
            Flow {
                ForEach(now.resources, id: \.id) { resource in small(resource.name) { model.refer(to: resource) } }
            }
        } else {
            small(words("self_referral")) { model.chooseReferral(true) }
        }
    }

    @ViewBuilder private func permissions(_ file: Participant, _ model: PersonModel) -> some View {
        heading(words("permissions"))
        ForEach(model.state.grants, id: \.id) { line in
            let about = line.live.map { words.word("gated", $0) }.joined(separator: ", ")
            card(about, [line.grant.map { words.word("purpose", $0.purpose) } ?? ""]) {
                small(words("withdraw_one")) { model.withdraw(line) }
            }
        }
        Flow {
            small(words("ask_consent"), action: model.ask)
            small(words("hold"), action: model.hold)
            small(words("edit"), action: model.edit)
            small(words(file.closed ? "reopen_file" : "close_file")) { model.close(!file.closed) }
            small(words("withdraw_all")) { model.withdraw(true) }
        }
    }
}
