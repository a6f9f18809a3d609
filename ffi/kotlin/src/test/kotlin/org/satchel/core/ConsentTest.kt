package org.satchel.core

import java.time.LocalDate
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** What a participant said yes to, and took back. */
class ConsentTest : Phones() {
    private fun Unlocked.inDays(days: Long) = LocalDate.parse(today()).plusDays(days).toString()

    private fun Unlocked.asking(
        act: ConsentAct = ConsentAct.RECORD,
        recipient: String? = null,
        purpose: Purpose = Purpose.HOUSING_APPLICATION,
        days: Long = 30,
    ) = GrantRequest(act, listOf(GatedCategory.LEGAL_NAME), recipient, purpose, null, inDays(days), HowGiven.SPOKEN, Language.ENGLISH)

    private val name = listOf(Fact(FactField.LEGAL_NAME, "Maria Gonzalez"))

    @Test
    fun `a yes opens a vault, taking it back closes it on both phones, and the receipt says when`() = runBlocking {
        val ana = found("ana")
        val ben = join(ana, "ben")
        val blue = ana.newParticipant("Blue")
        val request = ana.asking()
        var words: ConsentWords? = null
        assertNull(ana.askFor(blue, request, "May 3") { words = it; false })
        assertTrue(words!!.text.contains("your legal name") && words!!.text.contains("May 3"), words!!.text)
        assertTrue(consentWordsText(words!!.number, Language.SPANISH)!!.contains("{what}"))
        assertNull(consentWordsText(9_999u, Language.ENGLISH))
        assertEquals(1, ana.grants(blue).size, "a no leaves nothing: there is the yes to the file, and no other")

        val grant = ana.askFor(blue, request) { true }!!
        val line = ana.grants(blue).single { it.id == grant }
        assertEquals(listOf(GrantStatus.LIVE, listOf(GatedCategory.LEGAL_NAME)), listOf(line.status, line.live))
        assertEquals(words!!.number, line.grant!!.wordsVersion)
        assertEquals(listOf(ana.device()), line.recordedBy.map { it.device })
        ana.withVault(blue, grant) { it.write(name) }
        assertFalse(name.toString().contains("Maria"), "a fact prints none of itself")
        meet(ana.dial(), ben.listen())
        assertEquals("Maria Gonzalez", ben.withVault(blue, grant) { it.read().single().value }, "control: a colleague reads it")
        assertEquals(listOf(grant), ben.vaults(blue).map { it.grant })

        val open = ana.vault(blue, grant)
        val report = ana.withdraw(blue, TakenBack(null, GatedCategory.LEGAL_NAME, null, HowGiven.SPOKEN))
        assertEquals(listOf(grant), report.grants)
        val ended = assertThrows(FfiException.NoConsent::class.java) { open.write(name) }
        assertEquals(listOf("grant_not_live", "ask_participant", GrantStatus.WITHDRAWN), listOf(ended.code, ended.remedy, ended.status))
        assertThrows(FfiException.NoConsent::class.java) { open.read() }
        assertTrue(ana.vaults(blue).isEmpty())
        assertEquals(listOf(report.withdrawal), ana.grants(blue).single { it.id == grant }.withdrawnBy)
        assertEquals(listOf(ben.device()), ana.erasureReceipt(report.erasures.single()).awaited)

        meet(ana.dial(), ben.listen())
        assertTrue(ben.vaults(blue).isEmpty())
        assertThrows(FfiException.NoConsent::class.java) { ben.vault(blue, grant) }
        meet(ben.dial(), ana.listen())
        assertTrue(ana.erasureReceipt(report.erasures.single()).isSettled)
        assertEquals(report.withdrawal, ben.withdrawals(blue).single().id)
        val again = assertThrows(FfiException.InvalidInput::class.java) { ana.withdraw(blue, everythingTakenBack(HowGiven.SPOKEN).copy(act = ConsentAct.SHARE)) }
        assertEquals("nothing_to_withdraw", again.code)
    }

    @Test
    fun `without a yes nothing gated is written, and the error says what to do`() {
        val ana = found("ana")
        val blue = ana.newParticipant("Blue")
        val file = ana.grants(blue).single().id
        assertEquals("grant_no_vault", assertThrows(FfiException.InvalidInput::class.java) { ana.vault(blue, file) }.code)
        assertThrows(FfiException.NotFound::class.java) { ana.vault(blue, blue) }
        val alone = assertThrows(FfiException.InvalidInput::class.java) { ana.eraseRecord(RecordKind.GRANT, file) }
        assertEquals("not_erased_alone", alone.code, "a yes is taken back, and never just gone")
        val nobody = assertThrows(FfiException.NoConsent::class.java) { ana.giveGrant(file, ana.asking()) }
        assertEquals("grant_no_file", nobody.code)
        assertThrows(FfiException.NoConsent::class.java) { ana.saveEncounter(EncounterDraft(EncounterKind.STREET, participant = file)) }
        ana.vault(blue, ana.giveGrant(blue, ana.asking())).use { vault ->
            val birth = Fact(FactField.BIRTH_DATE, "1980-02-29")
            assertEquals("grant_not_covered", assertThrows(FfiException.NoConsent::class.java) { vault.write(name + birth) }.code)
            assertTrue(vault.read().isEmpty(), "all or none")
            val wrong = assertThrows(FfiException.InvalidInput::class.java) { vault.write(listOf(birth.copy(value = "2/29/80"))) }
            assertEquals(listOf("fact_date", "birth_date"), listOf(wrong.code, wrong.field))
            vault.write(name)
            vault.remove(FactField.LEGAL_NAME)
            assertTrue(vault.read().isEmpty())
        }
        assertEquals(GatedCategory.BIRTH_DATE, categoryOfFact(FactField.BIRTH_DATE))
        assertEquals(FactShape.DATE, shapeOfFact(FactField.BIRTH_DATE))
    }

    @Test
    fun `a share names one recipient, the charter sets limits, and the log says what stopped`() {
        val ana = found("ana")
        val blue = ana.newParticipant("Blue")
        val bad = assertThrows(FfiException.InvalidInput::class.java) { ana.addRecipient("Sam, 415-555-0123", ShareClass.SERVICE) }
        assertEquals(listOf("name", "contact_detail"), listOf(bad.field, bad.findings.last().category))
        val elm = ana.addRecipient("Elm House", ShareClass.SERVICE)
        assertEquals(listOf("Elm House"), ana.recipients().map { it.name })
        assertEquals("grant_wildcard", assertThrows(FfiException.InvalidInput::class.java) { ana.giveGrant(blue, ana.asking(ConsentAct.SHARE)) }.code)
        val long = assertThrows(FfiException.Refused::class.java) { ana.giveGrant(blue, ana.asking(ConsentAct.SHARE, elm, days = 91)) }
        assertEquals(listOf("grant_too_long", "ask_steward"), listOf(long.code, long.remedy))
        val court = ana.addRecipient("County Court", ShareClass.JUSTICE)
        val denied = assertThrows(FfiException.Refused::class.java) { ana.giveGrant(blue, ana.asking(ConsentAct.SHARE, court, Purpose.LEGAL_DEFENCE)) }
        assertEquals("grant_justice_denied", denied.code)

        val share = ana.giveGrant(blue, ana.asking(ConsentAct.SHARE, elm))
        assertTrue(ana.sharingLog(blue).isEmpty())
        assertEquals(listOf(elm), ana.withdraw(blue, TakenBack(null, null, elm, HowGiven.SPOKEN)).stopped)
        val line = ana.sharingLog(blue).single()
        assertEquals(listOf(SharingEvent.STOPPED, share, elm, listOf(GatedCategory.LEGAL_NAME)), listOf(line.event, line.grant, line.recipient, line.categories))
    }

    @Test
    fun `who takes everything back has no file any more`() {
        val ana = found("ana")
        val blue = ana.newParticipant("Blue")
        ana.saveEncounter(EncounterDraft(EncounterKind.STREET, participant = blue))
        val report = ana.withdraw(blue, everythingTakenBack(HowGiven.SPOKEN))
        assertTrue(report.isFileClosed)
        assertTrue(ana.participants().isEmpty() && ana.encounters().isEmpty())
        assertTrue(ana.erasureReceipt(report.erasures.single()).isSettled, "there is no other phone")
        assertThrows(FfiException.NoConsent::class.java) { ana.saveEncounter(EncounterDraft(EncounterKind.STREET, participant = blue)) }
    }
}
