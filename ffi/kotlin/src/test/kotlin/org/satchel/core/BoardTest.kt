package org.satchel.core

import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** Complaints, the board's phone, and what anybody may ask to see. */
class BoardTest : Phones() {
    private val words = "A worker told me to come back sober."

    @Test
    fun `complaints are offered with a board key only, and answered to whoever holds the code`() = runBlocking {
        val ana = found("ana")
        val ben = join(ana, "ben")
        val board = join(ana, "board", joinTeam(ana.invite(Role.BOARD, "")))
        val draft = ComplaintDraft(ComplaintCategory.COERCION, words)
        assertFalse(ben.boardStatus().isOffered)
        val none = assertThrows(FfiException.Refused::class.java) { ben.complain(draft) }
        assertEquals(listOf("no_board", "ask_steward"), listOf(none.code, none.remedy))
        assertThrows(FfiException.Refused::class.java) { ben.boardSetUp() }
        assertEquals("board_no_keys", assertThrows(FfiException.Sync::class.java) { board.boardBook() }.code)

        val keys = board.boardSetUp()
        assertThrows(FfiException.Refused::class.java) { board.boardPublish(30u) }
        assertFalse(ana.changeCharter(CharterChange(boardKey = keys.receiving, boardSigning = keys.signing)).waitsForBoard)
        meet(ana.dial(), board.listen())
        board.boardPublish(30u).close()
        meet(board.dial(), ana.listen())
        meet(ana.dial(), ben.listen())
        val status = ben.boardStatus()
        assertTrue(status.isOffered)
        assertEquals(keys.words, status.words)
        assertNull(status.overdueSince)

        var typed = ByteArray(0)
        ben.complainAndShowCode(draft) { typed = it.copyOf() }
        assertFalse(draft.toString().contains("sober"), "a draft prints none of itself")
        assertEquals("complaint_empty", assertThrows(FfiException.InvalidInput::class.java) { ben.complain(draft.copy(text = " ")) }.code)
        // which of the boxes goes along with a meeting is drawn, and most hold nothing
        var meetings = 0
        while (board.boardBook().lines.isEmpty() && meetings++ < 200) meet(ben.dial(), board.listen())
        val line = board.boardBook().lines.single()
        assertEquals(listOf(ComplaintCategory.COERCION, ComplaintProgress.RECEIVED, false), listOf(line.category, line.progress, line.hasReply))
        val read = board.boardRead(line.id)
        assertEquals(words, read.text)
        assertFalse(read.toString().contains("sober"))
        board.boardAnswer(line.id, "We have asked them to stop.")
        assertThrows(FfiException.NotFound::class.java) { board.boardRead("aaaaaaaa") }
        assertNull(board.boardCounts().total, "too few to be told")

        val file = board.boardPublish(30u).use { it.toFile() }
        meet(board.dial(), ben.listen())
        ReceiptCode.read(typed).use { code ->
            // from the board's own channel, and from the team's phones
            for (bulletin in listOf(Bulletin.fromFile(file), ben.bulletins().last())) {
                val status = bulletin.use { assertEquals(keys.words, it.boardWords()); it.lookUp(code) }
                assertEquals(listOf(ComplaintProgress.ANSWERED, "We have asked them to stop."), listOf(status.progress, status.answer))
            }
        }
        typed[0] = if (typed[0] == 'a'.code.toByte()) 'b'.code.toByte() else 'a'.code.toByte()
        assertEquals("receipt_code", assertThrows(FfiException.InvalidInput::class.java) { ReceiptCode.read(typed) }.code)
        file[file.size / 2] = if (file[file.size / 2] == 'A'.code.toByte()) 'B'.code.toByte() else 'A'.code.toByte()
        assertEquals("bulletin_refused", assertThrows(FfiException.InvalidInput::class.java) { Bulletin.fromFile(file) }.code)

        board.boardClose(line.id)
        assertEquals("complaint_closed", assertThrows(FfiException.InvalidInput::class.java) { board.boardRead(line.id) }.code)
        assertThrows(FfiException.Refused::class.java) { ben.boardBook() }
        Unit
    }

    @Test
    fun `the charter's page says what is in force, and its history who changed it`() {
        val ana = found("ana")
        val board = join(ana, "board", joinTeam(ana.invite(Role.BOARD, "")))
        assertFalse(ana.changeCharter(CharterChange(encounterDays = 30u)).waitsForBoard)
        val funder = ana.changeCharter(CharterChange(funders = listOf("a city grant")))
        assertTrue(funder.waitsForBoard)
        val bad = assertThrows(FfiException.InvalidInput::class.java) { ana.changeCharter(CharterChange(funders = listOf("a fund", "Ann, 415-555-0123"))) }
        assertEquals("funders.1", bad.field)
        ana.charterPage(Language.ENGLISH).use { page ->
            assertTrue(page.text().contains("30 days") && !page.text().contains("a city grant"), page.text())
        }
        assertTrue(ana.charterHistory().last().waitsForBoard)
        meet(ana.dial(), board.listen())
        board.countersign(funder.operation)
        meet(board.dial(), ana.listen())
        ana.charterPage(Language.ENGLISH).use { page ->
            assertTrue(page.html().startsWith("<!doctype html>") && page.html().contains("a city grant"))
            assertTrue(page.sections().any { it.ownWords == listOf("a city grant") })
        }
        ana.charterPage(Language.SPANISH).use { assertEquals("Lo que te prometemos", it.title()) }
        val changed = ana.charterHistory().single { event -> event.changes.any { it.setting == "encounter_days" && it.before != null } }
        assertEquals(ana.device(), changed.author)
        assertEquals(listOf(SettingChange("encounter_days", "90", "30")), changed.changes)
        assertTrue(ana.reviewDue() > ana.today())
    }

    @Test
    fun `the data map names every field`() {
        val file = dataMap().single { it.name == "participant file" }
        assertTrue(file.isAboutAPerson && file.fields.any { it.name == "alias" })
        assertTrue(dataMap().none { group -> group.fields.any { it.name.contains("arrest") } })
        assertTrue(dataMapText().startsWith("# What can be stored"))
    }

    @Test
    fun `doctor says how the store stands`() {
        val ana = found("ana")
        ana.saveEncounter(EncounterDraft(EncounterKind.STREET))
        val found = ana.doctor()
        assertTrue(found.areFilesWhole && !found.isCopied && !found.isDateInDoubt)
        assertEquals(listOf(Promise.NONE, RecoveryStatus.NoBoard, ana.today()), listOf(found.promise, found.recovery, found.today))
        assertTrue(found.waiting.unsent > 0u && found.keys.turns.isNotEmpty() && !found.board.isOffered)
        val slot = keySlots(dir("ana")).single()
        assertEquals(listOf(SlotKind.PASSPHRASE, 19u * 1024u, 2u), listOf(slot.kind, slot.memoryKib, slot.passes))
        assertThrows(FfiException.Storage::class.java) { keySlots(dir("nowhere")) }
    }
}
