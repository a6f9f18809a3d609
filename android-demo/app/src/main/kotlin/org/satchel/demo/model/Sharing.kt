package org.satchel.demo.model

import kotlinx.coroutines.CompletableDeferred
import org.satchel.demo.repository.Fact
import org.satchel.demo.repository.Fault
import org.satchel.demo.repository.PairingText
import org.satchel.demo.repository.Reply
import org.satchel.demo.repository.ShareClass
import org.satchel.demo.repository.SharePlan

private val lost = Fault(Fault.Kind.SYNC, "connection_lost", "try_later")

/** The recipient's side of a pairing: an offer that the other team's phone scans. */
class OfferModel(app: App) : Model<OfferModel.State>(app, State()) {
    data class State(val offer: PairingText? = null)

    /** How the other team is called here. */
    val name = GuardedText(app)

    fun offer() = act {
        val offer = repository.showOffer(name.orNull() ?: return@act).orShow()
        if (offer == null) name.look() else change { State(offer) }
    }

    override fun leave() = change { State() }
}

/** Pairing with a recipient who stands there: what their phone shows is scanned, and six words are compared. */
class PairModel(app: App) : Model<PairModel.State>(app, State()), Scanning {
    data class State(val scanned: String = "", val kind: ShareClass = ShareClass.SERVICE, val words: List<String> = emptyList(), val differed: Boolean = false)

    val name = GuardedText(app)
    private var agreed = CompletableDeferred<Boolean>()

    override fun scanned(text: String) = change { copy(scanned = text.trim()) }
    fun kind(kind: ShareClass) = change { copy(kind = kind) }

    fun pair() = act {
        agreed = CompletableDeferred()
        val done = repository.pair(name.orNull() ?: return@act, state.value.kind, state.value.scanned) { words ->
            change { copy(words = words, differed = false) }
            agreed.await()
        }
        change { copy(words = emptyList(), differed = done is Reply.Done && done.value == null) }
        val isPaired = done.orShow() != null
        if (isPaired) app.back() else name.look()
    }

    fun agree(same: Boolean) {
        agreed.complete(same)
    }

    override fun leave() {
        agreed.complete(false)
    }
}

/** Giving what one yes covers to the one recipient that it names, from this phone to theirs. */
class ShareModel(app: App, private val participant: String, private val grant: String) : Model<ShareModel.State>(app, State()) {
    data class State(val plan: SharePlan? = null, val address: String? = null, val isGiven: Boolean = false)

    override fun load() {
        if (state.value.address != null || state.value.isGiven) return
        loading {
            val plan = repository.sharePlan(participant, grant).orShow() ?: return@loading
            change { copy(plan = plan) }
        }
    }

    /** Waits for their phone; sealed, and written into the sharing log, is only once it is there. */
    fun give() = act {
        val carrier = app.platform.accept { change { copy(address = it) } }
        if (carrier == null) {
            change { copy(address = null) }
            return@act fail(lost)
        }
        carrier.use {
            val packet = repository.share(participant, grant).orShow()
            change { copy(address = null) }
            if (packet == null) return@act
            try {
                it.send(packet)
                change { copy(isGiven = true) }
            } catch (_: java.io.IOException) {
                fail(lost)
            }
        }
    }

    fun done() {
        app.back()
    }
}

/** Taking in what another team gives, and keeping it with somebody's file. */
class TakeModel(app: App, private val participant: String) : Model<TakeModel.State>(app, State()) {
    data class State(val facts: List<Fact>? = null)

    var address = ""
    private var packet: ByteArray? = null

    fun take() = act {
        val carrier = app.platform.dial(address.trim()) ?: return@act fail(lost)
        val received = try {
            carrier.use { it.receive() }
        } catch (_: java.io.IOException) {
            return@act fail(lost)
        }
        val facts = repository.openPacket(received).orShow() ?: return@act
        packet = received
        change { State(facts) }
    }

    /** They want it kept here too. */
    fun keep() = act {
        repository.keepShared(packet ?: return@act, participant).orShow() ?: return@act
        app.back()
    }

    override fun leave() {
        packet = null
        change { State() }
    }
}
