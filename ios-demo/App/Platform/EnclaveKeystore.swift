import Foundation
import OutreachKit
import Security

/// One P-256 key per store in the Secure Enclave, for this device and while it is unlocked. Not run on a phone yet.
///
/// The key never leaves the Enclave; what it wraps is ciphertext already. The highest day of each store lies in the keychain, where a
/// restored folder cannot take it back.
final class EnclaveKeystore: Keystore {
    struct Failed: Error {}
    private static let algorithm = SecKeyAlgorithm.eciesEncryptionCofactorX963SHA256AESGCM
    private static let service = "n.day"

    func create() throws -> Data {
        let alias = Data(UUID().uuidString.replacingOccurrences(of: "-", with: "").lowercased().utf8)
        guard
            let access = SecAccessControlCreateWithFlags(
                nil, kSecAttrAccessibleWhenUnlockedThisDeviceOnly, .privateKeyUsage, nil)
        else { throw Failed() }
        var attributes: [CFString: Any] = [
            kSecAttrKeyType: kSecAttrKeyTypeECSECPrimeRandom,
            kSecAttrKeySizeInBits: 256,
            kSecPrivateKeyAttrs: [kSecAttrIsPermanent: true, kSecAttrApplicationTag: alias, kSecAttrAccessControl: access] as [CFString: Any],
        ]
        #if !targetEnvironment(simulator)
            // a simulator's key lies in the Mac's keychain: for trying screens only
            attributes[kSecAttrTokenID] = kSecAttrTokenIDSecureEnclave
        #endif
        guard SecKeyCreateRandomKey(attributes as CFDictionary, nil) != nil else { throw Failed() }
        return alias
    }

    private func query(_ alias: Data) -> [CFString: Any] {
        [kSecClass: kSecClassKey, kSecAttrKeyType: kSecAttrKeyTypeECSECPrimeRandom, kSecAttrApplicationTag: alias]
    }

    /// None: there is no such key. A device that is locked has keys that it does not give: that throws.
    private func key(_ alias: Data) throws -> SecKey? {
        var found: CFTypeRef?
        let status = SecItemCopyMatching(query(alias).merging([kSecReturnRef: true]) { $1 } as CFDictionary, &found)
        if status == errSecItemNotFound { return nil }
        guard status == errSecSuccess, let found, CFGetTypeID(found) == SecKeyGetTypeID() else { throw Failed() }
        return unsafeDowncast(found, to: SecKey.self)
    }

    func wrap(_ plain: Data, alias: Data) throws -> Data {
        guard let key = try key(alias), let open = SecKeyCopyPublicKey(key),
            let wrapped = SecKeyCreateEncryptedData(open, Self.algorithm, plain as CFData, nil)
        else { throw Failed() }
        return wrapped as Data
    }

    func unwrap(_ wrapped: Data, alias: Data) throws -> Data? {
        guard let key = try key(alias) else { return nil }
        guard let plain = SecKeyCreateDecryptedData(key, Self.algorithm, wrapped as CFData, nil) else { throw Failed() }
        return plain as Data
    }

    func destroy(alias: Data) throws {
        let status = SecItemDelete(query(alias) as CFDictionary)
        guard status == errSecSuccess || status == errSecItemNotFound else { throw Failed() }
    }

    // --- the highest day of each store ---

    private func day(_ store: Data) -> [CFString: Any] {
        let account = store.map { String(format: "%02x", $0) }.joined()
        return [kSecClass: kSecClassGenericPassword, kSecAttrService: Self.service, kSecAttrAccount: account]
    }

    func note(day: UInt32, of store: Data) throws {
        if let known = try highestDay(of: store), known >= day { return }
        let value = Data([UInt8(day >> 24), UInt8(day >> 16 & 255), UInt8(day >> 8 & 255), UInt8(day & 255)])
        let update = SecItemUpdate(self.day(store) as CFDictionary, [kSecValueData: value] as CFDictionary)
        if update == errSecSuccess { return }
        guard update == errSecItemNotFound else { throw Failed() }
        let item = self.day(store).merging([kSecValueData: value, kSecAttrAccessible: kSecAttrAccessibleWhenUnlockedThisDeviceOnly]) { $1 }
        guard SecItemAdd(item as CFDictionary, nil) == errSecSuccess else { throw Failed() }
    }

    func highestDay(of store: Data) throws -> UInt32? {
        var found: CFTypeRef?
        let status = SecItemCopyMatching(day(store).merging([kSecReturnData: true]) { $1 } as CFDictionary, &found)
        if status == errSecItemNotFound { return nil }
        guard status == errSecSuccess, let value = found as? Data, value.count == 4 else { throw Failed() }
        return value.reduce(0) { $0 << 8 | UInt32($1) }
    }
}
