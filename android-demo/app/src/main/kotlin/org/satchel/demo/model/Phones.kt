package org.satchel.demo.model

import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Job
import kotlinx.coroutines.flow.catch
import kotlinx.coroutines.flow.collect
import org.satchel.demo.repository.DeviceLine
import org.satchel.demo.repository.Fault
import org.satchel.demo.repository.Removal
import org.satchel.demo.repository.Role
import org.satchel.demo.repository.Standing
import org.satchel.demo.repository.valueOrNull

/** People and phones. */
class TeamModel(app: App) : Model<TeamModel.State>(app, State()) {
    data class Phone(val device: DeviceLine, val heardDaysAgo: Long?)
    data class State(val phones: List<Phone> = emptyList(), val maySteward: Boolean = false, val isPaperKept: Boolean = false, val hasBoard: Boolean = true)

    override fun load() {
        loading {
            val team = repository.team().orShow() ?: return@loading
            val today = repository.today().orShow() ?: return@loading
            val phones = team.devices.filter { it.standing != Standing.REMOVED }.map { line -> Phone(line, line.lastHeard?.let { -daysFrom(today, it) }) }
            val kept = repository.reseatPaper().orShow() != null
            val hasBoard = repository.boardStatus().orShow()?.words != null
            change { State(phones, team.devices.any { it.isSelf && it.role == Role.STEWARD }, kept, hasBoard) }
        }
    }

    fun invite() = app.go(Place.Invite)
    fun paper() = app.go(Place.Paper)
    fun offer() = app.go(Place.Offer)
    fun pair() = app.go(Place.Pair)
    fun nameBoard() = app.go(Place.NameBoard)
    fun remove(phone: Phone) = app.go(Place.Remove(phone.device.id))
}

/** Removing a lost phone, in two steps. */
class RemoveModel(app: App, private val device: String) : Model<RemoveModel.State>(app, State()) {
    data class State(val removal: Removal? = null, val isDone: Boolean = false)

    override fun load() {
        if (state.value.removal != null) return
        loading {
            val removal = repository.prepareRemoval(device).orShow() ?: return@loading
            change { State(removal) }
        }
    }

    /** The second step. */
    fun confirm() = act {
        val removal = state.value.removal ?: return@act
        repository.confirmRemoval(removal).orShow() ?: return@act
        change { State(null, true) }
        app.back()
    }

    fun keep() {
        app.back()
    }
}

/** An invitation: a QR code, or words to be typed where a camera is broken; then four words that both people compare. */
class InviteModel(app: App) : Model<InviteModel.State>(app, State()) {
    enum class Step { CHOOSE, SHOW, COMPARE, DONE }
    data class State(
        val step: Step = Step.CHOOSE,
        val role: Role = Role.WORKER,
        val qr: String? = null,
        val code: String? = null,
        val address: String = "",
        val words: List<String> = emptyList(),
        val differed: Boolean = false,
    )

    private var agreed = CompletableDeferred<Boolean>()

    fun role(role: Role) = change { copy(role = role) }

    fun invite(byCode: Boolean) = act {
        val address = CompletableDeferred<String>()
        val role = state.value.role
        val shown = reading {
            val at = address.await()
            val invitation = (if (byCode) repository.inviteByCode(role) else repository.invite(role, at)).orShow()
            if (invitation != null) {
                pending.complete(invitation)
                change { copy(step = Step.SHOW, qr = invitation.text?.let { "$it $at" }, code = invitation.code, address = at) }
            }
        }
        pending = CompletableDeferred()
        val carrier = app.platform.accept { address.complete(it) }
        if (carrier == null) {
            shown.cancel()
            fail(Fault(Fault.Kind.SYNC, "connection_lost", "try_later"))
            change { copy(step = Step.CHOOSE) }
            return@act
        }
        agreed = CompletableDeferred()
        val done = repository.host(pending.await(), carrier) { words ->
            change { copy(step = Step.COMPARE, words = words) }
            agreed.await()
        }.orShow()
        change { copy(step = if (done == true) Step.DONE else Step.CHOOSE, qr = null, code = null, words = emptyList(), differed = done == false) }
    }

    private var pending = CompletableDeferred<org.satchel.demo.repository.Invitation>()

    /** What both people said about the words. */
    fun agree(same: Boolean) {
        agreed.complete(same)
    }

    fun done() {
        app.back()
    }
}

/** What waits, and when this phone last met another one. */
class SyncModel(app: App) : Model<SyncModel.State>(app, State()) {
    data class State(val waiting: Int = 0, val lastContactDaysAgo: Long? = null, val isLooking: Boolean = false, val met: Int = 0, val brought: Int = 0, val requests: Int? = null)

    var relay = ""
    var mailbox = ""
    private var looking: Job? = null

    override fun load() {
        loading {
            val waiting = repository.waiting().orShow() ?: return@loading
            val today = repository.today().orShow() ?: return@loading
            val last = repository.team().orShow()?.lastContact
            change { copy(waiting = waiting, lastContactDaysAgo = last?.let { -daysFrom(today, it) }) }
        }
    }

    /** Looks for colleagues' phones on this network until told to stop. */
    fun look(on: Boolean) {
        looking?.cancel()
        looking = null
        change { copy(isLooking = on) }
        if (!on) return
        looking = reading {
            repository.meetNearby().catch { fail(Fault(Fault.Kind.SYNC, "nearby_unavailable", "try_later")) }.collect { brought ->
                if (brought != null) change { copy(met = met + 1, brought = this.brought + brought.toInt()) }
                load()
            }
            change { copy(isLooking = false) }
        }
    }

    fun setRelay() = act {
        repository.setRelay(relay.trim(), mailbox.trim()).orShow()
    }

    fun exchange() = act {
        val report = repository.exchange(byHand = true).orShow() ?: return@act
        change { copy(requests = report.requests.toInt(), brought = brought + report.pulled.toInt()) }
        load()
    }
}

/** What can be set on this phone. */
class SettingsModel(app: App) : Model<SettingsModel.State>(app, State()) {
    data class State(val changed: Boolean = false)

    fun team() = app.go(Place.TeamPage)
    fun erase() = app.go(Place.Erase)
    fun lock() = app.lock()
    fun addNotebook() {
        app.lock()
        app.go(Place.Welcome)
    }

    fun changePassphrase(passphrase: ByteArray) = act {
        if (passphrase.size < CreateModel.LEAST_PASSPHRASE_BYTES) {
            passphrase.fill(0)
            fail(Fault(Fault.Kind.INPUT, "passphrase_short", "correct_input"))
            return@act
        }
        repository.changePassphrase(passphrase).orShow() ?: return@act
        change { State(true) }
    }
}

/** Erasing this notebook from this phone: the worker's decision, in two steps, never automatic. */
class EraseModel(app: App) : Model<EraseModel.State>(app, State()) {
    data class State(val isSure: Boolean = false, val keysStay: Boolean = false)

    fun sure() = change { copy(isSure = true) }

    fun erase() = act {
        app.erasing()
        val erased = repository.notebook
        val gone = repository.eraseNotebook(erased).orShow() ?: return@act
        app.quickPin.forget(erased)
        if (gone) app.restart() else change { copy(keysStay = true) }
    }

    fun keep() {
        app.back()
    }
}
