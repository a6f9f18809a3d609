import Foundation
import XCTest

/// A relay, the real program on a free port of this machine, and one mailbox.
final class Relay {
    let url: String
    let mailbox: String
    let claim: Data
    private let server: Process

    init(in folder: URL) throws {
        let data = folder.appendingPathComponent("relay").path
        let output: Pipe
        (server, output) = try Self.start(["serve", "--data", data, "--listen", "127.0.0.1:0"])
        // one line of JSON when it is ready
        let ready = try JSONDecoder().decode([String: String].self, from: output.fileHandleForReading.availableData)
        url = "http://" + (ready["listening"] ?? "")
        let (_, made) = try Self.start(["mailbox", "create", "--data", data])
        // its end of the pipe closes when it is done
        let told = made.fileHandleForReading.readDataToEndOfFile()
        let lines = String(decoding: told, as: UTF8.self).split(separator: "\n").map { $0.split(separator: " ") }
        let values = Dictionary(uniqueKeysWithValues: lines.map { (String($0[0]), String($0[1])) })
        mailbox = values["mailbox"] ?? ""
        claim = Self.base32(values["secret"] ?? "")
    }

    private static func start(_ arguments: [String]) throws -> (Process, Pipe) {
        let (process, output) = (Process(), Pipe())
        let program = try XCTUnwrap(ProcessInfo.processInfo.environment["SATCHEL_RELAY"], "scripts/test-ios says where it is")
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.standardOutput = output
        try process.run()
        return (process, output)
    }

    /// RFC 4648, lower case, no padding.
    private static func base32(_ text: String) -> Data {
        let alphabet = Array("abcdefghijklmnopqrstuvwxyz234567")
        let bits = text.flatMap { letter -> [Int] in
            let value = alphabet.firstIndex(of: letter) ?? 0
            return (0..<5).map { value >> (4 - $0) & 1 }
        }
        return Data((0..<bits.count / 8).map { at in UInt8(bits[at * 8..<at * 8 + 8].reduce(0) { $0 << 1 | $1 }) })
    }

    /// Returns when the process has ended. (`waitUntilExit` turns a run loop, and a task's thread has none; a process that
    /// was started on such a thread inherits its blocked signals, all but this one.)
    func stop() async {
        let server = server
        await withCheckedContinuation { (ended: CheckedContinuation<Void, Never>) in
            server.terminationHandler = { _ in ended.resume() }
            kill(server.processIdentifier, SIGKILL)
        }
    }
}
