package org.satchel.demo.platform

import android.os.Build
import android.security.keystore.KeyGenParameterSpec
import android.security.keystore.KeyProperties
import android.security.keystore.StrongBoxUnavailableException
import java.security.KeyStore
import java.security.SecureRandom
import javax.crypto.Cipher
import javax.crypto.KeyGenerator
import javax.crypto.SecretKey
import javax.crypto.spec.GCMParameterSpec
import org.satchel.demo.repository.Keystore

/** One AES-256-GCM key per store in the Android Keystore, in StrongBox where there is one. Not run on a phone yet. */
class AndroidKeystore : Keystore {
    private val keys: KeyStore by lazy { KeyStore.getInstance(PROVIDER).apply { load(null) } }

    override fun create(): ByteArray {
        val alias = "n" + ByteArray(8).also { SecureRandom().nextBytes(it) }.joinToString("") { "%02x".format(it) }
        if (Build.VERSION.SDK_INT >= 28) {
            try {
                generate(spec(alias).setIsStrongBoxBacked(true).setUnlockedDeviceRequired(true).build())
                return alias.toByteArray()
            } catch (_: StrongBoxUnavailableException) {
                // the secure part of the main processor is what most phones have
            }
        }
        generate(spec(alias).build())
        return alias.toByteArray()
    }

    private fun spec(alias: String) = KeyGenParameterSpec.Builder(alias, KeyProperties.PURPOSE_ENCRYPT or KeyProperties.PURPOSE_DECRYPT)
        .setKeySize(256)
        .setBlockModes(KeyProperties.BLOCK_MODE_GCM)
        .setEncryptionPaddings(KeyProperties.ENCRYPTION_PADDING_NONE)

    private fun generate(spec: KeyGenParameterSpec) {
        KeyGenerator.getInstance(KeyProperties.KEY_ALGORITHM_AES, PROVIDER).apply { init(spec) }.generateKey()
    }

    private fun key(alias: ByteArray) = keys.getKey(String(alias), null) as SecretKey?

    override fun wrap(alias: ByteArray, plain: ByteArray): ByteArray {
        val cipher = Cipher.getInstance(CIPHER).apply { init(Cipher.ENCRYPT_MODE, key(alias)) }
        return cipher.iv + cipher.doFinal(plain)
    }

    override fun unwrap(alias: ByteArray, wrapped: ByteArray): ByteArray? {
        val key = key(alias) ?: return null
        val cipher = Cipher.getInstance(CIPHER).apply { init(Cipher.DECRYPT_MODE, key, GCMParameterSpec(128, wrapped, 0, IV_BYTES)) }
        return cipher.doFinal(wrapped, IV_BYTES, wrapped.size - IV_BYTES)
    }

    override fun destroy(alias: ByteArray) = keys.deleteEntry(String(alias))

    private companion object {
        const val PROVIDER = "AndroidKeyStore"
        const val CIPHER = "AES/GCM/NoPadding"
        const val IV_BYTES = 12
    }
}
