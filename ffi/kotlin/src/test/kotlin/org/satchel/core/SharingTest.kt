package org.satchel.core

import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** Two teams, and one packet between them that is asked back. */
class SharingTest : Phones() {
    private val today get() = java.time.LocalDate.parse(ana.today())
    private lateinit var ana: Unlocked
    private lateinit var elm: Unlocked
    private lateinit var blue: String
    private lateinit var kept: String

    private fun asking(act: ConsentAct, recipient: String? = null, purpose: Purpose = Purpose.HOUSING_APPLICATION) = GrantRequest(
        act, listOf(GatedCategory.LEGAL_NAME), recipient, purpose, null, today.plusDays(30).toString(), HowGiven.SPOKEN, Language.ENGLISH,
    )

    private suspend fun pair(called: String, kind: ShareClass = ShareClass.SERVICE): String {
        val shown = elm.showOffer("Harbor ${elm.pairings().size}")
        val offer = shown.text()
        val recipient = ana.pairWith(called, kind, offer) { words -> words == shown.words() && words.size == 6 }
        assertTrue(offer.all { it == 0.toByte() }, "the offer is overwritten")
        return recipient!!
    }

    private fun begin() {
        ana = found("ana")
        elm = found("elm")
        blue = ana.newParticipant("Blue")
        kept = ana.giveGrant(blue, asking(ConsentAct.RECORD))
        ana.vault(blue, kept).use { it.write(listOf(Fact(FactField.LEGAL_NAME, "Maria Gonzalez"))) }
    }

    @Test
    fun `a packet leaves, is kept, asked back and answered`() = runBlocking {
        begin()
        assertNull(ana.pairWith("Elm House", ShareClass.SERVICE, elm.showOffer("Harbor").text()) { false }, "the words differ")
        assertTrue(ana.recipients().isEmpty())
        val recipient = pair("Elm House")
        val grant = ana.giveGrant(blue, asking(ConsentAct.SHARE, recipient))
        assertNull(ana.shareAfter(blue, grant) { false })
        assertTrue(ana.shares().isEmpty() && ana.sharingLog(blue).isEmpty(), "a no leaves no trace")
        val packet = ana.shareAfter(blue, grant) { plan -> plan.fields == listOf(FactField.LEGAL_NAME) && plan.name == "Elm House" }!!
        assertEquals(8_192, packet.bytes.size)
        val opened = elm.openPacket(packet.bytes) as OpenedPacket.Facts
        assertEquals("Maria Gonzalez", opened.shared.facts.single().value)
        assertFalse("Maria" in opened.toString() + packet.toString(), "what is printed says nothing")
        val teal = elm.newParticipant("Teal")
        val there = elm.keepShared(packet.bytes, teal)
        assertEquals(packet.share, elm.grants(teal).single { it.id == there }.grant?.received)
        assertEquals(listOf(teal), elm.receivedShares().map { it.participant })

        assertTrue(ana.sharesToAskBack().isEmpty())
        ana.withdraw(blue, TakenBack(ConsentAct.SHARE, null, recipient, HowGiven.SPOKEN))
        assertEquals(listOf(packet.share), ana.sharesToAskBack().map { it.share })
        val asked = elm.openPacket(ana.askErasure(packet.share)) as OpenedPacket.EraseRequest
        assertEquals(teal, asked.keptWith)
        val answer = elm.answerErasure(ana.askErasure(packet.share))
        assertTrue(elm.vaults(teal).isEmpty())
        val told = (ana.openPacket(answer.bytes) as OpenedPacket.Answer).answer
        assertEquals(answer.answer, told)
        when (val state = ana.shares().single().state) {
            is ShareState.Answered -> assertTrue(state.answer.wasKept)
            is ShareState.Asked, ShareState.Over, ShareState.Standing, ShareState.ToAsk -> error("$state")
        }
        assertTrue(ana.sharesToAskBack().isEmpty())
        assertEquals(
            setOf(SharingEvent.SHARED, SharingEvent.STOPPED, SharingEvent.ERASURE_ASKED, SharingEvent.ERASURE_ANSWERED),
            ana.sharingLog(blue).map { it.event }.toSet(),
        )
    }

    @Test
    fun `each refusal is a type of its own with its remedy`() = runBlocking {
        begin()
        val toRecord = assertThrows(FfiException.NoConsent::class.java) { ana.share(blue, kept) }
        assertEquals("share_grant_to_record" to "ask_participant", toRecord.code to toRecord.remedy)
        val unmet = ana.giveGrant(blue, asking(ConsentAct.SHARE, ana.addRecipient("Oak Clinic", ShareClass.SERVICE)))
        val notPaired = assertThrows(FfiException.Refused::class.java) { ana.share(blue, unmet) }
        assertEquals("share_not_paired" to "pair_in_person", notPaired.code to notPaired.remedy)
        val court = pair("County court", ShareClass.JUSTICE)
        val denied = assertThrows(FfiException.Refused::class.java) {
            ana.giveGrant(blue, asking(ConsentAct.SHARE, court, Purpose.LEGAL_DEFENCE))
        }
        assertEquals("grant_justice_denied" to "ask_steward", denied.code to denied.remedy)
        val recipient = pair("Elm House")
        val grant = ana.giveGrant(blue, asking(ConsentAct.SHARE, recipient))
        val notNamed = assertThrows(FfiException.NoConsent::class.java) { ana.sharePlan(blue, grant, listOf(FactField.PHONE)) }
        assertEquals("grant_not_covered", notNamed.code)
        ana.withdraw(blue, TakenBack(ConsentAct.SHARE, null, recipient, HowGiven.SPOKEN))
        val over = assertThrows(FfiException.NoConsent::class.java) { ana.share(blue, grant) }
        assertEquals(GrantStatus.WITHDRAWN, over.status)
        assertThrows(FfiException.NotFound::class.java) { ana.askErasure(blue) }
        val junk = assertThrows(FfiException.InvalidInput::class.java) { elm.openPacket(ByteArray(8_192)) }
        assertEquals("share_not_for_us" to "ask_sender", junk.code to junk.remedy)
    }
}
