import Foundation

/// Where the notebooks lie.
enum Folder {
    /// The folder, made where it is missing: in no backup, and readable only while the device is unlocked.
    ///
    /// `complete` and not `completeUnlessOpen`: leaving the screen locks and closes every notebook, and a locked one fetches only while the
    /// device is unlocked. To fetch under a locked device the files would have to be readable there, and the keystore's keys with them.
    static func make() -> URL {
        let support = FileManager.default.urls(for: .applicationSupportDirectory, in: .userDomainMask)[0]
        var folder = support.appendingPathComponent("n", isDirectory: true)
        // new files take the class of their folder. Where this fails the first notebook cannot be made, and that is said
        try? FileManager.default.createDirectory(
            at: folder, withIntermediateDirectories: true, attributes: [.protectionKey: FileProtectionType.complete])
        try? FileManager.default.setAttributes([.protectionKey: FileProtectionType.complete], ofItemAtPath: folder.path)
        var values = URLResourceValues()
        values.isExcludedFromBackup = true
        try? folder.setResourceValues(values)
        return folder
    }
}
