import Foundation
import XCTest

@testable import OutreachKit

/// Both languages say everything, in the Android demo's words, and every word that a screen asks for is there.
final class WordsTest: XCTestCase {
    private static let repository = (0..<5).reduce(URL(fileURLWithPath: #filePath)) { file, _ in file.deletingLastPathComponent() }

    private func text(_ path: String) throws -> String { try String(contentsOf: Self.repository.appendingPathComponent(path), encoding: .utf8) }

    private func found(_ pattern: String, in text: String) throws -> [[String]] {
        let expression = try NSRegularExpression(pattern: pattern)
        return expression.matches(in: text, range: NSRange(text.startIndex..., in: text)).map { match in
            (0..<match.numberOfRanges).map { Range(match.range(at: $0), in: text).map { String(text[$0]) } ?? "" }
        }
    }

    private func table(_ language: String, _ name: String = "Localizable") throws -> [String: String] {
        let lines = try found(#"(?m)^"(\w+)" = "((?:[^"\\]|\\.)*)";$"#, in: text("ios-demo/App/Resources/\(language).lproj/\(name).strings"))
        XCTAssertEqual(Set(lines.map { $0[1] }).count, lines.count, "a key stands twice")
        return Dictionary(uniqueKeysWithValues: lines.map { ($0[1], $0[2].replacingOccurrences(of: "\\\"", with: "\"")) })
    }

    private func android(_ folder: String) throws -> [String: String] {
        let lines = try found(#"name="(\w+)">([^<]*)<"#, in: text("android-demo/app/src/main/res/\(folder)/strings.xml"))
        return Dictionary(uniqueKeysWithValues: lines.map { line in
            let text = line[2].replacingOccurrences(of: "\\'", with: "'").replacingOccurrences(of: "&amp;", with: "&")
                .replacingOccurrences(of: #"%(\d)\$s"#, with: "%$1\\$@", options: .regularExpression)
                .replacingOccurrences(of: #"%(\d)\$d"#, with: "%$1\\$ld", options: .regularExpression)
            return (line[1], text)
        })
    }

    private func places(_ text: String) throws -> [String] { try found(#"%\d\$(@|ld)"#, in: text).map { $0[0] }.sorted() }

    func testBothLanguagesHaveEveryStringWithTheSamePlacesToFillIn() throws {
        for name in ["Localizable", "InfoPlist"] {
            let (english, spanish) = (try table("en", name), try table("es", name))
            XCTAssertGreaterThan(english.count, name == "Localizable" ? 250 : 2)
            XCTAssertEqual(Set(english.keys), Set(spanish.keys))
            for (key, text) in english { XCTAssertEqual(try places(text), try places(spanish[key] ?? ""), key) }
        }
    }

    func testTheWordsAreThoseOfTheAndroidDemo() throws {
        for (language, folder) in [("en", "values"), ("es", "values-es")] {
            let (here, there) = (try table(language), try android(folder))
            XCTAssertGreaterThan(there.count, 250)
            let shared = Set(here.keys).intersection(there.keys)
            XCTAssertGreaterThan(shared.count, 250)
            // the Android demo shows the paper again for two weeks, this one does not
            for key in shared where key != "paper_text" { XCTAssertEqual(here[key], there[key], key) }
            // what only this app has to say: the camera's page, and fetching while locked
            let onlyHere = ["scan_help", "scan_off", "locked_fetch", "locked_fetch_text"]
            XCTAssertEqual(Set(here.keys).subtracting(there.keys), Set(onlyHere))
        }
    }

    /// Keys that the sources ask for by name.
    private func asked() throws -> Set<String> {
        var keys: Set<String> = []
        let folders = ["ios-demo/App", "ios-demo/OutreachKit/Sources/OutreachKit"].map(Self.repository.appendingPathComponent)
        for folder in folders {
            let files = try XCTUnwrap(FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil))
            for case let file as URL in files where file.pathExtension == "swift" {
                let source = try String(contentsOf: file, encoding: .utf8)
                for call in try found(#"\b(?:words|self)\(\s*"(\w+)""#, in: source) { keys.insert(call[1]) }
                // one of two
                for call in try found(#"\bwords\(\s*[^"()]+\? "(\w+)" : "(\w+)""#, in: source) { keys.formUnion(call.dropFirst()) }
            }
        }
        return keys
    }

    private let lists: [(String, [Any])] = [
        ("kind", EncounterKind.allCases), ("outcome", Outcome.allCases), ("how", HowGiven.allCases), ("ref", ReferralStatus.allCases),
        ("demand", Demand.allCases), ("cat", ResourceCategory.allCases), ("act", ConsentAct.allCases), ("gated", GatedCategory.allCases),
        ("purpose", Purpose.allCases), ("role", Role.allCases), ("about", ComplaintCategory.allCases),
        ("progress", ComplaintProgress.allCases),
    ]

    func testEveryWordThatIsAskedForIsThereAndNoneIsThereForNothing() throws {
        let table = try table("en")
        let asked = try asked()
        XCTAssertGreaterThan(asked.count, 150)
        XCTAssertEqual(asked.subtracting(table.keys), [])
        var used = asked
        for (prefix, values) in lists {
            let words = Set(values.map { "\(prefix)_\(snake($0))" })
            XCTAssertEqual(words.subtracting(table.keys), [])
            // a value that the library got and this app does not offer would have its word in the Android demo
            let others = Set(table.keys.filter { $0.hasPrefix("\(prefix)_") }).subtracting(words).subtracting(asked)
            XCTAssertEqual(others, [], "words for values that are not offered")
            used.formUnion(words)
        }
        XCTAssertEqual(Set(table.keys).subtracting(used), [], "words that nobody says")
    }

    func testPlacesAreFilledInOnceAndEveryFaultHasItsWords() throws {
        for language in ["en", "es"] {
            let table = try table(language)
            let words = Words { table[$0] ?? $0 }
            XCTAssertFalse(words("tally_said", "Socks", 3).contains("%"))
            XCTAssertTrue(words("tally_said", "Socks", 3).contains("Socks"))
            XCTAssertTrue(words("pick", "%1$@ 100%").contains("%1$@ 100%"), "what is filled in stays as it is")
            for kind in Fault.Kind.allCases {
                let said = words.fault(Fault(kind, "some_code", "try_later"))
                XCTAssertFalse(said.isEmpty || said.hasPrefix("fault_") || said.contains("%"), said)
            }
            for code in ["passphrase_short", "passphrases_differ", "recognition_word"] {
                XCTAssertFalse(words.fault(Fault(.input, code, "correct_input")).contains(code))
            }
            XCTAssertEqual(Set([nil, 0, 5].map { words.met(daysAgo: $0) }).count, 3)
            XCTAssertEqual(Set([-1, 0, 5].map { words.until(inDays: $0) }).count, 3)
        }
    }

    func testNothingOnTheScreenCallsAParticipantWhatNobodyWantsToBeCalled() throws {
        let pattern = #"(?i)\b(client|addict|homeless person|prostitute|offender|abuser)s?\b"#
        XCTAssertEqual(try found(pattern, in: "two clients").count, 1, "control")
        for (key, text) in try table("en") { XCTAssertEqual(try found(pattern, in: text).count, 0, key) }
    }
}
