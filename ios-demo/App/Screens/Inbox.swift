import OutreachKit
import SwiftUI

extension Screens {
    @ViewBuilder func inbox(_ model: InboxModel) -> some View {
        if let complaint = model.state.complaint {
            page(words("inbox"), hasBack: false) {
                heading(words.word("about", complaint.category))
                text(complaint.text)
                field(words("inbox_answer"), model.answer, lines: 3) { model.answer = $0 }
            } foot: {
                secondary(words("inbox_close"), action: model.close)
                primary(words("inbox_send"), action: model.sendAnswer)
            }
        } else if model.state.isSetUp {
            book(model)
        } else {
            page(words("inbox")) { EmptyView() } foot: { primary(words("inbox_setup"), action: model.setUp) }
        }
    }

    private func book(_ model: InboxModel) -> some View {
        let lines = model.state.book?.lines ?? []
        return page(words("inbox")) {
            text(words("inbox_words"))
            card(model.state.words.joined(separator: " "))
            if lines.isEmpty { text(words("inbox_none")) }
            ForEach(lines, id: \.id) { line in
                card(words("inbox_line", words.word("about", line.category), line.arrived), [words.word("progress", line.progress)]) {
                    small(words("inbox_read")) { model.read(line) }
                }
            }
        } foot: {
            primary(words("inbox_publish"), action: model.publish)
        }
    }
}
