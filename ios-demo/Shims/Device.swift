// Only what App uses of the frameworks for camera, voice, network, keychain and background work: one module stands for all of them.
@_exported import UIKit

// --- Security ---
public typealias CFString = String
public typealias CFDictionary = [String: Any]
public typealias CFData = Data
public typealias CFTypeRef = AnyObject
public typealias OSStatus = Int32
public final class SecKey: @unchecked Sendable {}
public final class SecAccessControl {}
public struct SecAccessControlCreateFlags: Sendable { public static let privateKeyUsage = SecAccessControlCreateFlags() }
public struct SecKeyAlgorithm: Sendable { public static let eciesEncryptionCofactorX963SHA256AESGCM = SecKeyAlgorithm() }
public let errSecSuccess: OSStatus = 0, errSecItemNotFound: OSStatus = 1
public let kSecAttrAccessibleWhenUnlockedThisDeviceOnly: CFString = "", kSecAttrKeyType: CFString = "", kSecAttrKeyTypeECSECPrimeRandom: CFString = ""
public let kSecAttrKeySizeInBits: CFString = "", kSecPrivateKeyAttrs: CFString = "", kSecAttrIsPermanent: CFString = ""
public let kSecAttrApplicationTag: CFString = "", kSecAttrAccessControl: CFString = "", kSecAttrTokenID: CFString = ""
public let kSecAttrTokenIDSecureEnclave: CFString = "", kSecClass: CFString = "", kSecClassKey: CFString = "", kSecReturnRef: CFString = ""
public let kSecClassGenericPassword: CFString = "", kSecAttrService: CFString = "", kSecAttrAccount: CFString = "", kSecValueData: CFString = ""
public let kSecAttrAccessible: CFString = "", kSecReturnData: CFString = ""
public func SecAccessControlCreateWithFlags(_: Int?, _: CFString, _: SecAccessControlCreateFlags, _: Int?) -> SecAccessControl? { nil }
public func SecKeyCreateRandomKey(_: CFDictionary, _: Int?) -> SecKey? { nil }
public func SecKeyCopyPublicKey(_: SecKey) -> SecKey? { nil }
public func SecKeyCreateEncryptedData(_: SecKey, _: SecKeyAlgorithm, _: CFData, _: Int?) -> CFData? { nil }
public func SecKeyCreateDecryptedData(_: SecKey, _: SecKeyAlgorithm, _: CFData, _: Int?) -> CFData? { nil }
public func SecItemCopyMatching(_: CFDictionary, _: UnsafeMutablePointer<CFTypeRef?>?) -> OSStatus { 0 }
public func SecItemUpdate(_: CFDictionary, _: CFDictionary) -> OSStatus { 0 }
public func SecItemAdd(_: CFDictionary, _: UnsafeMutablePointer<CFTypeRef?>?) -> OSStatus { 0 }
public func SecItemDelete(_: CFDictionary) -> OSStatus { 0 }
public func CFGetTypeID(_: CFTypeRef) -> UInt { 0 }
public func SecKeyGetTypeID() -> UInt { 0 }

// --- BackgroundTasks ---
open class BGTask {
    public var expirationHandler: (() -> Void)?
    public func setTaskCompleted(success: Bool) {}
}
public final class BGAppRefreshTaskRequest {
    public init(identifier: String) {}
    public var earliestBeginDate: Date?
}
public final class BGTaskScheduler: @unchecked Sendable {
    public static let shared = BGTaskScheduler()
    @discardableResult public func register(forTaskWithIdentifier: String, using: DispatchQueue?, launchHandler: @escaping (BGTask) -> Void) -> Bool { true }
    public func submit(_ request: BGAppRefreshTaskRequest) throws {}
}

// --- AVFoundation ---
public final class AVSpeechSynthesizer {
    public enum Boundary { case immediate }
    public init() {}
    @discardableResult public func stopSpeaking(at: Boundary) -> Bool { true }
    public func speak(_ utterance: AVSpeechUtterance) {}
}
public final class AVSpeechUtterance {
    public init(string: String) {}
    public var voice: AVSpeechSynthesisVoice?
}
public final class AVSpeechSynthesisVoice { public init?(language: String?) {} }
public struct AVMediaType: Sendable { public static let video = AVMediaType() }
public final class AVCaptureDevice: @unchecked Sendable {
    public static func requestAccess(for: AVMediaType) async -> Bool { true }
    public static func `default`(for: AVMediaType) -> AVCaptureDevice? { nil }
}
open class AVCaptureInput {}
open class AVCaptureOutput {}
public final class AVCaptureDeviceInput: AVCaptureInput { public init(device: AVCaptureDevice) throws {} }
public final class AVCaptureConnection {}
open class AVMetadataObject { public enum ObjectType { case qr } }
public final class AVMetadataMachineReadableCodeObject: AVMetadataObject { public var stringValue: String? { nil } }
public protocol AVCaptureMetadataOutputObjectsDelegate: AnyObject {
    func metadataOutput(_ output: AVCaptureMetadataOutput, didOutput objects: [AVMetadataObject], from connection: AVCaptureConnection)
}
public final class AVCaptureMetadataOutput: AVCaptureOutput {
    public override init() {}
    public var metadataObjectTypes: [AVMetadataObject.ObjectType]!
    public func setMetadataObjectsDelegate(_: AVCaptureMetadataOutputObjectsDelegate?, queue: DispatchQueue?) {}
}
public final class AVCaptureSession {
    public init() {}
    public func canAddInput(_: AVCaptureInput) -> Bool { true }
    public func addInput(_: AVCaptureInput) {}
    public func canAddOutput(_: AVCaptureOutput) -> Bool { true }
    public func addOutput(_: AVCaptureOutput) {}
    public func startRunning() {}
    public func stopRunning() {}
}
public enum AVLayerVideoGravity { case resizeAspectFill }
public final class AVCaptureVideoPreviewLayer: CALayer {
    public init(session: AVCaptureSession) { super.init() }
    public var videoGravity = AVLayerVideoGravity.resizeAspectFill
}

// --- Network ---
public struct NWError: Error {}
public struct NWParameters: Sendable { public static var tcp: NWParameters { NWParameters() } }
public enum NWEndpoint: Hashable, Sendable {
    public struct Host: Hashable, Sendable { public init(_ name: String) {} }
    public struct Port: Hashable, Sendable {
        public var rawValue: UInt16 { 0 }
        public init?(rawValue: UInt16) {}
    }
    case service(name: String, type: String, domain: String, interface: Int?)
    case other
}
public struct NWTXTRecord: Hashable, Sendable {
    public enum Entry: Hashable, Sendable { case none, empty, string(String), data(Data) }
    public init() {}
    public func getEntry(for key: String) -> Entry? { nil }
    @discardableResult public mutating func setEntry(_ entry: Entry, for key: String) -> Bool { true }
}
public final class NWConnection: @unchecked Sendable {
    public enum State: Equatable, Sendable { case setup, preparing, ready, waiting, failed, cancelled }
    public enum SendCompletion { case contentProcessed(@Sendable (NWError?) -> Void) }
    public final class ContentContext: Sendable {}
    public init(host: NWEndpoint.Host, port: NWEndpoint.Port, using: NWParameters) {}
    public init(to: NWEndpoint, using: NWParameters) {}
    public var state: State { .setup }
    public var stateUpdateHandler: (@Sendable (State) -> Void)? { get { nil } set {} }
    public func start(queue: DispatchQueue) {}
    public func send(content: Data?, completion: SendCompletion) {}
    public func receive(minimumIncompleteLength: Int, maximumLength: Int, completion: @escaping @Sendable (Data?, ContentContext?, Bool, NWError?) -> Void) {}
    public func cancel() {}
}
public final class NWListener: @unchecked Sendable {
    public enum State: Equatable, Sendable { case setup, ready, waiting, failed, cancelled }
    public struct Service: Sendable { public init(name: String?, type: String, domain: String? = nil, txtRecord: NWTXTRecord) {} }
    public init(using: NWParameters) throws {}
    public var port: NWEndpoint.Port? { nil }
    public var service: Service? { get { nil } set {} }
    public var newConnectionHandler: (@Sendable (NWConnection) -> Void)? { get { nil } set {} }
    public var stateUpdateHandler: (@Sendable (State) -> Void)? { get { nil } set {} }
    public func start(queue: DispatchQueue) {}
    public func cancel() {}
}
public final class NWBrowser: @unchecked Sendable {
    public enum Descriptor: Sendable { case bonjourWithTXTRecord(type: String, domain: String?) }
    public struct Result: Hashable, Sendable {
        public enum Metadata: Hashable, Sendable { case none, bonjour(NWTXTRecord) }
        public enum Change: Hashable, Sendable { case identical }
        public let endpoint = NWEndpoint.other
        public let metadata = Metadata.none
    }
    public init(for: Descriptor, using: NWParameters) {}
    public var browseResultsChangedHandler: (@Sendable (Set<Result>, Set<Result.Change>) -> Void)? { get { nil } set {} }
    public func start(queue: DispatchQueue) {}
    public func cancel() {}
}

// --- Foundation as it is on Apple's systems ---
public struct FileProtectionType: Sendable { public static let complete = FileProtectionType() }
extension FileAttributeKey { public static let protectionKey = FileAttributeKey(rawValue: "") }
