package org.satchel.core

import java.io.ByteArrayOutputStream
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Assertions.fail
import org.junit.jupiter.api.Test

/** What is held on somebody, and a receipt for a yes. */
class RightsTest : Phones() {
    private fun Unlocked.blue(word: String?) =
        createParticipant(ParticipantDraft(HowGiven.SPOKEN, "en", alias = "Blue", recognitionWord = word))

    private fun written(page: HeldPage, form: PageForm, language: Language): String =
        ByteArrayOutputStream().also { runBlocking { page.writeTo(it, form, language) } }.toString(Charsets.UTF_8)

    @Test
    fun `the word is asked for first and the page goes where they say`() = runBlocking {
        val ana = found("ana")
        val blue = ana.blue("Río Verde")
        assertNull(ana.holdOnMeAsking(blue) { null }, "they do not know it")
        assertEquals("recognition_word", assertThrows(FfiException.InvalidInput::class.java) { ana.holdOnMe(blue) }.code)
        try {
            ana.holdOnMeAsking(blue) { "heron" }
            fail<Unit>("another word opens nothing")
        } catch (error: FfiException.InvalidInput) {
            assertEquals("word", error.field)
        }
        ana.holdOnMeAsking(blue) { " rio  VERDE" }!!.use { page ->
            assertEquals(Language.ENGLISH, page.language())
            for (language in Language.entries) for (form in PageForm.entries) {
                val copy = written(page, form, language)
                assertTrue("Blue" in copy && page.title(language) in copy)
                assertFalse("verde" in copy.lowercase(), "the word is never shown")
                assertEquals(form == PageForm.HTML, copy.startsWith("<!doctype html>"))
            }
            assertFalse("Blue" in page.toString())
        }
        ana.holdOnMeAsking(ana.blue(null)) { fail("nobody without a word is asked for one") }!!.close()
    }

    @Test
    fun `a receipt is written for a yes that counts and names nobody`() = runBlocking {
        val ana = found("ana")
        val blue = ana.blue(null)
        val request = GrantRequest(
            ConsentAct.RECORD, listOf(GatedCategory.LEGAL_NAME), null, Purpose.HOUSING_APPLICATION, null, ana.today(), HowGiven.SPOKEN,
            Language.ENGLISH,
        )
        val grant = ana.giveGrant(blue, request)
        for ((form, mark) in listOf(ReceiptForm.KANTARA to "KI-CR-v1.1.0", ReceiptForm.FHIR to "\"resourceType\":\"Consent\"")) {
            val out = ByteArrayOutputStream()
            ana.writeReceiptTo(out, blue, grant, "Harbor Outreach", "https://harbor.example/charter", form)
            val receipt = out.toString(Charsets.UTF_8)
            assertTrue(mark in receipt && "Harbor Outreach" in receipt, receipt)
            for (secret in listOf("Blue", blue, grant, ana.device())) assertFalse(secret in receipt)
        }
        ana.withdraw(blue, everythingTakenBack(HowGiven.SPOKEN))
        val over = ByteArrayOutputStream()
        try {
            ana.writeReceiptTo(over, blue, grant, "Harbor Outreach", "https://harbor.example/charter")
            fail<Unit>("a yes that was taken back has no receipt")
        } catch (error: FfiException) {
            assertTrue(error is FfiException.NoConsent || error is FfiException.NotFound, "$error")
        }
        assertEquals(0, over.size())
    }
}
