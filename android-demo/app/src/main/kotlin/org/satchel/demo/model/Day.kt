package org.satchel.demo.model

import org.satchel.demo.repository.Demand
import org.satchel.demo.repository.EncounterDraft
import org.satchel.demo.repository.EncounterKind
import org.satchel.demo.repository.FollowUpState
import org.satchel.demo.repository.OfferDraft
import org.satchel.demo.repository.Outcome
import org.satchel.demo.repository.ParticipantLine
import org.satchel.demo.repository.Resource
import org.satchel.demo.repository.ResourceCategory
import org.satchel.demo.repository.TallyTap
import org.satchel.demo.repository.valueOrNull

/** A promise as it is shown: [inDays] until the last day of its window. */
data class Promised(val id: String, val what: String, val who: String?, val inDays: Long)

/** What of the catalogue is handed out by hand, most used first. */
internal fun supplies(all: List<Resource>): List<Resource> = all.filter { it.provider.isEmpty() }

/** The first screen of a shift. */
class TodayModel(app: App) : Model<TodayModel.State>(app, State()) {
    data class Count(val resource: Resource, val counted: Int)
    data class State(
        val encounters: Int = 0,
        val promised: List<Promised> = emptyList(),
        val supplies: List<Count> = emptyList(),
        val waiting: Int = 0,
        val lastContact: Long? = null,
        val notInTouch: Boolean = true,
        val isBoard: Boolean = false,
    )

    override fun load() {
        loading {
            val today = repository.today().orShow() ?: return@loading
            val encounters = repository.encounters().orShow().orEmpty()
            val supplies = supplies(repository.find("", null, emptyList(), false).orShow().orEmpty())
            val counts = supplies.map { Count(it, repository.tallyToday(it.id).valueOrNull() ?: 0) }
            val team = repository.team().orShow() ?: return@loading
            val last = team.lastContact
            change {
                State(
                    encounters.count { it.day == today },
                    emptyList(),
                    counts,
                    repositoryWaiting,
                    last?.let { -daysFrom(today, it) },
                    last == null,
                    team.devices.any { it.isSelf && it.role == org.satchel.demo.repository.Role.BOARD },
                )
            }
            val waiting = repository.waiting().orShow() ?: 0
            repositoryWaiting = waiting
            val promised = promises(app)
            change { copy(promised = promised.filter { it.inDays <= SOON_DAYS }, waiting = waiting) }
        }
    }

    private var repositoryWaiting = 0

    fun newEncounter() = app.go(Place.NewEncounter())

    /** One tap: one given, nobody named. */
    fun tally(resource: Resource) = act {
        repository.tally(TallyTap(resource.id, Outcome.ACCEPTED, 1u)).orShow() ?: return@act
        val counted = repository.tallyToday(resource.id).orShow() ?: return@act
        change { copy(supplies = supplies.map { if (it.resource.id == resource.id) it.copy(counted = counted) else it }) }
    }

    fun done(promise: Promised) = act {
        repository.setFollowUp(promise.id, FollowUpState.DONE).orShow()
        load()
    }

    fun people() = app.go(Place.People)
    fun find() = app.go(Place.Find())
    fun followUps() = app.go(Place.FollowUps)
    fun team() = app.go(Place.TeamPage)
    fun sync() = app.go(Place.Sync)
    fun settings() = app.go(Place.Settings)
    fun complain() = app.go(Place.Complain)
    fun inbox() = app.go(Place.Inbox)
    fun lock() = app.lock()

    private companion object {
        const val SOON_DAYS = 3L
    }
}

internal suspend fun promises(app: App): List<Promised> {
    val today = app.repository.today().valueOrNull() ?: return emptyList()
    val names = app.repository.participants().valueOrNull().orEmpty().associate { it.id to it.alias }
    return app.repository.followUps().valueOrNull().orEmpty()
        .filter { it.state == FollowUpState.OPEN }
        .map { Promised(it.id, it.what.orEmpty(), names[it.participant], daysFrom(today, it.until)) }
}

/** A new encounter: nothing on it has to be filled in. */
class EncounterModel(app: App, participant: String?) : Model<EncounterModel.State>(app, State(participant = participant)) {
    data class Offered(val resource: Resource, val outcome: Outcome, val quantity: Int = 1, val keepRefusal: Boolean = false)
    data class State(
        val kind: EncounterKind = EncounterKind.STREET,
        val participant: String? = null,
        val people: List<ParticipantLine> = emptyList(),
        val supplies: List<Resource> = emptyList(),
        val offers: List<Offered> = emptyList(),
        val choosing: Boolean = false,
        /** The encounter was saved: it can be undone, or moved to somebody else. */
        val saved: String? = null,
        val undone: Boolean = false,
    )

    val note = GuardedText(app)
    override val isKept get() = true

    override fun load() {
        loading {
            val people = repository.participants().orShow().orEmpty().filter { !it.closed }
            val supplies = repository.find("", null, emptyList(), false).orShow().orEmpty()
            change { copy(people = people, supplies = supplies) }
            note.alias = people.firstOrNull { it.id == state.value.participant }?.alias
        }
    }

    fun kind(kind: EncounterKind) = change { copy(kind = kind) }

    fun who(participant: String?) {
        change { copy(participant = participant, choosing = false) }
        note.alias = state.value.people.firstOrNull { it.id == participant }?.alias
    }

    fun choose() = change { copy(choosing = true) }

    /** One tap offers it, taken; another tap takes it off again. */
    fun offer(resource: Resource) = change {
        val has = offers.any { it.resource.id == resource.id }
        copy(offers = if (has) offers.filter { it.resource.id != resource.id } else offers + Offered(resource, Outcome.ACCEPTED))
    }

    /** What they said. Only their word sets it. */
    fun outcome(resource: Resource, outcome: Outcome) = change {
        copy(offers = offers.map { if (it.resource.id == resource.id) it.copy(outcome = outcome, keepRefusal = false) else it })
    }

    fun quantity(resource: Resource, quantity: Int) = change {
        copy(offers = offers.map { if (it.resource.id == resource.id) it.copy(quantity = quantity.coerceIn(1, 99)) else it })
    }

    /** They asked that the refusal be kept with them. */
    fun keepRefusal(resource: Resource, keep: Boolean) = change {
        copy(offers = offers.map { if (it.resource.id == resource.id) it.copy(keepRefusal = keep) else it })
    }

    fun save() = act {
        val now = state.value
        val offers = now.offers.map { OfferDraft(it.resource.id, it.quantity.toUShort(), it.outcome, it.keepRefusal) }
        val id = repository.saveEncounter(EncounterDraft(now.kind, now.participant, null, offers, note.orNull())).orShow()
        if (id == null) {
            note.look()
            return@act
        }
        change { copy(saved = id, choosing = false) }
    }

    /** Erases what was just saved, here and on every phone that got it. The anonymous count stays. */
    fun undo() = act {
        repository.undoEncounter(state.value.saved ?: return@act).orShow() ?: return@act
        change { copy(saved = null, undone = true) }
    }

    /** It was somebody else: what was saved is erased, and the form is open again for the right person. */
    fun wrongPerson() = act {
        repository.undoEncounter(state.value.saved ?: return@act).orShow() ?: return@act
        change { copy(saved = null, participant = null, choosing = true) }
    }

    /** Keeps the words under a yes of their own, asked for now. */
    fun recordUnderGrant(finding: org.satchel.demo.repository.Finding) {
        val participant = state.value.participant ?: return
        val words = note.words(finding)
        val category = note.category(finding) ?: return
        note.replace(finding, "")
        app.go(Place.Ask(participant, category, words))
    }

    fun done() {
        if (!app.back()) app.replace(Place.Today)
    }
}

/** What a team can offer, offline, and what each provider asks in return. */
class FindModel(app: App, text: String) : Model<FindModel.State>(app, State(text = text)) {
    data class State(
        val text: String = "",
        val category: ResourceCategory? = null,
        val without: Set<Demand> = emptySet(),
        val openNow: Boolean = false,
        val found: List<Resource> = emptyList(),
        val open: String? = null,
    )

    override fun load() {
        loading {
            val now = state.value
            val found = repository.find(now.text, now.category, now.without.toList(), now.openNow).orShow().orEmpty()
            change { copy(found = found) }
        }
    }

    fun type(text: String) = set { copy(text = text) }
    fun category(category: ResourceCategory?) = set { copy(category = if (category == this.category) null else category) }
    fun without(demand: Demand) = set { copy(without = if (demand in without) without - demand else without + demand) }
    fun openNow(only: Boolean) = set { copy(openNow = only) }
    fun open(resource: Resource) = change { copy(open = if (open == resource.id) null else resource.id) }

    private fun set(next: State.() -> State) {
        change(next)
        load()
    }
}

/** What was promised. */
class FollowUpsModel(app: App) : Model<FollowUpsModel.State>(app, State()) {
    data class State(val promised: List<Promised> = emptyList())

    override fun load() {
        loading {
            val promised = promises(app)
            change { State(promised) }
        }
    }

    fun done(promise: Promised) = set(promise, FollowUpState.DONE)
    fun dropped(promise: Promised) = set(promise, FollowUpState.DROPPED_BY_PARTICIPANT)

    private fun set(promise: Promised, next: FollowUpState) = act {
        repository.setFollowUp(promise.id, next).orShow()
        load()
    }
}
