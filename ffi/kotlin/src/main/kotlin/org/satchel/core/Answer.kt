package org.satchel.core

import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext

/**
 * What a call came to: [Done] with its value, or [Failed] with the one error that all calls share.
 *
 * `when` over an answer and over [FfiException] is complete without `else`.
 */
sealed interface Answer<out T> {
    /** The call did what it says; what it wrote is on disk. */
    data class Done<T>(val value: T) : Answer<T>

    /** Nothing was changed. `code` and `remedy` of the [error] are stable; the app words them in the user's language. */
    data class Failed(val error: FfiException) : Answer<Nothing>
}

/** The value, or null after a failure. */
fun <T> Answer<T>.valueOrNull(): T? = when (this) {
    is Answer.Done -> value
    is Answer.Failed -> null
}

/**
 * Runs blocking calls of this library off the caller's thread and answers instead of throwing.
 *
 * A call that has begun runs to its end: each is one transaction. Cancelling the caller takes effect after it.
 * Any thread may call; calls on one store wait for each other. Other exceptions are faults of the app and pass through.
 *
 * ```
 * when (val answer = answer { unlocked.eraseParticipant(participant) }) {
 *     is Answer.Done -> show(answer.value)
 *     is Answer.Failed -> explain(answer.error)
 * }
 * ```
 */
suspend fun <T> answer(dispatcher: CoroutineDispatcher = Dispatchers.IO, call: () -> T): Answer<T> =
    withContext(dispatcher) {
        try {
            Answer.Done(call())
        } catch (error: FfiException) {
            Answer.Failed(error)
        }
    }

/** Gives secret bytes (a paper's words, a code, a passphrase) to [use] and overwrites them after it, however it ends. */
inline fun <T> ByteArray.useAndWipe(use: (ByteArray) -> T): T =
    try {
        use(this)
    } finally {
        fill(0)
    }
