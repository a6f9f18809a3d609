package org.satchel.core

import java.nio.file.Path
import java.security.SecureRandom
import java.util.concurrent.CopyOnWriteArrayList
import javax.crypto.Cipher
import javax.crypto.KeyGenerator
import javax.crypto.SecretKey
import javax.crypto.spec.GCMParameterSpec
import kotlin.io.path.pathString
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.io.TempDir

/** What all tests share: phones of one team in a folder of their own, and what carries their messages. */
abstract class Phones {
    @TempDir
    lateinit var folder: Path

    protected val passphrase = "correct horse battery staple".toByteArray()
    protected val kit = "res_aaaaaaaaaaaaaaaaaaaaaaaaaa"
    protected val soup = "res_gaytemzugu3doobzmfrggzdfmy"

    protected fun dir(name: String) = folder.resolve(name).pathString

    protected fun found(name: String, protector: KeyProtector? = null): Unlocked =
        foundTeam(dir(name), passphrase, "America/Los_Angeles", "Ana", KeyCost.Least, protector).use { founded ->
            founded.reseatPaper().use { paper -> assertEquals(35, paper.words().useAndWipe { String(it).split(' ').size }) }
            founded.unlocked()
        }

    protected fun Unlocked.newParticipant(alias: String) =
        createParticipant(ParticipantDraft(HowGiven.SPOKEN, "en", alias = alias, goals = listOf("a dry place", "see a doctor")))

    class Recorder(private val onChange: () -> Unit = {}) : ChangeObserver {
        val seen = CopyOnWriteArrayList<Change>()
        override fun changed(changes: List<Change>) {
            seen += changes
            onChange()
        }
    }

    class MemoryProtector : DaylessKeyProtector() {
        // as an app does with the Android Keystore: AES-GCM, the key by its alias
        val secrets = HashMap<String, SecretKey>()
        var isBroken = false
        private var made = 0
        private fun cipher(alias: ByteArray, mode: Int, iv: ByteArray): Cipher {
            if (isBroken) throw IllegalStateException("private words")
            val key = secrets[String(alias)] ?: throw KeyProtectorException.Missing()
            return Cipher.getInstance("AES/GCM/NoPadding").apply { init(mode, key, GCMParameterSpec(128, iv)) }
        }
        override fun create(): ByteArray {
            val alias = "key-${made++}"
            secrets[alias] = KeyGenerator.getInstance("AES").apply { init(256) }.generateKey()
            return alias.toByteArray()
        }
        override fun wrap(alias: ByteArray, plain: ByteArray): ByteArray {
            val iv = ByteArray(12).also { SecureRandom().nextBytes(it) }
            return iv + cipher(alias, Cipher.ENCRYPT_MODE, iv).doFinal(plain)
        }
        override fun unwrap(alias: ByteArray, wrapped: ByteArray): ByteArray =
            cipher(alias, Cipher.DECRYPT_MODE, wrapped.copyOf(12)).doFinal(wrapped, 12, wrapped.size - 12)
        override fun destroy(alias: ByteArray) {
            secrets.remove(String(alias))
        }
        override fun isHardwareBound() = false
    }

    /** Carries a session in the portions that a radio would. */
    protected fun meet(dialer: PeerSession, listener: PeerSession) {
        var moved = true
        while (moved) {
            moved = false
            for ((from, to) in listOf(dialer to listener, listener to dialer)) {
                while (true) {
                    val bytes = from.transmit(500u) ?: break
                    to.receive(bytes)
                    moved = true
                }
            }
        }
        assertTrue(dialer.isFinished() && listener.isFinished())
    }

    /** Carries the messages of joining; [joining] is what the newcomer began with. */
    protected fun join(host: Unlocked, name: String, joining: Joining = joinTeam(host.invite(Role.WORKER, ""))): Unlocked {
        val answered = host.answerKnock(joining.knock())
        joining.answered(answered.answer)
        assertEquals(answered.host.words(), joining.words())
        answered.host.introduced(joining.introduce())
        val joined = joining.welcomed(answered.host.welcome(), dir(name), passphrase, name.replaceFirstChar(Char::uppercase), KeyCost.Least)
        answered.host.thanked(joined.thanks)
        return joined.unlocked
    }
}
