package org.satchel.core

import kotlinx.coroutines.flow.flowOf
import kotlinx.coroutines.flow.last
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** The text guard, with the places that a field marks. */
class GuardTest : Phones() {
    @Test
    fun `a refusal has its field and its places, and nothing is stored`() {
        val ana = found("ana")
        val text = "😀 arrested on Main St, reach him at 415-555-0123"
        val refused = assertThrows(FfiException.InvalidInput::class.java) { ana.saveEncounter(EncounterDraft(EncounterKind.STREET, note = text)) }
        assertEquals(listOf("text_unresolved", "note", "correct_input"), listOf(refused.code, refused.field, refused.remedy))
        val places = refused.findings.associate { it.category to text.substring(it.range) }
        assertEquals("415-555-0123", places["contact_detail"])
        assertTrue(places.getValue("justice_contact").contains("arrested"), "$places")
        assertTrue(ana.encounters().isEmpty())
        assertTrue(screen("gave 2 kits, back tomorrow").isEmpty(), "control: what may be written passes")
    }

    @Test
    fun `the alias of the participant is a plain word, and others are not`() {
        val text = "Robert Smith wants socks"
        assertTrue(screen(text).isNotEmpty(), "control: a full name is found")
        assertTrue(screen("Bluejay wants socks", "Bluejay").isEmpty())
    }

    @Test
    fun `kinder words are offered at their place and stop nothing`() = runBlocking {
        val text = "😀 a junkie wants socks"
        val notice = flowOf("a", text).guarded().last()
        assertTrue(notice.findings.isEmpty())
        val offered = notice.suggestions.single()
        assertEquals("junkie", text.substring(offered.range))
        assertEquals("person who uses drugs", offered.instead)
        found("ana").saveEncounter(EncounterDraft(EncounterKind.STREET, note = text))
        assertTrue(guardVersion() >= 3u)
    }
}
