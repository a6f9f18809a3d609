package org.satchel.demo

import java.util.concurrent.TimeUnit
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineName
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
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

    private fun phone(name: String, io: CoroutineDispatcher = Dispatchers.IO) = Phone(folder.newFolder(name), io).also { phones += it }

    @After fun close() = phones.forEach { it.close() }

    /** A phone that founded a team, at today's page. */
    private fun ana(hasSupplies: Boolean = true, io: CoroutineDispatcher = Dispatchers.IO): Phone = phone("ana", io).apply {
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
        // back at the encounter, as it was left; what they said yes to stands under "what do you hold on me"
        assertEquals("call tonight", ana.here<EncounterModel>().note.text)
        val participant = runBlocking { ana.repository.participants() }.valueOrNull()!!.single().id
        ana.app.go(Place.Hold(participant))
        val held = ana.here<HoldModel>().state.until { it.held != null }.held!!
        val own = held.sections.flatMap { it.ownWords }
        assertTrue("$own", own.any { "415-555-0123" in it } && own.any { "Blue" in it })
    }

    @Test fun `what is held is shown and read in their language, to whoever knows their word`() {
        val ana = ana()
        val blue = runBlocking { ana.repository.createParticipant(ParticipantDraft(HowGiven.SPOKEN, "es", alias = "Azul", recognitionWord = "río verde")) }.valueOrNull()!!
        runBlocking { ana.repository.editParticipant(blue, ParticipantEdit(language = "es")) }
        ana.app.go(Place.Hold(blue))
        val hold = ana.here<HoldModel>()
        assertTrue(hold.state.until { it.asksWord }.held == null)
        hold.word = "heron"
        hold.said()
        val fault = hold.fault.until { it != null }!!
        assertEquals("word" to "recognition_word", fault.field to fault.code)
        assertNull("another word opens nothing", hold.state.value.held)
        assertEquals("and is forgotten", "", hold.word)
        hold.busy.until { !it }
        hold.word = "Rio  Verde"
        hold.said()
        val held = hold.state.until { it.held != null }.held!!
        assertEquals(Language.SPANISH, held.language)
        assertTrue("Azul" in held.text && "verde" !in held.text.lowercase())
        hold.busy.until { !it }
        hold.readAloud()
        assertEquals("es:${held.text}", ana.platform.said)
        hold.language(Language.ENGLISH)
        val english = hold.state.until { it.held?.language == Language.ENGLISH }.held!!
        assertNull("the other language is not read on", ana.platform.said)
        assertTrue(english.title != held.title)
        hold.busy.until { !it }
        hold.readAloud()
        assertEquals("en:${english.text}", ana.platform.said)
        ana.app.lock()
        assertNull("silent once it is locked", ana.platform.said)
        assertEquals("", hold.word)
    }

    @Test fun `the paper's words are forgotten once they are written down, and not before`() {
        val ana = phone("ana")
        ana.here<WelcomeModel>().create()
        val create = ana.here<CreateModel>()
        create.name = "Ana"
        create.create(PASSPHRASE.toByteArray(), PASSPHRASE.toByteArray())
        val words = create.state.until { it.paper.isNotEmpty() }.paper
        // somebody comes: the notebook is locked, and the words are not lost
        ana.app.lock()
        assertFalse(ana.repository.isUnlocked())
        assertTrue(create.state.until { it.paper.isEmpty() }.paper.isEmpty())
        create.busy.until { !it }
        ana.here<UnlockModel>().unlock(PASSPHRASE.toByteArray())
        ana.here<TodayModel>().team()
        ana.here<TeamModel>().apply { state.until { it.isPaperKept } }.paper()
        val paper = ana.here<PaperModel>()
        assertEquals(words, paper.state.until { it.words.isNotEmpty() }.words)
        paper.later()
        ana.here<TeamModel>().apply { state.until { it.isPaperKept } }.paper()
        ana.here<PaperModel>().apply { state.until { it.words.isNotEmpty() } }.written()
        ana.here<TeamModel>().state.until { it.phones.isNotEmpty() && !it.isPaperKept }
        assertNull(runBlocking { ana.repository.reseatPaper() }.valueOrNull())
    }

    @Test fun `who writes the paper down at once is not asked again, and who goes on without it is`() {
        assertEquals(Reply.Done(null), runBlocking { ana().repository.reseatPaper() })
        val zoe = phone("zoe")
        zoe.here<WelcomeModel>().create()
        zoe.here<CreateModel>().apply {
            name = "Zoe"
            create(PASSPHRASE.toByteArray(), PASSPHRASE.toByteArray())
            state.until { it.paper.isNotEmpty() }
            paperLater()
        }
        zoe.here<TodayModel>()
        assertEquals(35, runBlocking { zoe.repository.reseatPaper() }.valueOrNull()!!.size)
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

    private fun join(ana: Phone, name: String, byCode: Boolean, same: Boolean = true, role: Role = Role.WORKER): Phone {
        val ben = phone(name)
        ana.app.go(Place.Invite)
        val invite = ana.here<InviteModel>()
        invite.role(role)
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

    @Test fun `facts go to the one recipient of a yes, from phone to phone, and nowhere without it`() {
        val ana = ana()
        val elm = phone("elm").apply {
            here<WelcomeModel>().create()
            here<CreateModel>().apply {
                name = "Elm"
                create(PASSPHRASE.toByteArray(), PASSPHRASE.toByteArray())
                state.until { it.paper.isNotEmpty() }
                paperWritten()
            }
            here<TodayModel>()
        }
        elm.app.go(Place.Offer)
        val offering = elm.here<OfferModel>()
        offering.name.typed("Harbor")
        offering.offer()
        val offer = offering.state.until { it.offer != null }.offer!!
        ana.app.go(Place.Pair)
        val pairing = ana.here<PairModel>()
        pairing.name.typed("Elm House")
        pairing.scanned(offer.text)
        pairing.pair()
        assertEquals(offer.words, pairing.state.until { it.words.isNotEmpty() }.words)
        pairing.agree(false)
        pairing.state.until { it.differed }
        assertTrue(runBlocking { ana.repository.recipients() }.valueOrNull()!!.isEmpty())
        pairing.busy.until { !it }
        pairing.pair()
        pairing.state.until { it.words.isNotEmpty() }
        pairing.agree(true)
        ana.here<TodayModel>()
        val recipient = runBlocking { ana.repository.recipients() }.valueOrNull()!!.single().id

        val person = ana.newPerson("Blue")
        val id = person.state.value.file!!.id
        fun asking(act: ConsentAct) = Asking(act, listOf(GatedCategory.LEGAL_NAME), recipient.takeIf { act == ConsentAct.SHARE }, Purpose.HOUSING_APPLICATION, 30, Language.ENGLISH)
        val kept = runBlocking { ana.repository.grant(id, asking(ConsentAct.RECORD)) }.valueOrNull()!!
        runBlocking { ana.repository.writeFact(id, kept, Fact(FactField.LEGAL_NAME, "Maria Gonzalez")) }
        assertEquals("a yes to keep is none to share", Fault.Kind.NO_CONSENT, (runBlocking { ana.repository.sharePlan(id, kept) } as Reply.Failed).fault.kind)
        val grant = runBlocking { ana.repository.grant(id, asking(ConsentAct.SHARE)) }.valueOrNull()!!
        person.load()
        person.share(person.state.until { state -> state.grants.any { it.id == grant } }.grants.first { it.id == grant })
        val share = ana.here<ShareModel>()
        val plan = share.state.until { it.plan != null }.plan!!
        assertEquals("Elm House" to listOf(FactField.LEGAL_NAME), plan.name to plan.fields)
        share.give()
        val teal = elm.newPerson("Teal")
        teal.take()
        val taking = elm.here<TakeModel>()
        taking.address = share.state.until { it.address != null }.address!!
        taking.take()
        assertEquals("Maria Gonzalez", taking.state.until { it.facts != null }.facts!!.single().value)
        share.state.until { it.isGiven }
        taking.busy.until { !it }
        taking.keep()
        elm.here<PersonModel>()
        elm.app.go(Place.Hold(teal.state.value.file!!.id))
        val held = elm.here<HoldModel>().state.until { it.held != null }.held!!
        assertTrue("kept there too", "Maria Gonzalez" in held.text)
        ana.app.go(Place.Hold(id))
        assertTrue("told to the participant", "Elm House" in ana.here<HoldModel>().state.until { it.held != null }.held!!.text)
    }

    @Test fun `a complaint reaches the board alone, and its answer whoever holds the code`() {
        val ana = ana()
        ana.app.go(Place.Complain)
        assertFalse("no board, no button", ana.here<ComplainModel>().state.until { !it.isOffered }.isOffered)
        ana.app.back()
        val board = join(ana, "Board", byCode = false, role = Role.BOARD)
        assertTrue(board.here<TodayModel>().state.until { it.isBoard }.isBoard)
        board.app.go(Place.Inbox)
        val inbox = board.here<InboxModel>()
        inbox.state.until { !it.isSetUp }
        inbox.setUp()
        val made = inbox.state.until { it.keys != null }
        inbox.busy.until { !it }

        ana.app.go(Place.TeamPage)
        ana.here<TeamModel>().apply { state.until { !it.hasBoard } }.nameBoard()
        val naming = ana.here<NameBoardModel>()
        naming.scanned("something else")
        naming.name()
        assertEquals("board_keys", naming.fault.until { it != null }!!.code)
        naming.busy.until { !it }
        naming.scanned(made.keys!!)
        naming.name()
        assertEquals("both phones show the same words", made.words, naming.state.until { it.words.isNotEmpty() }.words)
        naming.busy.until { !it }
        naming.done()
        assertTrue(ana.here<TeamModel>().state.until { it.hasBoard && it.phones.isNotEmpty() }.hasBoard)
        meet(ana, board)
        inbox.load()
        inbox.state.until { it.keys == null && it.isSetUp }
        inbox.publish()
        inbox.busy.until { !it }
        meet(board, ana)

        ana.app.go(Place.Complain)
        val complain = ana.here<ComplainModel>()
        complain.state.until { it.isOffered }
        complain.category(ComplaintCategory.COERCION)
        complain.text = "I was told to come back sober."
        complain.send()
        val code = complain.state.until { it.code != null }.code!!
        assertEquals("", complain.text)
        complain.busy.until { !it }
        complain.look(true)
        complain.lookUp(code.toByteArray())
        assertNull("nothing came back yet", complain.state.until { it.answer != null }.answer!!.progress)
        complain.busy.until { !it }
        complain.lookUp("not a code".toByteArray())
        assertEquals("receipt_code", complain.fault.until { it != null }!!.code)
        complain.busy.until { !it }
        complain.done()
        assertNull("shown once", complain.state.value.code)

        // which of the sealed boxes goes along with a meeting is drawn, and most hold nothing
        var meetings = 0
        while (runBlocking { board.repository.boardBook() }.valueOrNull()!!.lines.isEmpty() && meetings++ < 200) meet(ana, board)
        inbox.load()
        val line = inbox.state.until { it.book?.lines?.isNotEmpty() == true }.book!!.lines.single()
        inbox.read(line)
        assertEquals("I was told to come back sober.", inbox.state.until { it.read != null }.read!!.second.text)
        inbox.busy.until { !it }
        inbox.answer = "We have asked them to stop."
        inbox.answer()
        inbox.state.until { it.read == null && it.book?.lines?.single()?.progress == ComplaintProgress.ANSWERED }
        inbox.busy.until { !it }
        inbox.publish()
        inbox.busy.until { !it }
        meet(board, ana)
        ana.app.go(Place.Complain)
        val asking = ana.here<ComplainModel>()
        asking.look(true)
        val typed = code.toByteArray()
        asking.lookUp(typed)
        val answer = asking.state.until { it.answer?.progress != null }.answer!!
        assertEquals(ComplaintProgress.ANSWERED to "We have asked them to stop.", answer.progress to answer.answer)
        assertTrue("the code is wiped", typed.all { it == 0.toByte() })
        asking.leave()
        assertNull("and left with the page", asking.state.value.answer)
        assertEquals("the steward's phone is no board's", Fault.Kind.REFUSED, (runBlocking { ana.repository.boardBook() } as Reply.Failed).fault.kind)
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

    /** Keeps one call back until somebody runs it: the one named so, and none of those that models make by themselves. */
    private class HoldingOne : CoroutineDispatcher() {
        @Volatile var holds = false
        val held = java.util.concurrent.CompletableFuture<Runnable>()
        override fun dispatch(context: kotlin.coroutines.CoroutineContext, block: Runnable) {
            if (holds && context[CoroutineName]?.name == "late") {
                holds = false
                held.complete(block)
            } else Dispatchers.IO.dispatch(context, block)
        }
    }

    @Test fun `a call that ends after its notebook was locked does not lock the one opened since`() {
        val io = HoldingOne()
        val ana = ana(io = io)
        io.holds = true
        val late = ana.scope.async(CoroutineName("late")) { ana.repository.today() }
        val call = io.held.get()
        ana.app.lock()
        ana.here<UnlockModel>().unlock(PASSPHRASE.toByteArray())
        ana.here<TodayModel>().state.until { it.supplies.isNotEmpty() }
        call.run()
        assertEquals(Fault.Kind.LOCKED, (runBlocking { late.await() } as Reply.Failed).fault.kind)
        assertTrue(ana.repository.isUnlocked())
    }

    @Test fun `it locks by itself, and whatever asks then comes to the lock screen`() {
        val ana = ana()
        ana.repository.lockAfter(1)
        ana.here<UnlockModel>()
        assertFalse(ana.repository.isUnlocked())
        assertEquals(false, ana.platform.isOpen)
    }

    @Test fun `after twelve hours it locks, however busy, and asks for the passphrase`() {
        val ana = ana()
        ana.platform.moment = Moment(7, ana.platform.moment.elapsedMillis + QuickPin.PASSPHRASE_EVERY_MILLIS - 1)
        assertFalse("not before", ana.app.quickPin.isOver(1))
        assertTrue(ana.repository.isUnlocked())
        ana.platform.moment = Moment(7, ana.platform.moment.elapsedMillis + 1)
        val unlock = ana.here<UnlockModel>()
        assertFalse(ana.repository.isUnlocked())
        assertEquals(Asks.PASSPHRASE, unlock.state.value.asks)
        unlock.unlock(PASSPHRASE.toByteArray())
        ana.here<TodayModel>()
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
