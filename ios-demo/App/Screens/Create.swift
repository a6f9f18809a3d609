import OutreachKit
import SwiftUI

extension Screens {
    @ViewBuilder func create(_ model: CreateModel) -> some View {
        if model.state.paper.isEmpty {
            page(words("create_team")) {
                field(words("your_name"), model.name) { model.name = $0 }
                passphrase(words("passphrase"), "first")
                quiet(words("passphrase_hint"))
                passphrase(words("passphrase_again"), "again")
            } foot: {
                primary(words("create_team")) { model.create(shown.secret("first").take(), again: shown.secret("again").take()) }
            }
        } else {
            paper(model)
        }
    }

    // drawn without `page`: it goes on while the team is being founded, and there is no way back from it
    private func paper(_ model: CreateModel) -> some View {
        VStack(alignment: .leading, spacing: Style.gap) {
            ScrollView {
                VStack(alignment: .leading, spacing: Style.gap) {
                    heading(words("paper_title"))
                    text(words("paper_text"))
                    card(model.state.paper.enumerated().map { "\($0.offset + 1) \($0.element)" }.joined(separator: "   "))
                }
            }
            primary(words("paper_done"), action: model.paperWritten)
        }
        .padding(Style.side)
        .background(Style.page.ignoresSafeArea())
    }
}
