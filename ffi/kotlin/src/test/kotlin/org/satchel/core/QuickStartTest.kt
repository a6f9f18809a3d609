package org.satchel.core

import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Test

/** The quick start of `docs/guide/embedding.md`, word for word between the two marks. */
class QuickStartTest : Phones() {
    private val printed = mutableListOf<String>()
    private val shown = mutableListOf<String>()
    private val explained = mutableListOf<String>()
    private fun print(words: ByteArray) { printed += String(words) }
    private fun show(encounters: List<String>) { shown += encounters }
    private fun explain(error: FfiException) { explained += (error as FfiException.InvalidInput).code }

    private fun start(dir: String, note: String): Unlocked {
        val cost = KeyCost.Least
        val keystore = MemoryProtector()
        return runBlocking {
            // quick start: begin
            val founded = withContext(Dispatchers.IO) { foundTeam(dir, passphrase, "America/Los_Angeles", "Ana", cost, keystore) }
            founded.reseatPaper().use { paper -> paper.words().useAndWipe { print(it) } }
            val store = founded.unlocked()
            val blue = store.createParticipant(ParticipantDraft(HowGiven.SPOKEN, "en", alias = "Blue"))
            val saved = answer { store.saveEncounter(EncounterDraft(EncounterKind.STREET, participant = blue, note = note)) }
            when (saved) {
                is Answer.Done -> show(store.encounters().map { it.id })
                is Answer.Failed -> explain(saved.error)
            }
            store.lock()
            // quick start: end
            store
        }
    }

    @Test
    fun `the quick start runs`() {
        val store = start(dir("ana"), "gave 2 kits")
        assertEquals(35, printed.single().split(' ').size)
        assertEquals(1, shown.size)
        assertFalse(store.store().isUnlocked())
        start(dir("ben"), "reach him at 415-555-0123")
        assertEquals(listOf("text_unresolved"), explained)
        assertEquals(1, shown.size, "nothing was saved")
    }
}
