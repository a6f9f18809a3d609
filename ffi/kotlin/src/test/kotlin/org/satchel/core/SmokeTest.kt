package org.satchel.core

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** What an app sees of the library: calls arrive, values come back, errors are typed. */
class SmokeTest {
    @Test
    fun `the library answers`() {
        assertTrue(Regex("""\d+\.\d+\.\d+""").matches(libraryVersion()))
    }

    @Test
    fun `an id has one canonical form`() {
        assertEquals("rec_gaytemzugu3doobzmfrggzdfmy", parseId("rec_GAYTEMZUGU3DOOBZMFRGGZDFMY"))
    }

    @Test
    fun `a malformed id is a typed error`() {
        assertThrows(FfiException.MalformedId::class.java) { parseId("rec_") }
    }
}
