package org.satchel.core

import java.io.InputStream
import java.io.OutputStream
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext

/**
 * One whole exchange with the team's relay by [route], off the caller's thread. [progress] is told after each request.
 * [byHand]: over any network, because somebody pressed a button; otherwise a phone that waits for a network that costs
 * nothing throws [FfiException.Sync] with `network_metered`, and nothing was sent.
 *
 * Cancelling ends it at once, also in the middle of a request; what was accepted is kept, and the next exchange
 * goes on from there. Throws [FfiException.Sync] (try later), [FfiException.InvalidInput] where no relay is set,
 * [FfiException.Locked], [FfiException.Storage].
 */
suspend fun Unlocked.exchangeWithRelay(
    route: RelayRoute? = null,
    byHand: Boolean = false,
    progress: (RelayReport) -> Unit = {},
): RelayReport = withContext(Dispatchers.IO) {
    relayExchange(route, byHand).use { exchange ->
        endingWith(exchange::cancel) {
            while (exchange.carryNext()) {
                progress(exchange.report())
                ensureActive()
            }
            exchange.report()
        }
    }
}

/** Runs [work], which blocks its thread in requests; when the caller is cancelled, [end] ends the one under way. */
internal suspend fun <T> endingWith(end: () -> Unit, work: CoroutineScope.() -> T): T = coroutineScope {
    // a request blocks this thread: another one ends it
    val watch = launch(start = CoroutineStart.UNDISPATCHED) {
        try {
            awaitCancellation()
        } finally {
            end()
        }
    }
    try {
        work()
    } catch (error: FfiException.Sync) {
        ensureActive()
        throw error
    } finally {
        watch.cancel()
    }
}

/** Bytes of one portion of a session, and of one read of a file. */
private const val PORTION_BYTES = 64 * 1024

/**
 * Runs this side of a session over a connection to the colleague's phone (a Bluetooth or TCP socket's streams), off the
 * caller's thread, and returns when both sides have said all they had.
 *
 * To cancel, close the connection: a blocked read ends, and what was accepted is kept. However this ends, the session is
 * over and closed. Throws [FfiException] and the connection's `IOException`.
 */
suspend fun PeerSession.runOver(input: InputStream, output: OutputStream): SessionReport = withContext(Dispatchers.IO) {
    use { session ->
        val buffer = ByteArray(PORTION_BYTES)
        fun send() {
            while (true) output.write(session.transmit(PORTION_BYTES.toUInt()) ?: break)
            output.flush()
        }
        while (true) {
            send()
            if (session.isFinished()) break
            val count = input.read(buffer)
            if (count < 0) {
                session.abandon()
                break
            }
            try {
                session.receive(buffer.copyOf(count))
            } catch (error: FfiException) {
                // the other side is told why, where it can still be told anything
                runCatching { send() }
                throw error
            }
        }
        session.report()
    }
}

/**
 * Writes everything this phone holds for the team into [file], sealed. The caller closes the stream.
 *
 * Throws [FfiException.Sync] with `pack_overtaken` when the keys changed meanwhile: throw the file away, begin again.
 */
suspend fun Unlocked.writePackTo(file: OutputStream) = withContext(Dispatchers.IO) {
    writePack().use { pack ->
        while (true) {
            file.write(pack.nextBytes() ?: break)
            currentCoroutineContext().ensureActive()
        }
        file.flush()
    }
}

/**
 * Reads a pack out of [file]. What each portion brought is on disk; reading it twice changes nothing.
 *
 * Throws [FfiException.Sync]: `pack_older` (ask for a new one), `pack_unknown` (meet a colleague's phone first),
 * `pack_damaged`; what came before is kept.
 */
suspend fun Unlocked.readPackFrom(file: InputStream): PackReport = withContext(Dispatchers.IO) {
    readPack().use { pack ->
        val buffer = ByteArray(PORTION_BYTES)
        while (true) {
            val count = file.read(buffer)
            if (count < 0) break
            pack.receive(buffer.copyOf(count))
            currentCoroutineContext().ensureActive()
        }
        pack.finish()
    }
}
