package org.satchel.core

import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** Two stores, and a relay that runs as a process of its own. */
class RelayTest : Phones() {
    private val relay by lazy { Relay(folder) }

    @AfterEach
    fun stop() = relay.close()

    /** Everything that a phone lists, but for what it says of itself. */
    private fun lists(phone: Unlocked, participant: String): List<Any> = listOf(
        phone.participants(), phone.encounters(), phone.followUps(), phone.selfReferrals(), phone.zones(), phone.grants(participant),
        phone.withdrawals(participant), phone.vaults(participant), phone.recipients(), phone.sharingLog(participant),
        phone.team().devices.map { listOf(it.id, it.member, it.name, it.role, it.standing) }.toSet(),
    )

    private fun sync(vararg phones: Unlocked) = runBlocking { phones.map { it.exchangeWithRelay() } }

    @Test
    fun `two phones sync through a real relay`() {
        val ana = found("ana")
        ana.setRelay(relay.url, relay.mailbox, relay.claim)
        ana.syncWithRelay()
        val ben = join(ana, "ben")
        val participant = ana.newParticipant("Blue")
        val fromAna = ana.saveEncounter(EncounterDraft(EncounterKind.STREET, participant = participant, note = "gave 2 kits"))
        val fromBen = ben.saveEncounter(EncounterDraft(EncounterKind.DROP_IN))
        val zone = ben.createZone("by the river")
        ana.saveFollowUp(FollowUpDraft(participant, "bring a tent", ana.today(), ana.today()))
        ana.saveSelfReferral(SelfReferralDraft(participant, StartedBy.PARTICIPANT, soup, ReferralStatus.ASKED))
        val grant = ana.giveGrant(
            participant,
            GrantRequest(
                ConsentAct.RECORD, listOf(GatedCategory.LEGAL_NAME), null, Purpose.HOUSING_APPLICATION, null, ana.today(),
                HowGiven.SPOKEN, Language.ENGLISH,
            ),
        )
        ana.vault(participant, grant).use { it.write(listOf(Fact(FactField.LEGAL_NAME, "Maria Gonzalez"))) }
        assertTrue(ana.waiting().unsent > 0u)
        val steps = mutableListOf<RelayReport>()
        val pushed = runBlocking { ana.exchangeWithRelay { steps += it } }
        assertTrue(pushed.pushed > 0u)
        assertEquals(pushed, steps.last(), "progress was told after each request")
        assertEquals(0u, ana.waiting().unsent)
        sync(ben, ana)
        for (phone in listOf(ana, ben)) {
            assertEquals(setOf(fromAna, fromBen), phone.encounters().map { it.id }.toSet())
            assertEquals(listOf("Blue"), phone.participants().map { it.alias })
            assertEquals("gave 2 kits", phone.encounter(fromAna).note)
            assertEquals("Maria Gonzalez", phone.vault(participant, grant).use { it.read().single().value })
            assertEquals(listOf(zone), phone.zones().map { it.id })
        }
        assertEquals(lists(ana, participant), lists(ben, participant))
        val withdrawn = ben.withdraw(participant, TakenBack(null, GatedCategory.LEGAL_NAME, null, HowGiven.SPOKEN))
        sync(ben, ana, ben)
        assertTrue(ana.vaults(participant).isEmpty())
        assertTrue(ben.erasureReceipt(withdrawn.erasures.single()).isSettled)
        assertEquals(lists(ana, participant), lists(ben, participant))

        val operation = ben.eraseParticipant(participant)
        sync(ben, ana, ben, ana, ben)
        assertTrue(ana.participants().isEmpty())
        assertTrue(ben.erasureReceipt(operation).isSettled)
    }

    @Test
    fun `after every phone is lost, papers and the board's phone bring the records back`() {
        val founded = foundTeam(dir("ana"), passphrase, "America/Los_Angeles", "Ana", KeyCost.Least)
        val ana = founded.unlocked()
        ana.setRelay(relay.url, relay.mailbox, relay.claim)
        sync(ana)
        val ben = join(ana, "ben")
        val board = join(ana, "board", joinTeam(ana.invite(Role.BOARD, "")))
        sync(ben, board, ana)
        val papers = ana.setUpRecovery(2u, 3u)
        sync(ana, ben, board)
        ana.newParticipant("Blue")
        sync(ana, ben, board, ana, board)
        val lost = setOf(ana.device(), ben.device())
        // what is on paper is all that is left of ana's phone
        val typed = papers.drop(1).map { paper -> paper.words().useAndWipe { Paper.read(it) } }
        val reseat = founded.reseatPaper().qrText().useAndWipe { Paper.read(it) }
        for (phone in listOf(ana, ben)) phone.store().use { assertTrue(it.eraseDevice().areFilesGone) }

        val back = recoverTeam(dir("cleo"), passphrase, board.exportRecovery(), typed, listOf(reseat), "Cleo", KeyCost.Least)
        assertEquals(lost, back.removed.toSet())
        assertTrue(back.turns > 0u && back.hasControl)
        assertTrue(back.unlocked.participants().isEmpty())
        sync(back.unlocked)
        assertEquals(listOf("Blue"), back.unlocked.participants().map { it.alias })
    }
}
