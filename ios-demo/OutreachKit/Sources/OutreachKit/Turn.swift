import Foundation

/// Seconds to wait before calling a colleague's phone that shows `theirs`, so that of two phones one calls: whoever was to call, and
/// has not by then, may not have seen this one.
public func patience(_ caller: Caller, own: Data, theirs: Data) -> Int {
    let theirTurn = 8
    switch caller {
    case .us: return 0
    case .them: return theirTurn
    case .either: return own.lexicographicallyPrecedes(theirs) ? 0 : theirTurn
    }
}
