package org.satchel.demo.model

import kotlinx.coroutines.CompletableDeferred
import org.satchel.demo.repository.Fault
import org.satchel.demo.repository.valueOrNull

/** Nothing is here yet: found a team or join one. */
class WelcomeModel(app: App) : Model<Unit>(app, Unit) {
    fun create() = app.go(Place.Create)
    fun join() = app.go(Place.Join)
}

/** Founding a team: [State.paper] holds the words of the reseat paper until somebody wrote them down. */
class CreateModel(app: App) : Model<CreateModel.State>(app, State()) {
    data class State(val paper: List<String> = emptyList())

    var name = ""
    private var written = CompletableDeferred<Boolean>()

    /** The passphrase is wiped. */
    fun create(passphrase: ByteArray, again: ByteArray) = act {
        val same = passphrase.contentEquals(again)
        again.fill(0)
        if (!same || passphrase.size < LEAST_PASSPHRASE_BYTES) {
            passphrase.fill(0)
            fail(Fault(Fault.Kind.INPUT, if (same) "passphrase_short" else "passphrases_differ", "correct_input"))
            return@act
        }
        written = CompletableDeferred()
        repository.createTeam(name.trim(), passphrase, app.platform.timeZone(), app.starterResources()) { words ->
            change { State(words) }
            written.await().also { change { State() } }
        }.orShow() ?: return@act
        // while the words were shown somebody may have locked
        if (repository.isUnlocked()) app.opened() else app.locked()
    }

    /** The words are on paper: the phone forgets them. */
    fun paperWritten() {
        written.complete(true)
    }

    /** Not now: the phone keeps the words, and shows them again under "people and phones". */
    fun paperLater() {
        written.complete(false)
    }

    override fun leave() = paperLater()

    companion object {
        const val LEAST_PASSPHRASE_BYTES = 12
    }
}

/** The words of the reseat paper once more, for as long as nobody wrote them down. */
class PaperModel(app: App) : Model<PaperModel.State>(app, State()) {
    data class State(val words: List<String> = emptyList())

    override fun load() {
        loading {
            val words = repository.reseatPaper().orShow().orEmpty()
            change { State(words) }
        }
    }

    fun written() = act {
        repository.reseatPaperWritten().orShow() ?: return@act
        change { State() }
        app.back()
    }

    fun later() {
        app.back()
    }

    override fun leave() = change { State() }
}

/** Joining: what was scanned or typed, then four words that both people compare. */
class JoinModel(app: App) : Model<JoinModel.State>(app, State()), Scanning {
    data class State(val typing: Boolean = false, val isScanned: Boolean = false, val words: List<String> = emptyList(), val refused: Boolean = false)

    var scanned = ""
    var code = ""
    var address = ""
    var name = ""
    private var agreed = CompletableDeferred<Boolean>()

    override fun scanned(text: String) {
        scanned = text
        change { copy(typing = false, isScanned = true) }
    }

    fun type(typing: Boolean) = change { copy(typing = typing) }

    fun join(passphrase: ByteArray) = act {
        if (passphrase.size < CreateModel.LEAST_PASSPHRASE_BYTES) {
            passphrase.fill(0)
            fail(Fault(Fault.Kind.INPUT, "passphrase_short", "correct_input"))
            return@act
        }
        // the text of an invitation ends with where the other phone listens: "TEXT HOST:PORT"
        val (text, at) = if (state.value.typing) "" to address.trim() else scanned.trim().substringBeforeLast(' ') to scanned.trim().substringAfterLast(' ', "")
        val carrier = app.platform.dial(at)
        if (carrier == null) {
            passphrase.fill(0)
            fail(Fault(Fault.Kind.SYNC, "connection_lost", "try_later"))
            return@act
        }
        agreed = CompletableDeferred()
        val done = repository.join(text.ifEmpty { null }, code, carrier, name.trim(), passphrase) { words ->
            change { copy(words = words) }
            agreed.await()
        }
        change { copy(words = emptyList()) }
        when (done.orShow()) {
            true -> app.opened()
            false -> change { copy(refused = true) }
            null -> {}
        }
    }

    fun agree(same: Boolean) {
        agreed.complete(same)
    }
}

/** A locked notebook. Other members' notebooks are numbers: a lock screen names nobody. */
class UnlockModel(app: App, private val notebook: Int) : Model<UnlockModel.State>(app, State(notebook)) {
    data class State(val notebook: Int, val notebooks: List<Int> = listOf(notebook), val asks: Asks = Asks.PASSPHRASE)

    override fun load() {
        loading {
            val hasPin = repository.hasPin(notebook).valueOrNull() ?: false
            change { State(notebook, repository.notebooks(), app.quickPin.asks(notebook, hasPin)) }
        }
    }

    fun choose(number: Int) = app.replace(Place.Unlock(number))
    fun add() = app.go(Place.Welcome)

    /** The passphrase is wiped. */
    fun unlock(passphrase: ByteArray) = act {
        repository.unlock(notebook, passphrase).orShow() ?: return@act
        app.opened()
    }
}
