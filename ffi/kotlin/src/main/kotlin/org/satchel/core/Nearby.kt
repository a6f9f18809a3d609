package org.satchel.core

import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.channels.awaitClose
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.callbackFlow
import kotlinx.coroutines.flow.flowOn
import kotlinx.coroutines.launch

/**
 * Finds colleagues' phones on the local network and meets them, several at once, for as long as the flow is collected.
 *
 * Android: hold a `WifiManager.MulticastLock` meanwhile. Ending the collection lets the sessions under way end first.
 * Fails with [FfiException.Sync] where nobody can be looked for (dial an address by hand instead), [FfiException.Locked].
 */
fun Unlocked.meetNearby(listen: String = "0.0.0.0:0"): Flow<NearbyEvent> = callbackFlow {
    val lookout = lookout(listen)
    // on a thread of its own: the flow's own one has to be free to end it
    val meeting = launch(Dispatchers.IO) {
        try {
            lookout.meet(object : NearbyObserver {
                override fun happened(event: NearbyEvent) {
                    trySend(event)
                }
            })
            close()
        } catch (error: FfiException) {
            close(error)
        }
    }
    awaitClose {
        lookout.stop()
        meeting.invokeOnCompletion { lookout.close() }
    }
}.flowOn(Dispatchers.IO)
