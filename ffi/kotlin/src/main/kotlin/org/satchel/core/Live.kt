package org.satchel.core

import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.channels.awaitClose
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.buffer
import kotlinx.coroutines.flow.callbackFlow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.emitAll
import kotlinx.coroutines.flow.flowOn
import kotlinx.coroutines.launch

/**
 * Stays in touch with the team's relay for as long as this is collected, once, and says how it stands. Of states that a slow
 * collector has not seen, it gets the newest: each says everything.
 *
 * Cancelling ends it at once, in the middle of whatever it waits for; so does locking the store, with [FfiException.Locked].
 * A relay that is away is a [LivePhase.Unreachable] and no failure. `hurry`, `hold` and `stop` may be called meanwhile.
 */
fun LiveSync.states(): Flow<LiveState> = callbackFlow {
    // on a thread of its own: the flow's own one has to be free to end it
    val touch = launch(Dispatchers.IO) {
        try {
            run(object : LiveObserver {
                override fun stands(state: LiveState) {
                    trySend(state)
                }
            })
            close()
        } catch (error: FfiException) {
            close(error)
        }
    }
    awaitClose {
        stop()
    }
}.buffer(Channel.CONFLATED).flowOn(Dispatchers.IO)

/**
 * [states] of a new [LiveSync] by [route]: `unlocked.stayInTouch().collect { show(it) }`. Keep a [LiveSync] of your own for
 * a button that hurries it, or for `hold`.
 */
fun Unlocked.stayInTouch(route: RelayRoute = RelayRoute()): Flow<LiveState> = flow {
    liveSync(route).use { live -> emitAll(live.states()) }
}.flowOn(Dispatchers.IO)
