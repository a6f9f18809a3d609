package org.satchel.demo.model

import org.satchel.demo.repository.FollowUpLine
import org.satchel.demo.repository.GrantLine
import org.satchel.demo.repository.GrantStatus
import org.satchel.demo.repository.HowGiven
import org.satchel.demo.repository.Participant
import org.satchel.demo.repository.ParticipantConflict
import org.satchel.demo.repository.ParticipantDraft
import org.satchel.demo.repository.ParticipantEdit
import org.satchel.demo.repository.ParticipantLine
import org.satchel.demo.repository.ReferralStatus
import org.satchel.demo.repository.Resource
import org.satchel.demo.repository.SelfReferralDraft
import org.satchel.demo.repository.SelfReferralLine
import org.satchel.demo.repository.StartedBy

/** The participants of this team, by their last day. Only aliases can be looked through. */
class PeopleModel(app: App) : Model<PeopleModel.State>(app, State()) {
    data class Line(val participant: ParticipantLine, val daysAgo: Long)
    data class State(val filter: String = "", val people: List<Line> = emptyList())

    override fun load() {
        loading {
            val today = repository.today().orShow() ?: return@loading
            val wanted = state.value.filter.trim()
            val people = repository.participants().orShow().orEmpty()
                .filter { wanted.isEmpty() || it.alias.orEmpty().contains(wanted, ignoreCase = true) }
            change { copy(people = people.map { Line(it, -daysFrom(today, it.lastDay)) }) }
        }
    }

    fun filter(text: String) {
        change { copy(filter = text) }
        load()
    }

    fun open(participant: ParticipantLine) = app.go(Place.Person(participant.id))
    fun new() = app.go(Place.NewPerson)
}

/** A file comes into being in one step with the yes to it. */
class NewPersonModel(app: App) : Model<NewPersonModel.State>(app, State()) {
    data class State(val how: HowGiven = HowGiven.SPOKEN)

    val alias = GuardedText(app)
    val pronouns = GuardedText(app)
    val contact = GuardedText(app)
    val goal = GuardedText(app)

    fun how(how: HowGiven) = change { copy(how = how) }

    fun theySaidYes() = act {
        val draft = ParticipantDraft(state.value.how, app.platform.language(), alias.orNull(), pronouns.orNull(), null, contact.orNull(), listOfNotNull(goal.orNull()))
        val id = repository.createParticipant(draft).orShow()
        if (id == null) listOf(alias, pronouns, contact, goal).forEach { it.look() } else app.replace(Place.Person(id))
    }
}

/** One participant file. */
class PersonModel(app: App, private val id: String) : Model<PersonModel.State>(app, State()) {
    data class State(
        val file: Participant? = null,
        val encounters: List<Long> = emptyList(),
        val promised: List<FollowUpLine> = emptyList(),
        val referrals: List<SelfReferralLine> = emptyList(),
        val grants: List<GrantLine> = emptyList(),
        val resources: List<Resource> = emptyList(),
        val choosing: Boolean = false,
        val withdrawing: Boolean = false,
    )

    val promise = GuardedText(app)

    override fun load() {
        loading {
            val file = repository.participant(id).orShow() ?: return@loading
            val today = repository.today().orShow() ?: return@loading
            promise.alias = file.alias
            val encounters = repository.encounters(id).orShow().orEmpty().map { -daysFrom(today, it.day) }
            val promised = repository.followUps().orShow().orEmpty().filter { it.participant == id }
            val referrals = repository.selfReferrals().orShow().orEmpty().filter { it.participant == id }
            val grants = repository.grants(id).orShow().orEmpty().filter { it.status == GrantStatus.LIVE }
            val resources = repository.find("", null, emptyList(), false).orShow().orEmpty()
            change { copy(file = file, encounters = encounters, promised = promised, referrals = referrals, grants = grants, resources = resources) }
        }
    }

    fun encounter() = app.go(Place.NewEncounter(id))
    fun edit() = app.go(Place.Edit(id))
    fun ask() = app.go(Place.Ask(id))
    fun hold() = app.go(Place.Hold(id))
    fun share(line: GrantLine) = app.go(Place.Share(id, line.id))
    fun take() = app.go(Place.Take(id))

    fun promise(days: Int) = act {
        val what = promise.orNull() ?: return@act
        if (repository.saveFollowUp(id, what, days).orShow() == null) promise.look() else promise.clear()
        load()
    }

    fun chooseReferral(on: Boolean) = change { copy(choosing = on) }

    /** They ask to be connected. */
    fun refer(resource: Resource) = act {
        change { copy(choosing = false) }
        repository.saveSelfReferral(SelfReferralDraft(id, StartedBy.PARTICIPANT_WITH_WORKER, resource.id, ReferralStatus.ASKED)).orShow()
        load()
    }

    fun referral(line: SelfReferralLine, status: ReferralStatus) = act {
        repository.setReferral(line.id, status).orShow()
        load()
    }

    /** Takes one of the values that two phones wrote at the same time. */
    fun pick(conflict: ParticipantConflict, value: String) = act {
        val edit = when (conflict.field) {
            "alias" -> ParticipantEdit(alias = value)
            "pronouns" -> ParticipantEdit(pronouns = value)
            "language" -> ParticipantEdit(language = value)
            "contact" -> ParticipantEdit(contact = value)
            "recognition_word" -> ParticipantEdit(recognitionWord = value)
            else -> return@act
        }
        repository.editParticipant(id, edit).orShow()
        load()
    }

    fun withdraw(asked: Boolean) = change { copy(withdrawing = asked) }

    /** They take everything back: file, facts and shares. */
    fun withdrawAll() = act {
        repository.withdraw(id, null).orShow() ?: return@act
        app.back()
    }

    fun withdrawGrant(line: GrantLine) = act {
        val grant = line.grant ?: return@act
        for (category in grant.categories) {
            repository.withdraw(id, org.satchel.demo.repository.TakenBack(grant.act, category, grant.recipient, HowGiven.SPOKEN)).orShow()
        }
        load()
    }

    fun close(closed: Boolean) = act {
        repository.editParticipant(id, ParticipantEdit(closed = closed)).orShow()
        load()
    }

    /** What two phones wrote into one field: the value shown and the others. */
    fun valuesOf(conflict: ParticipantConflict): List<String> {
        val file = state.value.file ?: return emptyList()
        val shown = when (conflict.field) {
            "alias" -> file.alias
            "pronouns" -> file.pronouns
            "language" -> file.language
            "contact" -> file.contact
            "recognition_word" -> file.recognitionWord
            else -> null
        }
        return listOfNotNull(shown) + conflict.others
    }
}

/** Changing a file at the participant's word. */
class EditModel(app: App, private val id: String) : Model<EditModel.State>(app, State()) {
    data class State(val isRead: Boolean = false, val goals: List<String> = emptyList())

    var alias = GuardedText(app)
    var pronouns = GuardedText(app)
    var contact = GuardedText(app)
    val goal = GuardedText(app)
    /** A new recognition word; the one that they have is never shown. */
    val word = GuardedText(app)

    override fun load() {
        if (state.value.isRead) return
        loading {
            val file = repository.participant(id).orShow() ?: return@loading
            alias = GuardedText(app, file.alias.orEmpty(), file.alias)
            pronouns = GuardedText(app, file.pronouns.orEmpty(), file.alias)
            contact = GuardedText(app, file.contact.orEmpty(), file.alias)
            goal.alias = file.alias
            change { State(true, file.goals) }
        }
    }

    /** Their goals, in their order: one step up. */
    fun up(at: Int) = change { if (at == 0) this else copy(goals = goals.toMutableList().apply { add(at - 1, removeAt(at)) }) }
    fun remove(at: Int) = change { copy(goals = goals.filterIndexed { index, _ -> index != at }) }
    fun add() {
        val next = goal.orNull() ?: return
        change { copy(goals = goals + next) }
        goal.clear()
    }

    fun save() = act {
        val goals = state.value.goals + listOfNotNull(goal.orNull())
        val edit = ParticipantEdit(alias.orNull(), pronouns.orNull(), null, contact.orNull(), goals, word.orNull())
        if (repository.editParticipant(id, edit).orShow() == null) listOf(alias, pronouns, contact, goal, word).forEach { it.look() } else app.back()
    }
}
