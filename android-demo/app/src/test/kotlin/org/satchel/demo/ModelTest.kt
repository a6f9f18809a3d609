package org.satchel.demo

import java.util.concurrent.TimeUnit
import kotlinx.coroutines.runBlocking
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.junit.rules.Timeout
import org.satchel.demo.model.*
import org.satchel.demo.repository.*

/** The app without its screens, against the real library. */
class ModelTest {
    @get:Rule val folder = TemporaryFolder()
    @get:Rule val limit = Timeout(120, TimeUnit.SECONDS)
    private val phones = mutableListOf<Phone>()

    private fun phone(name: String) = Phone(folder.newFolder(name)).also { phones += it }

    @After fun close() = phones.forEach { it.close() }

    /** A phone that founded a team, at today's page. */
    private fun ana(hasSupplies: Boolean = true): Phone = phone("ana").apply {
        if (!hasSupplies) platform.supplies = emptyList()
        here<WelcomeModel>().create()
        val model = here<CreateModel>()
        model.name = "Ana"
        model.create(PASSPHRASE.toByteArray(), PASSPHRASE.toByteArray())
        assertEquals(35, model.state.until { it.paper.isNotEmpty() }.paper.size)
        model.paperWritten()
        here<TodayModel>().state.until { it.supplies.size == platform.supplies.size }
    }

    private fun Phone.newPerson(alias: String): PersonModel {
        app.go(Place.NewPerson)
        here<NewPersonModel>().apply {
            this.alias.typed(alias)
            theySaidYes()
        }
        return here<PersonModel>().also { model -> model.state.until { it.file?.alias == alias } }
    }

    @Test fun `an encounter takes three taps and is there after unlocking again`() {
        val ana = ana()
        ana.here<TodayModel>().newEncounter() // one
        val encounter = ana.here<EncounterModel>()
        val kit = encounter.state.until { it.supplies.isNotEmpty() }.supplies.first { it.name == "Naloxone kit" }
        encounter.offer(kit) // two
        encounter.save() // three
        encounter.state.until { it.saved != null }
        encounter.done()
        ana.here<TodayModel>().state.until { it.encounters == 1 && it.supplies.any { line -> line.counted == 1 } }

        ana.app.lock()
        assertEquals(false, ana.platform.isOpen)
        val unlock = ana.here<UnlockModel>()
        unlock.unlock("something else".toByteArray())
        assertEquals(Fault.Kind.WRONG_PASSPHRASE, unlock.fault.until { it != null }?.kind)
        unlock.busy.until { !it }
        unlock.unlock(PASSPHRASE.toByteArray())
        ana.here<TodayModel>().state.until { it.encounters == 1 }
    }

    @Test fun `one tap counts one and names nobody`() {
        val ana = ana()
        val today = ana.here<TodayModel>()
        val socks = today.state.value.supplies.first { it.resource.name == "Socks" }.resource
        today.tally(socks)
        today.state.until { state -> state.supplies.any { it.resource.id == socks.id && it.counted == 1 } }
        today.busy.until { !it }
        today.tally(socks)
        today.state.until { state -> state.supplies.any { it.resource.id == socks.id && it.counted == 2 } }
        assertEquals(0, today.state.value.encounters)
        assertTrue(runBlocking { ana.repository.encounters() }.valueOrNull()!!.isEmpty())
    }

    @Test fun `a refusal is kept with nobody unless they ask`() {
        val ana = ana()
        val blue = ana.newPerson("Blue")
        for (keep in listOf(false, true)) {
            blue.encounter()
            val encounter = ana.here<EncounterModel>()
            val (kit, socks) = encounter.state.until { it.supplies.size == 2 }.supplies.sortedBy { it.name }
            encounter.offer(kit)
            encounter.offer(socks)
            encounter.outcome(socks, Outcome.DECLINED)
            encounter.keepRefusal(socks, keep)
            encounter.save()
            val id = encounter.state.until { it.saved != null }.saved!!
            val offers = runBlocking { ana.repository.encounter(id) }.valueOrNull()!!.offers
            assertEquals(if (keep) 2 else 1, offers.size)
            encounter.done()
        }
    }

    @Test fun `what the guard finds is removed, put neutrally, or kept under a yes with the exact words`() {
        val ana = ana()
        ana.newPerson("Blue").encounter()
        val encounter = ana.here<EncounterModel>()
        encounter.state.until { it.people.isNotEmpty() }
        encounter.note.typed("call 415-555-0123 tonight")
        val finding = encounter.note.notice.until { it.findings.isNotEmpty() }.findings.single()
        encounter.save()
        assertEquals(Fault.Kind.INPUT, encounter.fault.until { it != null }?.kind)
        encounter.busy.until { !it }
        assertTrue(runBlocking { ana.repository.encounters() }.valueOrNull()!!.isEmpty())
        encounter.note.replace(finding, "a way to be reached")
        assertEquals("call a way to be reached tonight", encounter.note.text)
        encounter.note.notice.until { it.findings.isEmpty() }

        encounter.note.typed("call 415-555-0123 tonight")
        encounter.recordUnderGrant(encounter.note.notice.until { it.findings.isNotEmpty() }.findings.single())
        assertEquals("call tonight", encounter.note.text)
        val ask = ana.here<AskModel>()
        assertEquals(listOf(GatedCategory.CONTACT_DETAIL, "415-555-0123"), ask.state.value.run { listOf(category, value) })
        ask.words(Language.SPANISH)
        val spanish = ask.state.until { it.words?.language == Language.SPANISH }.words!!.text
        ask.readAloud()
        assertEquals("es:$spanish", ana.platform.said)
        ask.busy.until { !it }
        ask.words(Language.ENGLISH)
        ask.state.until { it.words?.language == Language.ENGLISH }
        ask.busy.until { !it }
        ask.yes()
        // back at the encounter; what they said yes to stands under "what do you hold on me"
        ana.here<EncounterModel>()
        val participant = runBlocking { ana.repository.participants() }.valueOrNull()!!.single().id
        ana.app.go(Place.Hold(participant))
        val held = ana.here<HoldModel>().state.until { it.holding != null }.holding!!
        assertEquals(listOf("415-555-0123"), held.facts.map { it.value })
        assertEquals("Blue", held.file.alias)
    }

    @Test fun `a no to the words leaves nothing`() {
        val ana = ana()
        ana.newPerson("Blue").ask()
        val ask = ana.here<AskModel>()
        ask.value("Maria Gonzalez")
        ask.words()
        assertTrue(ask.state.until { it.words != null }.words!!.text.isNotEmpty())
        ask.no()
        val person = ana.here<PersonModel>().state.until { it.file != null }
        assertTrue(person.grants.all { it.live.isEmpty() })
    }

    @Test fun `a promise, a self-referral, goals in their order, and everything taken back`() {
        val ana = ana()
        val person = ana.newPerson("Blue")
        person.promise.typed("bring a tent")
        person.promise(7)
        person.state.until { it.promised.size == 1 }
        person.busy.until { !it }
        person.refer(person.state.value.resources.first())
        val referral = person.state.until { it.referrals.size == 1 }.referrals.single()
        person.busy.until { !it }
        person.referral(referral, ReferralStatus.CHANGED_MIND)
        person.state.until { it.referrals.single().status == ReferralStatus.CHANGED_MIND }
        person.edit()
        val edit = ana.here<EditModel>()
        edit.state.until { it.isRead }
        edit.goal.typed("a dry place")
        edit.add()
        edit.goal.typed("see a doctor")
        edit.add()
        edit.up(1)
        edit.save()
        val again = ana.here<PersonModel>()
        assertEquals(listOf("see a doctor", "a dry place"), again.state.until { it.file != null }.file!!.goals)
        ana.app.go(Place.FollowUps)
        val promises = ana.here<FollowUpsModel>()
        promises.done(promises.state.until { it.promised.isNotEmpty() }.promised.single())
        promises.state.until { it.promised.isEmpty() }
        ana.app.back()
        val last = ana.here<PersonModel>()
        last.withdraw(true)
        last.withdrawAll()
        ana.here<TodayModel>()
        assertTrue(runBlocking { ana.repository.participants() }.valueOrNull()!!.isEmpty())
    }

    @Test fun `resources are found offline, open now, and without what is demanded`() {
        // of two lists published on one day the library keeps either: here there is one
        val ana = ana(hasSupplies = false)
        runBlocking { ana.repository.publish(listOf(shelter(ana.repository), dropIn(ana.repository))) }
        ana.app.go(Place.Find())
        val find = ana.here<FindModel>()
        assertEquals(setOf("Night shelter", "Elm House"), find.state.until { it.found.size == 2 }.found.map { it.name }.toSet())
        find.openNow(true) // Monday noon
        assertEquals(listOf("Elm House"), find.state.until { it.openNow && it.found.size == 1 }.found.map { it.name })
        find.openNow(false)
        find.state.until { it.found.size == 2 }
        find.without(Demand.POLICE_CONTACT)
        assertEquals(listOf("Elm House"), find.state.until { it.found.size == 1 }.found.map { it.name })
        find.type("shelter")
        find.state.until { it.found.isEmpty() }
    }

    @Test fun `what was saved can be undone, or moved to the right person`() {
        val ana = ana()
        ana.newPerson("Blue").encounter()
        val encounter = ana.here<EncounterModel>()
        encounter.save()
        encounter.state.until { it.saved != null }
        encounter.busy.until { !it }
        encounter.wrongPerson()
        encounter.state.until { it.saved == null && it.choosing }
        encounter.who(null)
        encounter.busy.until { !it }
        encounter.save()
        encounter.state.until { it.saved != null }
        assertNull(runBlocking { ana.repository.encounters() }.valueOrNull()!!.single().participant)
        encounter.busy.until { !it }
        encounter.undo()
        encounter.state.until { it.undone }
        assertTrue(runBlocking { ana.repository.encounters() }.valueOrNull()!!.isEmpty())
    }

    private fun join(ana: Phone, name: String, byCode: Boolean, same: Boolean = true): Phone {
        val ben = phone(name)
        ana.app.go(Place.Invite)
        val invite = ana.here<InviteModel>()
        invite.invite(byCode)
        val shown = invite.state.until { it.step == InviteModel.Step.SHOW }
        ben.here<WelcomeModel>().join()
        val join = ben.here<JoinModel>()
        join.type(byCode)
        join.name = name
        join.scanned = shown.qr.orEmpty()
        join.code = shown.code.orEmpty()
        join.address = shown.address
        join.join(PASSPHRASE.toByteArray())
        val theirs = join.state.until { it.words.isNotEmpty() }.words
        val ours = invite.state.until { it.step == InviteModel.Step.COMPARE }.words
        assertEquals(ours, theirs)
        assertEquals(4, ours.size)
        invite.agree(same)
        join.agree(same)
        if (same) {
            ben.here<TodayModel>()
            invite.state.until { it.step == InviteModel.Step.DONE }
            invite.done()
        } else {
            join.state.until { it.refused }
            invite.state.until { it.differed }
        }
        return ben
    }

    private fun meet(one: Phone, other: Phone) = runBlocking {
        java.net.ServerSocket(0).use { server ->
            val listening = java.util.concurrent.CompletableFuture.supplyAsync {
                server.accept().use { runBlocking { other.repository.meet(it.inputStream, it.outputStream, dials = false) } }
            }
            java.net.Socket("127.0.0.1", server.localPort).use { one.repository.meet(it.inputStream, it.outputStream, dials = true) }
            listening.get()
        }
    }

    @Test fun `a colleague joins by QR code, another by typed words, and a lost phone is removed in two steps`() {
        val ana = ana()
        val ben = join(ana, "Ben", byCode = false)
        join(ana, "Cleo", byCode = true)
        ana.app.go(Place.TeamPage)
        val team = ana.here<TeamModel>()
        val phones = team.state.until { it.phones.size == 3 }.phones
        assertTrue(team.state.value.maySteward)
        meet(ben, ana)
        team.load()
        val lost = team.state.until { state -> state.phones.any { it.device.name == "Ben" } }.phones.first { it.device.name == "Ben" }
        team.remove(lost)
        val remove = ana.here<RemoveModel>()
        assertEquals("Ben", remove.state.until { it.removal != null }.removal!!.details.name)
        remove.keep()
        assertEquals(3, ana.here<TeamModel>().state.until { it.phones.isNotEmpty() }.phones.size)
        ana.here<TeamModel>().remove(lost)
        val sure = ana.here<RemoveModel>()
        sure.state.until { it.removal != null }
        sure.confirm()
        ana.here<TeamModel>().state.until { it.phones.size == 2 }
        assertEquals(3, phones.size)
        assertTrue(meet(ben, ana) is Reply.Failed)
    }

    @Test fun `nobody joins when the words differ`() {
        val ana = ana()
        val ben = join(ana, "Ben", byCode = false, same = false)
        assertTrue(ben.repository.notebooks().isEmpty())
        assertEquals(1, runBlocking { ana.repository.team() }.valueOrNull()!!.devices.size)
    }

    @Test fun `two phones write one field and both values are shown until one is picked`() {
        val ana = ana()
        val ben = join(ana, "Ben", byCode = false)
        val person = ana.newPerson("Blue")
        val id = person.state.value.file!!.id
        meet(ana, ben)
        runBlocking {
            ana.repository.editParticipant(id, ParticipantEdit(pronouns = "she"))
            ben.repository.editParticipant(id, ParticipantEdit(pronouns = "they"))
        }
        meet(ana, ben)
        // what arrived is shown without anybody asking for it
        val conflict = person.state.until { it.file?.conflicts?.isNotEmpty() == true }.file!!.conflicts.single()
        assertEquals(setOf("she", "they"), person.valuesOf(conflict).toSet())
        person.pick(conflict, "they")
        person.state.until { it.file?.conflicts?.isEmpty() == true && it.file?.pronouns == "they" }
    }

    @Test fun `two members of one phone switch in under five seconds, and an erased notebook is gone`() {
        val ana = ana()
        ana.app.lock()
        ana.here<UnlockModel>().add()
        ana.here<WelcomeModel>().create()
        ana.here<CreateModel>().apply {
            name = "Zoe"
            create("another passphrase".toByteArray(), "another passphrase".toByteArray())
            state.until { it.paper.isNotEmpty() }
            paperWritten()
        }
        ana.here<TodayModel>()
        val began = System.nanoTime()
        ana.app.lock()
        ana.here<UnlockModel>().unlock(PASSPHRASE.toByteArray())
        ana.here<TodayModel>()
        assertTrue(TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - began) < 5)
        assertEquals("Ana", runBlocking { ana.repository.team() }.valueOrNull()!!.devices.single().name)

        ana.app.go(Place.Erase)
        ana.here<EraseModel>().apply {
            sure()
            erase()
        }
        ana.here<UnlockModel>()
        assertEquals(listOf(2), ana.repository.notebooks())
    }

    @Test fun `it locks by itself, and whatever asks then comes to the lock screen`() {
        val ana = ana()
        ana.repository.lockAfter(1)
        ana.here<UnlockModel>()
        assertFalse(ana.repository.isUnlocked())
        assertEquals(false, ana.platform.isOpen)
    }

    @Test fun `a short passphrase and two that differ are refused before anything is written`() {
        val ana = phone("ana")
        ana.here<WelcomeModel>().create()
        val create = ana.here<CreateModel>()
        create.create("short".toByteArray(), "short".toByteArray())
        assertEquals("passphrase_short", create.fault.until { it != null }?.code)
        create.busy.until { !it }
        val typed = PASSPHRASE.toByteArray()
        create.create(typed, "something else".toByteArray())
        assertEquals("passphrases_differ", create.fault.until { it?.code != "passphrase_short" && it != null }?.code)
        assertTrue("wiped", typed.all { it == 0.toByte() })
        assertTrue(ana.repository.notebooks().isEmpty())
    }
}
