package org.satchel.core

import java.io.DataInputStream
import java.io.File
import java.net.InetAddress
import java.net.ServerSocket
import java.net.Socket
import kotlinx.coroutines.runBlocking

/**
 * A phone that is told what to do: one command a line on the standard input, one answer a line. `scripts/test-three` lets it
 * work with a phone in Swift and with the command line. The words of joining are printed, and compared by the script.
 */
private class Phone(private val dir: String) {
    private lateinit var unlocked: Unlocked
    private val passphrase = "correct horse battery staple".toByteArray()

    /** Messages of joining: a length (4 bytes, little endian) and that many bytes. */
    private fun Socket.exchange(message: ByteArray): ByteArray {
        tell(message)
        val input = DataInputStream(getInputStream())
        return ByteArray(Integer.reverseBytes(input.readInt())).also { input.readFully(it) }
    }

    private fun Socket.tell(message: ByteArray) {
        val length = Integer.reverseBytes(message.size)
        getOutputStream().write(byteArrayOf((length ushr 24).toByte(), (length ushr 16).toByte(), (length ushr 8).toByte(), length.toByte()) + message)
        getOutputStream().flush()
    }

    private fun connect(address: String) = address.split(':').let { (host, port) -> Socket(host, port.toInt()) }

    private fun join(address: String, invitation: String, name: String): String = connect(address).use { wire ->
        val joining = joinTeam(invitation)
        joining.answered(wire.exchange(joining.knock()))
        println("words ${joining.words().joinToString(" ")}")
        check(readln() == "yes") { "the words differ" }
        val joined = joining.welcomed(wire.exchange(joining.introduce()), dir, passphrase, name, KeyCost.Least)
        wire.tell(joined.thanks)
        unlocked = joined.unlocked
        "joined ${unlocked.device()}"
    }

    /** A day's work; [mark] tells the phones apart. */
    private fun work(mark: String): String {
        val today = unlocked.today()
        val somebody = unlocked.createParticipant(
            ParticipantDraft(HowGiven.SPOKEN, "en", alias = mark, goals = listOf("a dry place"), recognitionWord = "heron"),
        )
        val zone = unlocked.createZone("by the $mark bridge")
        val soup = ownResourceId("Soup")
        val offers = listOf(OfferDraft(soup, 1u, Outcome.ACCEPTED, false))
        unlocked.saveEncounter(EncounterDraft(EncounterKind.STREET, participant = somebody, zone = zone, offers = offers, note = "gave 2 kits"))
        unlocked.saveEncounter(EncounterDraft(EncounterKind.DROP_IN))
        unlocked.saveFollowUp(FollowUpDraft(somebody, "bring a tent", today, today))
        unlocked.saveSelfReferral(SelfReferralDraft(somebody, StartedBy.PARTICIPANT, soup, ReferralStatus.ASKED))
        val request = GrantRequest(
            ConsentAct.RECORD, listOf(GatedCategory.LEGAL_NAME), null, Purpose.HOUSING_APPLICATION, null, today, HowGiven.SPOKEN,
            Language.ENGLISH,
        )
        val grant = unlocked.giveGrant(somebody, request)
        unlocked.vault(somebody, grant).use { it.write(listOf(Fact(FactField.LEGAL_NAME, "Maria Gonzalez"))) }
        return "worked $somebody"
    }

    private fun meet(session: PeerSession, wire: Socket): String =
        wire.use { "met ${runBlocking { session.runOver(it.getInputStream(), it.getOutputStream()) }.rowsReceived}" }

    fun answer(command: String, words: List<String>): String = when (command) {
        "join" -> join(words[0], words[1], words[2])
        "work" -> work(words[0])
        "edit" -> {
            unlocked.editParticipant(words[0], ParticipantEdit(contact = "ask at the ${words[1]}"))
            "edited"
        }
        "withdraw" -> {
            unlocked.withdraw(words[0], TakenBack(null, GatedCategory.LEGAL_NAME, null, HowGiven.SPOKEN))
            "withdrawn"
        }
        "erase" -> "erasing ${unlocked.eraseParticipant(words[0])}"
        "sync" -> runBlocking { unlocked.exchangeWithRelay() }.let { "synced ${it.pushed} ${it.pulled}" }
        "dial" -> meet(unlocked.dial(), connect(words[0]))
        "listen" -> ServerSocket(0, 1, InetAddress.getLoopbackAddress()).use { server ->
            println("listening 127.0.0.1:${server.localPort}")
            meet(unlocked.listen(), server.accept())
        }
        "names" -> "names ${unlocked.participants().mapNotNull { it.alias }.sorted().joinToString(" ")}"
        "likeness" -> unlocked.likeness().let { "likeness ${it.bodies} ${it.digest}" }
        else -> error("no such command")
    }
}

fun main(arguments: Array<String>) {
    val phone = Phone(File(arguments[0], "kotlin").path)
    generateSequence(::readlnOrNull).forEach { line ->
        val words = line.split(' ')
        println(
            try {
                phone.answer(words[0], words.drop(1))
            } catch (error: FfiException) {
                "failed $error"
            },
        )
    }
}
