import OutreachKit
import SwiftUI

extension Screens {
    @ViewBuilder func join(_ model: JoinModel) -> some View {
        if model.state.words.isEmpty {
            page(words("join_team")) {
                if model.state.isRefused { warning(words("differed")) }
                if model.state.isTyping {
                    field(words("code"), model.code) { model.code = $0 }
                    field(words("address"), model.address) { model.address = $0 }
                    small(words("use_qr")) { model.type(false) }
                } else {
                    line(words("scan")) { shown.isScanning = true }
                    field(words("scanned_text"), model.scanned) { model.scanned = $0 }
                    small(words("type_code")) { model.type(true) }
                }
                field(words("your_name"), model.name) { model.name = $0 }
                passphrase(words("passphrase"), "passphrase")
                quiet(words("passphrase_hint"))
            } foot: {
                primary(words("join")) { model.join(shown.secret("passphrase").take()) }
            }
            .fullScreenCover(isPresented: $shown.isScanning) {
                Scan(words: words) { text in
                    shown.isScanning = false
                    if let text { model.scanned(text) }
                }
            }
        } else {
            compare(words("join_team"), model.state.words, agree: model.agree)
        }
    }

    /// Four words that two people say to each other. Drawn without `page`: the call that asks for it is under way.
    func compare(_ title: String, _ check: [String], agree: @escaping @MainActor (Bool) -> Void) -> some View {
        VStack(alignment: .leading, spacing: Style.gap) {
            ScrollView {
                VStack(alignment: .leading, spacing: Style.gap) {
                    Text(title).font(.title2.bold()).foregroundColor(Style.text).accessibilityAddTraits(.isHeader)
                    heading(words("compare"))
                    card(check.joined(separator: "\n"))
                    quiet(words("compare_hint"))
                }
            }
            secondary(words("different")) { agree(false) }
            primary(words("same")) { agree(true) }
        }
        .padding(Style.side)
        .background(Style.page.ignoresSafeArea())
    }
}
