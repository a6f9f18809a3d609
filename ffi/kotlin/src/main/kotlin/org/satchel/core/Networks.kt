package org.satchel.core

import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.withContext

/** What a settings screen says about networks that cost: the [choice], whether it keeps the phone waiting, and what went. */
data class NetworkUse(
    /** Over which networks the relay is reached by itself. */
    val choice: NetworkChoice,
    /** Nothing is sent for now, because this network may cost. */
    val isSpared: Boolean,
    /** Bytes by day, newest first, at most a month. */
    val days: List<TrafficDay>,
) {
    /** Bytes sent and received in those days. */
    val bytes: ULong get() = days.fold(0uL) { sum, day -> sum + day.sent + day.received }
}

/** How the relay is reached and what that has used, off the caller's thread. Throws [FfiException.Locked]. */
suspend fun Unlocked.networkUse(): NetworkUse = withContext(Dispatchers.IO) { NetworkUse(networkChoice(), isSpared(), relayTraffic()) }

/** What a locked phone's fetching came to: why it ended, and what waits, sealed, for the unlocking. */
data class Fetched(val end: InboxEnd?, val waiting: InboxWaiting)

/**
 * Fetches sealed rows while the store is locked, by [route], off the caller's thread; null where nobody switched the inbox on,
 * or no relay is set. No passphrase is asked for, and nothing that comes can be read before the unlocking. For a
 * `WorkManager` job; `noteNetwork` first.
 *
 * Cancelling ends it at once; what came is kept. Throws [FfiException.Sync] (try later; `network_metered` where the phone waits
 * for a network that costs nothing), [FfiException.Storage] for a keystore that does not unwrap.
 */
suspend fun Store.fetchLocked(protector: KeyProtector, route: RelayRoute? = null): Fetched? = withContext(Dispatchers.IO) {
    lockedInbox(protector, route)?.use { inbox ->
        endingWith(inbox::cancel) {
            while (inbox.carryNext()) ensureActive()
            Fetched(inbox.end(), inbox.waiting())
        }
    }
}
