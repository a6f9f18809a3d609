package org.satchel.core

import kotlinx.coroutines.channels.awaitClose
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.callbackFlow

/**
 * Changes from the moment of collecting, each list after it is on disk. Ends with the collector.
 *
 * Locking the store ends the changes, not the flow: collect again after unlocking.
 */
fun Unlocked.changes(): Flow<List<Change>> = callbackFlow {
    val subscription = observe(object : ChangeObserver {
        override fun changed(changes: List<Change>) {
            trySend(changes)
        }
    })
    awaitClose {
        subscription.cancel()
        subscription.close()
    }
}
