package org.satchel.demo.model

import java.time.LocalDate
import java.time.temporal.ChronoUnit
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.collect
import kotlinx.coroutines.flow.conflate
import kotlinx.coroutines.launch
import org.satchel.demo.repository.Carrier
import org.satchel.demo.repository.GatedCategory
import org.satchel.demo.repository.Repository
import org.satchel.demo.repository.Resource

/** What only the platform can do for the models. */
interface Platform {
    /** Waits for one phone that calls, and says first where it can be called. Null: no connection can be had. */
    suspend fun accept(listening: (String) -> Unit): Carrier?
    suspend fun dial(address: String): Carrier?
    /** The starter list of supplies in the user's language. */
    fun starters(): List<Pair<String, org.satchel.demo.repository.ResourceCategory>>
    fun timeZone(): String
    /** Two lower-case letters (ISO 639-1). */
    fun language(): String
    /** The store was opened or locked: the notification and the background work follow. */
    fun openedOrLocked(isOpen: Boolean)
    /** The phone's screen reads this out. */
    fun readAloud(text: String, language: String)
    /** Says nothing more: the page that it read is left. */
    fun stopReading()
    fun moment(): Moment
}

/** Where in the app one is. */
sealed interface Place {
    data object Welcome : Place
    data object Create : Place
    data object Join : Place
    data class Unlock(val notebook: Int) : Place
    data object Today : Place
    data class NewEncounter(val participant: String? = null) : Place
    data object People : Place
    data object NewPerson : Place
    data class Person(val id: String) : Place
    data class Edit(val id: String) : Place
    data class Find(val text: String = "") : Place
    data object FollowUps : Place
    data class Ask(val participant: String, val category: GatedCategory? = null, val words: String = "") : Place
    data class Hold(val participant: String) : Place
    data object TeamPage : Place
    data object Paper : Place
    data object Offer : Place
    data object Pair : Place
    data class Share(val participant: String, val grant: String) : Place
    data class Take(val participant: String) : Place
    data object NameBoard : Place
    data object Invite : Place
    data class Remove(val device: String) : Place
    data object Sync : Place
    data object Settings : Place
    data object Erase : Place
    data object Complain : Place
    data object Inbox : Place
}

/** The whole app without its screens: where one is, what is open, and the way back. */
class App(
    val repository: Repository,
    val platform: Platform,
    val scope: CoroutineScope,
    val guardPauseMillis: Long = 300,
    private val lookMillis: Long = 5_000,
) {
    val quickPin = QuickPin(platform::moment)
    private val back = ArrayDeque<Pair<Place, Model<*>>>()
    private val here = MutableStateFlow<Pair<Place, Model<*>>>(start().let { it to modelOf(it) })
    /** The place and its model. */
    val place: StateFlow<Pair<Place, Model<*>>> = here.asStateFlow()
    private var watching: Job? = null

    private fun start(): Place = repository.notebooks().let { if (it.isEmpty()) Place.Welcome else Place.Unlock(it.first()) }

    private fun modelOf(place: Place): Model<*> = when (place) {
        Place.Welcome -> WelcomeModel(this)
        Place.Create -> CreateModel(this)
        Place.Join -> JoinModel(this)
        is Place.Unlock -> UnlockModel(this, place.notebook)
        Place.Today -> TodayModel(this)
        is Place.NewEncounter -> EncounterModel(this, place.participant)
        Place.People -> PeopleModel(this)
        Place.NewPerson -> NewPersonModel(this)
        is Place.Person -> PersonModel(this, place.id)
        is Place.Edit -> EditModel(this, place.id)
        is Place.Find -> FindModel(this, place.text)
        Place.FollowUps -> FollowUpsModel(this)
        is Place.Ask -> AskModel(this, place.participant, place.category, place.words)
        is Place.Hold -> HoldModel(this, place.participant)
        Place.TeamPage -> TeamModel(this)
        Place.Paper -> PaperModel(this)
        Place.Offer -> OfferModel(this)
        Place.Pair -> PairModel(this)
        is Place.Share -> ShareModel(this, place.participant, place.grant)
        is Place.Take -> TakeModel(this, place.participant)
        Place.NameBoard -> NameBoardModel(this)
        Place.Invite -> InviteModel(this)
        is Place.Remove -> RemoveModel(this, place.device)
        Place.Sync -> SyncModel(this)
        Place.Settings -> SettingsModel(this)
        Place.Erase -> EraseModel(this)
        Place.Complain -> ComplainModel(this)
        Place.Inbox -> InboxModel(this)
    }

    fun go(next: Place) {
        back.addLast(here.value)
        enter(next)
    }

    /** Goes to a place without a way back to this one. */
    fun replace(next: Place) = enter(next)

    private fun enter(next: Place, model: Model<*> = modelOf(next)) {
        val left = here.value.second
        here.value = next to model
        left.leave()
        model.load()
    }

    /** False: there is nowhere to go back to, and the app may leave the screen. */
    fun back(): Boolean {
        val (place, model) = back.removeLastOrNull() ?: return false
        if (model.isKept) enter(place, model) else enter(place)
        return true
    }

    /** A notebook was opened: today is shown, and what arrives is shown as it comes. */
    fun opened() {
        back.clear()
        // there is no other way in yet
        quickPin.passphraseGiven(repository.notebook)
        enter(Place.Today)
        platform.openedOrLocked(true)
        watching?.cancel()
        watching = scope.launch {
            launch {
                while (true) {
                    delay(lookMillis)
                    if (quickPin.isOver(repository.notebook)) lock() else if (repository.lockIfIdle()) locked()
                }
            }
            repository.changes().conflate().collect { here.value.second.load() }
        }
    }

    /** The quick lock: from a button, the notification, the screen going dark. */
    fun lock() {
        repository.lockNow()
        locked()
    }

    /** What was shown is forgotten with the models that held it. */
    fun locked() {
        if (!isOpenPlace(here.value.first)) return
        watching?.cancel()
        back.clear()
        platform.openedOrLocked(false)
        enter(start())
    }

    /** Nobody looks whether it is locked, and nothing is shown anew: it is about to be erased. */
    fun erasing() {
        watching?.cancel()
    }

    /** After an erasure: whatever notebook is left, or the beginning. */
    fun restart() {
        watching?.cancel()
        back.clear()
        platform.openedOrLocked(false)
        enter(start())
    }

    private fun isOpenPlace(place: Place) = when (place) {
        Place.Welcome, is Place.Unlock -> false
        else -> true
    }

    /** The starter list as resources of the team's own. */
    fun starterResources(): List<Resource> = platform.starters().map { (name, category) -> ownResource(repository.resourceId(name), name, category) }
}

fun ownResource(id: String, name: String, category: org.satchel.demo.repository.ResourceCategory) =
    Resource(id, category, name, "", "", null, null, emptyList(), emptyList(), emptyList(), null, emptyList(), emptyList(), "", emptyList(), false, null, null)

/** How far a day lies from today: negative is past. */
fun daysFrom(today: String, day: String): Long = ChronoUnit.DAYS.between(LocalDate.parse(today), LocalDate.parse(day))
