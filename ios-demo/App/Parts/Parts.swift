import OutreachKit
import SwiftUI

// What pages are made of. Text has the system's own sizes, so that Dynamic Type makes it as large as somebody needs.
extension Screens {
    /// A title, what scrolls, and below, within a thumb's reach, what the page is for.
    func page<Content: View, Foot: View>(
        _ title: String, hasBack: Bool = true, @ViewBuilder content: () -> Content, @ViewBuilder foot: () -> Foot
    ) -> some View {
        VStack(alignment: .leading, spacing: 0) {
            HStack(spacing: Style.gap) {
                if hasBack && app.hasBack {
                    Button(action: app.goBack) { Image(systemName: "chevron.backward").font(.title2.bold()) }
                        .buttonStyle(Surface(fill: Style.page, text: Style.primary))
                        .accessibilityLabel(words("back"))
                }
                Text(title).font(.title2.bold()).foregroundColor(Style.text).accessibilityAddTraits(.isHeader)
                Spacer(minLength: 0)
            }
            .padding(.horizontal, Style.side)
            .padding(.vertical, Style.gap)
            ScrollView {
                VStack(alignment: .leading, spacing: Style.gap) { content() }
                    .frame(maxWidth: .infinity, alignment: .leading)
                    .padding(.horizontal, Style.side)
                    .padding(.bottom, Style.gap)
            }
            .scrollDismissesKeyboard(.interactively)
            VStack(spacing: Style.gap) {
                if let fault = app.screen.fault { warning(words.fault(fault)) }
                if app.screen.isBusy { quiet(words("working")) }
                foot()
            }
            .disabled(app.screen.isBusy)
            .padding(.horizontal, Style.side)
            .padding(.vertical, Style.gap)
        }
        .background(Style.page.ignoresSafeArea())
    }

    func page<Content: View>(_ title: String, hasBack: Bool = true, @ViewBuilder content: () -> Content) -> some View {
        page(title, hasBack: hasBack, content: content, foot: { EmptyView() })
    }

    func heading(_ text: String) -> some View {
        Text(text).font(.headline).foregroundColor(Style.text).padding(.top, Style.gap).accessibilityAddTraits(.isHeader)
    }

    func text(_ text: String) -> some View {
        Text(text).font(.body).foregroundColor(Style.text).fixedSize(horizontal: false, vertical: true)
    }

    func quiet(_ text: String) -> some View {
        Text(text).font(.subheadline).foregroundColor(Style.quiet).fixedSize(horizontal: false, vertical: true)
    }

    func warning(_ text: String) -> some View {
        Text(text).font(.body).foregroundColor(Style.alarm).fixedSize(horizontal: false, vertical: true)
            .padding(.horizontal, Style.side)
            .padding(.vertical, Style.gap)
            .frame(maxWidth: .infinity, alignment: .leading)
            .background(RoundedRectangle(cornerRadius: Style.corner).fill(Style.alarmCard))
    }

    /// What the page is for.
    func primary(_ title: String, alarm: Bool = false, action: @escaping @MainActor () -> Void) -> some View {
        Button(action: action) { Text(title).font(.body.bold()) }
            .buttonStyle(
                Surface(
                    fill: alarm ? Style.alarm : Style.primary, text: alarm ? Style.onAlarm : Style.onPrimary, height: Style.primaryHeight,
                    isWide: true))
    }

    /// Another way on, beside the primary one.
    func secondary(_ title: String, action: @escaping @MainActor () -> Void) -> some View {
        Button(action: action) { Text(title).font(.body) }
            .buttonStyle(Surface(fill: Style.page, text: Style.primary, edge: Style.primary, isWide: true))
    }

    /// A button within what scrolls; `said` is what the screen reader says in place of its title.
    func small(_ title: String, said: String? = nil, action: @escaping @MainActor () -> Void) -> some View {
        Button(action: action) { Text(title).font(.body) }
            .buttonStyle(Surface(fill: Style.page, text: Style.primary, edge: Style.edge))
            .accessibilityLabel(said ?? title)
    }

    /// A whole line that can be touched.
    func line(_ title: String, _ below: String = "", said: String? = nil, action: @escaping @MainActor () -> Void) -> some View {
        Button(action: action) {
            VStack(alignment: .leading) {
                Text(title).font(.body)
                if !below.isEmpty { Text(below).font(.subheadline).foregroundColor(Style.quiet) }
            }
            .frame(maxWidth: .infinity, alignment: .leading)
        }
        .buttonStyle(Surface(fill: Style.card, text: Style.text, isWide: true))
        .accessibilityLabel(said ?? (below.isEmpty ? title : "\(title), \(below)"))
    }

    /// One of several: the chosen one is filled, says so, and is marked by more than its colour.
    func choice(_ title: String, _ isChosen: Bool, action: @escaping @MainActor () -> Void) -> some View {
        Button(action: action) { Text(isChosen ? "✓ \(title)" : title).font(.body) }
            .buttonStyle(
                Surface(
                    fill: isChosen ? Style.primary : Style.page, text: isChosen ? Style.onPrimary : Style.text,
                    edge: isChosen ? nil : Style.edge))
            .accessibilityLabel(isChosen ? "\(title), \(words("chosen"))" : title)
            .accessibilityAddTraits(isChosen ? .isSelected : [])
    }

    /// A choice for each of `values`, worded by the string tables.
    func choices<Value: Hashable>(_ prefix: String, _ values: [Value], _ chosen: Value?, action: @escaping @MainActor (Value) -> Void) -> some View {
        Flow {
            ForEach(values, id: \.self) { value in
                choice(words.word(prefix, value), value == chosen) { action(value) }
            }
        }
    }

    /// Lines that belong together, and what can be done about them.
    func card<Actions: View>(_ title: String, _ lines: [String] = [], @ViewBuilder actions: () -> Actions) -> some View {
        VStack(alignment: .leading, spacing: Style.gap / 2) {
            Text(title).font(.body.bold()).foregroundColor(Style.text)
            ForEach(Array(lines.filter { !$0.isEmpty }.enumerated()), id: \.offset) { quiet($0.element) }
            actions()
        }
        .padding(.horizontal, Style.side)
        .padding(.vertical, Style.gap)
        .frame(maxWidth: .infinity, alignment: .leading)
        .background(RoundedRectangle(cornerRadius: Style.corner).fill(Style.card))
    }

    func card(_ title: String, _ lines: [String] = []) -> some View { card(title, lines) { EmptyView() } }
}
