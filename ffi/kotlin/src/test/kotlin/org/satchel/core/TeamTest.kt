package org.satchel.core

import java.net.ServerSocket
import java.net.Socket
import java.nio.file.Files
import kotlin.io.path.inputStream
import kotlin.io.path.outputStream
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** Two phones of one team, end to end: removal, erasure, packs, papers, codes, locking. */
class TeamTest : Phones() {
    private fun Unlocked.standing(device: String) = team().devices.single { it.id == device }.standing

    private fun <T> failure(answer: Answer<T>): FfiException = (answer as Answer.Failed).error

    @Test
    fun `a lost phone is removed in two steps and gets nothing more`() = runBlocking {
        val ana = found("ana")
        val ben = join(ana, "ben")
        ben.saveEncounter(EncounterDraft(EncounterKind.STREET, note = "gave 2 kits"))
        meet(ben.dial(), ana.listen())
        val lost = ben.device()
        val line = ana.team().devices.single { it.id == lost }
        assertEquals(listOf("Ben", Role.WORKER, Standing.ACTIVE, false), listOf(line.name, line.role, line.standing, line.isDormant))
        assertNotNull(line.lastHeard)
        assertFalse(line.toString().contains("Ben"), "a line with a name prints none of it")

        var shown: RemovalDetails? = null
        assertNull(ana.removeDevice(lost) { shown = it; false })
        assertEquals(lost, shown!!.device)
        assertTrue(shown!!.isLastOfMember && shown!!.changesKeys && shown!!.accepted > 0u)
        assertEquals(Standing.ACTIVE, ana.standing(lost), "no is no")
        val turn = ana.team().turn
        assertNotNull(ana.removeDevice(lost) { true })
        assertEquals(Standing.REMOVED, ana.standing(lost))
        assertTrue(ana.team().turn > turn, "the keys changed")
        assertEquals(1, ana.encounters().size, "what it wrote and handed over stays")

        ana.saveEncounter(EncounterDraft(EncounterKind.STREET))
        assertTrue(failure(answer { meet(ben.dial(), ana.listen()) }) is FfiException.Sync)
        assertEquals(1, ben.encounters().size)
        assertTrue(failure(answer { ana.prepareRemoval(lost) }) is FfiException.NotFound)
        assertTrue(failure(answer { ana.prepareRemoval(ana.device()) }) is FfiException.Refused)
        val plan = ana.prepareRemoval(join(ana, "cleo").device())
        plan.confirm()
        assertThrows(FfiException.NotFound::class.java, { plan.confirm() }, "once")
        Unit
    }

    @Test
    fun `a suspension ends, a steward is not removed by one signature, and a worker may do none of it`() {
        val ana = found("ana")
        val ben = join(ana, "ben")
        val cleo = join(ana, "cleo", joinTeam(ana.invite(Role.STEWARD, "")))
        val board = join(ana, "board", joinTeam(ana.invite(Role.BOARD, "")))
        for (phone in listOf(ben, cleo, board)) meet(ana.dial(), phone.listen())
        val member = ana.team().devices.single { it.id == ben.device() }.member
        ana.suspendMember(member)
        assertEquals(Standing.SUSPENDED, ana.standing(ben.device()))
        ana.reinstateMember(member)
        assertEquals(Standing.ACTIVE, ana.standing(ben.device()))

        val steward = ana.team().devices.single { it.id == cleo.device() }.member
        val removal = ana.removeMember(steward)
        assertEquals(Standing.SUSPENDED, ana.standing(cleo.device()))
        val waits = ana.awaitingCountersignature().single()
        assertEquals(listOf(removal, Awaiting.REMOVAL, false), listOf(waits.operation, waits.awaiting, waits.maySign))
        meet(ana.dial(), board.listen())
        assertTrue(board.awaitingCountersignature().single().maySign)
        board.countersign(removal)
        meet(board.dial(), ana.listen())
        assertEquals(Standing.REMOVED, ana.standing(cleo.device()))
        assertTrue(ana.awaitingCountersignature().isEmpty())
        assertThrows(FfiException.NotFound::class.java) { ana.countersign(ana.changeRole(member, Role.WORKER)) }

        val refused = assertThrows(FfiException.Refused::class.java) { ben.suspendMember(ana.team().devices.single { it.isSelf }.member) }
        assertEquals("ask_steward", refused.remedy)
        assertTrue(ana.waitingBeyondCut().isEmpty())
    }

    @Test
    fun `a tighter charter holds at once, a looser one waits for the board`() {
        val ana = found("ana")
        assertFalse(ana.changeCharter(CharterChange(absenceLimitDays = 7u)).waitsForBoard)
        assertEquals(7.toUShort(), ana.team().absenceLimitDays)
        assertTrue(ana.changeCharter(CharterChange(absenceLimitDays = 21u)).waitsForBoard)
        assertEquals(7.toUShort(), ana.team().absenceLimitDays)
        assertThrows(FfiException.InvalidInput::class.java) { ana.changeCharter(CharterChange(absenceLimitDays = 22u)) }
        val keys = ana.keyState()
        assertEquals(HeldBecause.IN_USE, keys.turns.first().because)
        assertEquals(ana.team().lastDay, keys.lastDay)
    }

    @Test
    fun `a participant is erased on both phones and the receipt says when`() {
        val ana = found("ana")
        val ben = join(ana, "ben")
        val participant = ana.newParticipant("Blue")
        ana.saveEncounter(EncounterDraft(EncounterKind.STREET, participant = participant))
        meet(ana.dial(), ben.listen())
        assertEquals(listOf("Blue"), ben.participants().map { it.alias }, "control: it had reached the other phone")

        val operation = ana.eraseParticipant(participant)
        assertTrue(ana.participants().isEmpty() && ana.encounters().isEmpty())
        val asked = ana.erasureReceipt(operation)
        assertEquals(listOf(ErasureScope.SUBJECT, false, false), listOf(asked.scope, asked.isSettled, asked.waitsForCountersignature))
        assertEquals(listOf(ben.device()), asked.awaited)
        assertEquals(KeyReplacement.WITHOUT_KEYSTORE, asked.keyReplacement)

        meet(ana.dial(), ben.listen())
        assertTrue(ben.participants().isEmpty() && ben.encounters().isEmpty())
        // what ben showed at the end of that meeting is known at the next one
        meet(ben.dial(), ana.listen())
        val settled = ana.erasureReceipt(operation)
        assertEquals(ana.today(), settled.settledSince)
        assertTrue(settled.isSettled && settled.awaited.isEmpty() && settled.mayStillHold.isEmpty())
        assertEquals(setOf(ana.device(), ben.device()), settled.confirmed.toSet())
        assertEquals(listOf(settled), ana.erasures())
        assertTrue(ana.droppedEdits().isEmpty())
        assertThrows(FfiException.NotFound::class.java) { ana.eraseRecord(RecordKind.ENCOUNTER, participant) }
        assertEquals(TendReport(0u, 0u, isDateInDoubt = false, hasEnded = false, isDestroyed = false), ana.tend())
    }

    @Test
    fun `a pack brings one phone's records to the other, also in two halves, and a broken one says so`() = runBlocking {
        val ana = found("ana")
        val ben = join(ana, "ben")
        repeat(20) { ana.saveEncounter(EncounterDraft(EncounterKind.STREET, note = "gave $it kits")) }
        val file = folder.resolve("pack")
        file.outputStream().use { ana.writePackTo(it) }
        assertFalse(String(Files.readAllBytes(file), Charsets.ISO_8859_1).contains("kits"))

        val bytes = Files.readAllBytes(file)
        val half = ben.readPackFrom(bytes.copyOf(bytes.size / 2).inputStream())
        assertFalse(half.isComplete)
        val report = file.inputStream().use { ben.readPackFrom(it) }
        assertTrue(report.isComplete && report.rowsRefused == 0u, "$report")
        assertEquals(ana.encounters().map { it.id }.toSet(), ben.encounters().map { it.id }.toSet())
        assertEquals(20, ben.encounters().size)
        assertEquals(0u, ben.readPackFrom(bytes.inputStream()).rowsApplied, "reading it twice changes nothing")

        bytes[bytes.size - 1] = (bytes.last().toInt() xor 1).toByte()
        assertEquals("pack_damaged", failure(answer { runBlocking { ben.readPackFrom(bytes.inputStream()) } }).let { (it as FfiException.Sync).code })
        val stranger = assertThrows(FfiException.Sync::class.java) { found("eve").readPack().use { it.receive(bytes) } }
        assertEquals(listOf("pack_unknown", "meet_colleague"), listOf(stranger.code, stranger.remedy))
        val over = ben.readPack()
        over.finish()
        assertEquals("call_out_of_order", assertThrows(FfiException.Internal::class.java) { over.finish() }.code)
    }

    @Test
    fun `a session runs over the streams of a socket`() = runBlocking {
        val ana = found("ana")
        val ben = join(ana, "ben")
        val id = ana.saveEncounter(EncounterDraft(EncounterKind.DROP_IN))
        withTimeout(60.seconds) {
            ServerSocket(0).use { server ->
                val listening = async(Dispatchers.IO) {
                    server.accept().use { ben.listen().runOver(it.getInputStream(), it.getOutputStream()) }
                }
                val sent = Socket("127.0.0.1", server.localPort).use { ana.dial().runOver(it.getInputStream(), it.getOutputStream()) }
                assertEquals(ben.device(), sent.peer)
                assertTrue(listening.await().rowsApplied > 0u)
            }
        }
        assertEquals(listOf(id), ben.encounters().map { it.id })
    }

    @Test
    fun `papers come out as words and as a text, and a wrong word is named`() {
        val ana = found("ana")
        assertEquals(RecoveryStatus.NoBoard, ana.recoveryStatus())
        assertEquals("recovery_no_board", assertThrows(FfiException.Refused::class.java) { ana.setUpRecovery(2u, 3u) }.code)
        val board = join(ana, "board", joinTeam(ana.invite(Role.BOARD, "")))
        assertEquals(RecoveryStatus.NotSetUp, ana.recoveryStatus())
        val papers = ana.setUpRecovery(2u, 3u)
        assertEquals(listOf(1, 2, 3), papers.map { it.label().index.toInt() })
        val status = ana.recoveryStatus() as RecoveryStatus.SetUp
        assertEquals(listOf<Any?>(2, 3, null), listOf(status.threshold.toInt(), status.shares.toInt(), status.isKeptHere))

        val paper = papers.first()
        for (form in listOf(paper.words(), paper.qrText())) {
            form.useAndWipe { typed -> Paper.read(typed).use { assertEquals(paper.label(), it.label()) } }
            assertTrue(form.all { it == 0.toByte() }, "wiped after use")
        }
        val words = String(paper.words()).split(' ').toMutableList()
        words[6] = if (words[6] == "abandon") "ability" else "abandon"
        val wrong = assertThrows(FfiException.InvalidInput::class.java) { Paper.read(words.joinToString(" ").toByteArray()) }
        assertEquals(listOf("paper_wrong_word", "word.7"), listOf(wrong.code, wrong.field))
        assertThrows(FfiException.InvalidInput::class.java) { Paper.read(byteArrayOf(-1)) }
        assertEquals("recovery_not_the_board", assertThrows(FfiException.Refused::class.java) { ana.exportRecovery() }.code)
        meet(ana.dial(), board.listen())
        assertTrue((board.recoveryStatus() as RecoveryStatus.SetUp).isKeptHere!!)
        assertTrue(board.exportRecovery().isNotEmpty())
    }

    @Test
    fun `the reseat key on paper removes a device, and is spent`() {
        val founded = foundTeam(dir("ana"), passphrase, "America/Los_Angeles", "Ana", KeyCost.Least)
        val ana = founded.unlocked()
        val ben = join(ana, "ben")
        val paper = founded.reseatPaper()
        assertEquals(PaperPurpose.RESEAT, paper.label().purpose)
        val shares = paper.split(2u, 3u)
        assertEquals("paper_too_few", assertThrows(FfiException.InvalidInput::class.java) { ana.reseat(shares.take(1), emptyList()) }.code)
        val done = ana.reseat(shares.drop(1), listOf(ben.device()))
        assertEquals(listOf(ben.device()), done.removed)
        assertEquals(Standing.REMOVED, ana.standing(ben.device()))
        val spent = assertThrows(FfiException.InvalidInput::class.java) { ana.reseat(listOf(paper), emptyList()) }
        assertEquals("recovery_other_reseat_key", spent.code)
        ana.reseat(listOf(done.reseatPaper), emptyList()).reseatPaper.close()
    }

    @Test
    fun `a typed code brings a second own phone in, and a wrong guess spends it`() {
        val ana = found("ana")
        val invitation = ana.inviteOwnDeviceByCode()
        val typing = invitation.code().useAndWipe { joinByCode(it.copyOf()) }
        val second = join(ana, "second", typing.replied(invitation.answerHello(typing.hello())))
        assertEquals(1, ana.team().devices.map { it.member }.toSet().size, "one member, two devices")
        assertEquals(2, ana.team().devices.size)
        assertEquals(second.device(), ana.team().devices.single { !it.isSelf }.id)

        val other = ana.inviteByCode(Role.WORKER)
        assertThrows(FfiException.Sync::class.java, { joinByCode("no".toByteArray()) }, "what cannot be a code costs no try")
        val wrong = joinByCode(ana.inviteByCode(Role.WORKER).code())
        // the reply says nothing about the guess; the knock that follows fits no invitation
        val knock = wrong.replied(other.answerHello(wrong.hello())).knock()
        assertEquals("invitation_used", assertThrows(FfiException.Sync::class.java) { ana.answerKnock(knock) }.code)
        val again = assertThrows(FfiException.Sync::class.java) { other.answerHello(wrong.hello()) }
        assertEquals("invitation_used", again.code)
        assertEquals(2, ana.team().devices.size)
    }

    @Test
    fun `a store locks itself when nobody uses it`() = runBlocking {
        val ana = found("ana")
        val store = ana.store()
        store.lockAfter(3_600u)
        assertFalse(store.lockIfIdle(), "control: an hour has not passed")
        withTimeout(60.seconds) { store.lockWhenIdle(1.seconds, look = 20.milliseconds) }
        assertFalse(store.isUnlocked())
        assertTrue(failure(answer { ana.participants() }) is FfiException.Locked)
    }

    @Test
    fun `credentials change, and too many wrong ones say how long to wait`() {
        val ana = found("ana")
        assertEquals(Promise.NONE, ana.promise())
        assertTrue(Caveat.COPY_CAN_BE_GUESSED in caveats(Promise.NONE) && caveats(Promise.HARDWARE).isEmpty())
        val protector = MemoryProtector()
        ana.changeCredentials("another one".toByteArray(), KeyCost.Least, protector)
        assertEquals(listOf(Promise.SYSTEM, KeyReplacement.DONE), listOf(ana.promise(), ana.keyReplacement()))
        val keys = protector.secrets.keys.toSet()
        assertEquals(KeyReplacement.DONE, ana.replaceStoreKey())
        assertEquals(1, protector.secrets.size)
        assertFalse(protector.secrets.keys == keys, "the keystore's key was replaced and the old one destroyed")
        ana.store().use { store ->
            store.lock()
            repeat(10) { assertThrows(FfiException.WrongPassphrase::class.java) { store.unlock(passphrase, protector) } }
            val wait = assertThrows(FfiException.TooSoon::class.java) { store.unlock(passphrase, protector) }
            assertEquals(listOf("too_soon", "try_later"), listOf(wait.code, wait.remedy))
            assertTrue(wait.seconds in 1uL..60uL)
        }
    }

    @Test
    fun `an erased device keeps no key and no file`() {
        val protector = MemoryProtector()
        val ana = found("ana", protector)
        ana.newParticipant("Blue")
        assertEquals(1, protector.secrets.size)
        val done = ana.store().use { it.eraseDevice() }
        assertEquals(DeviceErasure(areKeysGone = true, areFilesGone = true), done)
        assertTrue(protector.secrets.isEmpty())
        assertThrows(FfiException.Locked::class.java) { ana.participants() }
        assertEquals("choose_folder", assertThrows(FfiException.Storage::class.java) { Store.open(dir("ana")) }.remedy)

        found("other", protector).store().use { it.suspend() }
        assertEquals(DeviceErasure(areKeysGone = false, areFilesGone = true), eraseDeviceIn(dir("other")), "the keystore was not there")
        assertTrue(eraseDeviceIn(dir("other"), protector).areKeysGone)
        assertTrue(protector.secrets.isEmpty())
        assertThrows(FfiException.Storage::class.java) { eraseDeviceIn(dir("nowhere")) }
    }
}
