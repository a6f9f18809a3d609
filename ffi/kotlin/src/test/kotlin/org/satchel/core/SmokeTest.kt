package org.satchel.core

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** What an app sees of the library: calls arrive, values come back, errors are typed. */
class SmokeTest : Phones() {
    @Test
    fun `the library answers`() {
        assertTrue(Regex("""\d+\.\d+\.\d+""").matches(libraryVersion()))
    }

    @Test
    fun `an id has one canonical form and anything else is a typed error`() {
        assertEquals("rec_gaytemzugu3doobzmfrggzdfmy", parseId("rec_GAYTEMZUGU3DOOBZMFRGGZDFMY"))
        val error = assertThrows(FfiException.InvalidInput::class.java) { parseId("rec_") }
        assertEquals("id.malformed", error.code)
        assertEquals("correct_input", error.remedy)
        found("store").use { unlocked ->
            val wrong = assertThrows(FfiException.InvalidInput::class.java) { unlocked.participant(kit) }
            assertEquals("id.prefix", wrong.code)
            val stranger = assertThrows(FfiException.NotFound::class.java) { unlocked.participant("rec_gaytemzugu3doobzmfrggzdfmy") }
            assertEquals("no_such_record", stranger.code)
        }
    }

    @Test
    fun `a day survives locking and reopening`() {
        val unlocked = found("store")
        val zone = unlocked.createZone("by the river")
        val participant = unlocked.newParticipant("Blue")
        val encounter = unlocked.saveEncounter(
            EncounterDraft(
                EncounterKind.STREET,
                participant = participant,
                zone = zone,
                offers = listOf(
                    OfferDraft(kit, 1u, Outcome.ACCEPTED, keepRefusal = false),
                    OfferDraft(soup, 2u, Outcome.DECLINED, keepRefusal = false),
                ),
                note = "Blue took 2 kits",
            ),
        )
        unlocked.tally(listOf(TallyTap(soup, Outcome.ACCEPTED, 3u)))
        val today = unlocked.today()
        unlocked.saveFollowUp(FollowUpDraft(participant, "bring a tent", from = today, until = today))
        unlocked.saveSelfReferral(SelfReferralDraft(participant, StartedBy.PARTICIPANT, soup, ReferralStatus.ASKED))
        assertEquals(3, unlocked.tallyWaiting(today).size)
        unlocked.store().use { it.suspend() }
        unlocked.close()

        Store.open(dir("store")).use { store ->
            assertFalse(store.isUnlocked())
            store.unlock(passphrase).use { again ->
                assertEquals(listOf("Blue"), again.participants().map { it.alias })
                assertEquals(listOf("a dry place", "see a doctor"), again.participant(participant).goals)
                assertEquals(listOf(encounter), again.encounters(participant).map { it.id })
                val read = again.encounter(encounter)
                assertEquals(listOf(Offer(kit, 1u, Outcome.ACCEPTED, null)), read.offers, "a refusal is in the tally and nowhere else")
                assertEquals("Blue took 2 kits", read.note)
                assertEquals(listOf("by the river"), again.zones().map { it.name })
                assertEquals(listOf("bring a tent"), again.followUps().map { it.what })
                assertEquals(listOf(ReferralStatus.ASKED), again.selfReferrals().map { it.status })
                assertFalse(read.toString().contains("kits"), "records that hold a text print none of it")
            }
        }
    }

    @Test
    fun `a wrong passphrase is a typed error`() {
        found("store").use { it.store().use { store ->
            store.lock()
            val error = assertThrows(FfiException.WrongPassphrase::class.java) { store.unlock("wrong".toByteArray()) }
            assertEquals("retype_passphrase", error.remedy)
            assertFalse(store.isUnlocked())
            store.unlock(passphrase).close()
            assertTrue(store.isUnlocked())
        } }
        assertThrows(FfiException.Storage::class.java) { Store.open(dir("nowhere")) }
    }

    @Test
    fun `notes on services, names and promises are read as they were written`() {
        found("store").use { ana ->
            assertNull(ana.resourceNote(soup))
            ana.saveResourceNote(soup, "closed on Sundays")
            assertEquals("closed on Sundays", ana.resourceNote(soup))
            assertEquals("note", assertThrows(FfiException.InvalidInput::class.java) { ana.saveResourceNote(soup, "ask Sam, 415-555-0123") }.field)
            val member = ana.team().devices.single().member
            ana.nameMember("Anabel")
            assertEquals("Anabel", ana.memberName(member))
            val blue = ana.newParticipant("Blue")
            val promise = ana.saveFollowUp(FollowUpDraft(blue, "bring a tent", ana.today(), ana.today(), "ask at the drop-in"))
            val read = ana.followUp(promise)
            assertEquals(listOf("bring a tent", "ask at the drop-in", blue, member), listOf(read.what, read.contact, read.participant, read.who))
            assertTrue(ana.tallies().isEmpty(), "nothing is sent before its day is over")
            ana.tend()
            assertFalse(ana.isTendingDue())
        }
    }

    @Test
    fun `locking kills every handle`() {
        val unlocked = found("store")
        val session = unlocked.dial()
        unlocked.lock()
        assertThrows(FfiException.Locked::class.java) { unlocked.participants() }
        assertThrows(FfiException.Locked::class.java) { unlocked.saveEncounter(EncounterDraft(EncounterKind.PHONE)) }
        assertThrows(FfiException.Locked::class.java) { unlocked.dial() }
        assertThrows(FfiException.Locked::class.java) { unlocked.observe(Recorder()) }
        // what was begun before is dead too: not even what is already sealed leaves
        assertThrows(FfiException.Locked::class.java) { session.transmit(65_536u) }
        assertThrows(FfiException.Locked::class.java) { session.receive(byteArrayOf(1)) }
        unlocked.store().use { store ->
            store.unlock(passphrase).use { assertEquals(0, it.participants().size) }
            assertThrows(FfiException.Locked::class.java, { unlocked.participants() }, "an old handle stays dead")
        }
    }

    @Test
    fun `observers are told, may throw, and can be cancelled`() {
        found("store").use { unlocked ->
            var listed = -1
            val reader = Recorder { listed = unlocked.encounters().size }
            val thrower = Recorder { throw IllegalStateException("private words") }
            val subscription = unlocked.observe(reader)
            val other = unlocked.observe(thrower)
            val id = unlocked.saveEncounter(EncounterDraft(EncounterKind.DROP_IN))
            assertEquals(listOf(Change(RecordKind.ENCOUNTER, id, null)), reader.seen.filter { it.kind == RecordKind.ENCOUNTER })
            assertEquals(1, listed, "an observer reads what it was told of")
            assertEquals(reader.seen, thrower.seen)
            subscription.cancel()
            val before = reader.seen.size
            unlocked.saveEncounter(EncounterDraft(EncounterKind.DROP_IN))
            assertEquals(before, reader.seen.size)
            assertTrue(thrower.seen.size > before)
            other.cancel()
        }
    }

    @Test
    fun `what the guard finds arrives with its field and its place`() {
        found("store").use { unlocked ->
            val text = "😀 reach him at 415-555-0123"
            val error = assertThrows(FfiException.InvalidInput::class.java) {
                unlocked.saveEncounter(EncounterDraft(EncounterKind.STREET, note = text))
            }
            assertEquals("text_unresolved", error.code)
            assertEquals("note", error.field)
            val finding = error.findings.single()
            assertEquals("contact_detail", finding.category)
            assertEquals("415-555-0123", text.substring(finding.startUtf16.toInt(), finding.endUtf16.toInt()))
            assertFalse(error.message.contains("415"), "an error holds no text that a user wrote")
            assertEquals(error.findings, screen(text))
            assertTrue(unlocked.encounters().isEmpty())
            val goal = assertThrows(FfiException.InvalidInput::class.java) {
                unlocked.createParticipant(ParticipantDraft(HowGiven.SPOKEN, "en", goals = listOf("a dry place", text)))
            }
            assertEquals("goals.1", goal.field)
        }
    }

    @Test
    fun `a store under a keystore opens with its key and not without`() {
        val protector = MemoryProtector()
        found("store", protector).use { unlocked ->
            unlocked.store().use { store ->
                store.lock()
                assertThrows(FfiException.WrongPassphrase::class.java) { store.unlock(passphrase) }
                store.unlock(passphrase, protector).close()
                protector.isBroken = true
                assertThrows(FfiException.WrongPassphrase::class.java) { store.unlock(passphrase, protector) }
                protector.isBroken = false
                protector.secrets.clear()
                assertThrows(FfiException.WrongPassphrase::class.java) { store.unlock(passphrase, protector) }
            }
        }
    }

    @Test
    fun `two phones join and sync over a connection that the app carries`() {
        val ana = found("ana")
        val ben = join(ana, "ben")
        val participant = ana.newParticipant("Blue")
        val fromAna = ana.saveEncounter(EncounterDraft(EncounterKind.STREET, participant = participant, note = "gave 2 kits"))
        val fromBen = ben.saveEncounter(EncounterDraft(EncounterKind.SITE_VISIT, note = "nobody there"))
        val told = Recorder()
        val subscription = ben.observe(told)

        val dialer = ana.dial()
        meet(dialer, ben.listen())
        assertEquals(ben.device(), dialer.report().peer)
        for (store in listOf(ana, ben)) {
            assertEquals(setOf(fromAna, fromBen), store.encounters().map { it.id }.toSet())
            assertEquals("gave 2 kits", store.encounter(fromAna).note)
            assertEquals(listOf("Blue"), store.participants().map { it.alias })
        }
        assertTrue(told.seen.any { it.record == fromAna })
        subscription.cancel()

        val quiet = ana.dial()
        meet(quiet, ben.listen())
        assertEquals(0u, quiet.report().rowsSent, "the second meeting has nothing to say")
    }

    @Test
    fun `a stranger and altered bytes end a session with a typed error`() {
        val ana = found("ana")
        val eve = found("eve")
        val listener = ana.listen()
        val hello = eve.dial().transmit(65_536u)!!
        val error = assertThrows(FfiException.Sync::class.java) { listener.receive(hello) }
        assertEquals("session.not_a_colleague", error.code)
        assertNull(listener.report().peer)
        val used = joinTeam(ana.invite(Role.WORKER, "")).knock()
        ana.answerKnock(used).host.close()
        assertEquals("invitation_used", assertThrows(FfiException.Sync::class.java) { ana.answerKnock(used) }.code)
    }

    @Test
    fun `a relay exchange can be carried and refuses what is no relay`() {
        found("store").use { unlocked ->
            assertEquals("relay_not_set", assertThrows(FfiException.InvalidInput::class.java) { unlocked.syncWithRelay() }.code)
            val mailbox = "box_gaytemzugu3doobzmfrggzdfmy"
            val open = assertThrows(FfiException.InvalidInput::class.java) { unlocked.setRelay("http://relay.example", mailbox) }
            assertEquals("transport.not_encrypted", open.code)
            unlocked.setRelay("http://127.0.0.1:1", mailbox)
            val exchange = unlocked.relayExchange()
            assertEquals("/v1/pull", exchange.nextRequest()!!.path)
            val answer = assertThrows(FfiException.Sync::class.java) { exchange.receiveAnswer("hello".toByteArray()) }
            assertEquals("relay_malformed", answer.code)
            assertEquals("try_later", assertThrows(FfiException.Sync::class.java) { unlocked.syncWithRelay() }.remedy)
        }
    }
}
