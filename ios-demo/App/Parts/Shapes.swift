import SwiftUI

/// How a button looks: filled, or with an edge; at least as high as a thumb needs.
struct Surface: ButtonStyle {
    let fill: Color
    let text: Color
    var edge: Color?
    var height = Style.touchHeight
    var isWide = false

    func makeBody(configuration: Configuration) -> some View {
        configuration.label
            .foregroundColor(text)
            .padding(.horizontal, Style.gap)
            .padding(.vertical, Style.gap / 2)
            .frame(maxWidth: isWide ? .infinity : nil, minHeight: height)
            .background(RoundedRectangle(cornerRadius: Style.corner).fill(fill))
            .overlay(RoundedRectangle(cornerRadius: Style.corner).stroke(edge ?? .clear, lineWidth: 2))
            .opacity(configuration.isPressed ? 0.7 : 1)
            .contentShape(Rectangle())
    }
}

/// Lays views out like words: beside each other while there is room. Large text needs no other layout.
struct Flow: Layout {
    var gap: CGFloat = Style.gap / 2

    func sizeThatFits(proposal: ProposedViewSize, subviews: Subviews, cache: inout ()) -> CGSize {
        let width = proposal.width ?? .infinity
        let places = places(subviews, width)
        let used = places.map { $0.maxX }.max() ?? 0
        return CGSize(width: proposal.width ?? used, height: places.map { $0.maxY }.max() ?? 0)
    }

    func placeSubviews(in bounds: CGRect, proposal: ProposedViewSize, subviews: Subviews, cache: inout ()) {
        for (view, place) in zip(subviews, places(subviews, bounds.width)) {
            view.place(at: CGPoint(x: bounds.minX + place.minX, y: bounds.minY + place.minY), proposal: ProposedViewSize(place.size))
        }
    }

    private func places(_ subviews: Subviews, _ width: CGFloat) -> [CGRect] {
        var places: [CGRect] = []
        var x: CGFloat = 0
        var y: CGFloat = 0
        var line: CGFloat = 0
        for view in subviews {
            let size = view.sizeThatFits(ProposedViewSize(width: width, height: nil))
            if x > 0 && x + size.width > width {
                x = 0
                y += line + gap
                line = 0
            }
            places.append(CGRect(origin: CGPoint(x: x, y: y), size: size))
            x += size.width + gap
            line = max(line, size.height)
        }
        return places
    }
}
