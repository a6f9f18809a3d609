import OutreachKit
import SwiftUI

extension Screens {
    /// The second of two steps: what it means, before it happens.
    @ViewBuilder func remove(_ model: RemoveModel) -> some View {
        let details = model.state.removal?.details
        page(words("remove_title", details?.name ?? words("no_alias"))) {
            if let details {
                if details.isLastOfMember { text(words("remove_last")) }
                if details.changesKeys { text(words("remove_keys")) }
                quiet(words("remove_kept", details.accepted))
            }
        } foot: {
            secondary(words("keep"), action: model.keep)
            if details != nil { primary(words("remove_confirm"), alarm: true, action: model.confirm) }
        }
    }
}
