package org.satchel.core

import java.net.ServerSocket
import java.util.concurrent.TimeUnit
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.onEach
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Assertions.fail
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout

/** A phone that stays in touch with a relay that runs as a process of its own. A wait takes 50 s: ending must not. */
@Timeout(150, unit = TimeUnit.SECONDS)
class LiveTest : Phones() {
    private fun withRelay(test: suspend CoroutineScope.(Unlocked) -> Unit) = Relay(folder).use { relay ->
        val ana = found("ana")
        ana.setRelay(relay.url, relay.mailbox, relay.claim)
        runBlocking(Dispatchers.Default) { test(ana) }
    }

    private val LiveState.isListening get() = phase is LivePhase.Listening && unsent == 0u

    @Test
    fun `what is saved leaves by itself and is told`() = withRelay { ana ->
        ana.exchangeWithRelay()
        val ben = join(ana, "ben")
        val blue = ana.newParticipant("Blue")
        val wasWaiting = CompletableDeferred<UInt>()
        // the observer calls the store from within
        val state = ana.stayInTouch().onEach { if (it.unsent > 0u) wasWaiting.complete(ana.waiting().unsent) }.first { it.isListening }
        assertTrue(wasWaiting.await() > 0u)
        assertTrue(state.relayAt != null)
        ben.exchangeWithRelay()
        assertEquals(blue, ben.participants().single().id)
    }

    @Test
    fun `locking the store ends it in the middle of a wait`() = withRelay { ana ->
        val live = ana.liveSync()
        val waits = CompletableDeferred<Unit>()
        val touch = async {
            try {
                live.states().collect { if (it.isListening) waits.complete(Unit) }
                fail("it ended as if it had been stopped")
            } catch (error: FfiException.Locked) {
                error.code
            }
        }
        waits.await()
        ana.store().lock()
        withTimeout(10_000) { assertEquals("locked", touch.await()) }
        assertThrows(FfiException.Locked::class.java) { ana.liveSync() }
    }

    @Test
    fun `cancelling ends whatever blocks and a relay that is away is told`() = runBlocking(Dispatchers.Default) {
        val ana = found("ana")
        ServerSocket(0).use { silent ->
            ana.setRelay("http://127.0.0.1:${silent.localPort}", "box_" + "a".repeat(26))
            for (call in listOf<suspend () -> Unit>({ ana.exchangeWithRelay() }, { ana.stayInTouch().collect {} })) {
                val calling = launch { call() }
                // it is taken, and never answered: a minute's patience
                silent.accept().use { withTimeout(10_000) { calling.cancelAndJoin() } }
                assertTrue(calling.isCancelled)
            }
        }
        val live = ana.liveSync()
        val away = live.states().first { it.phase is LivePhase.Unreachable }.phase as LivePhase.Unreachable
        assertEquals("try_later", away.remedy)
        assertTrue(away.since > 1_700_000_000u && away.retryAt >= away.since)
        val over = assertThrows(FfiException.InvalidInput::class.java) { runBlocking { live.states().collect {} } }
        assertEquals("live_over", over.code)
        for (route in listOf(RelayRoute(pin = "sha256//AAAA"), RelayRoute(proxy = "socks5://127.0.0.1:9050"))) {
            val wrong = assertThrows(FfiException.InvalidInput::class.java) { ana.liveSync(route) }
            assertEquals(if (route.pin == null) "proxy" else "pin", wrong.field)
        }
        assertFalse(ana.liveSync(RelayRoute(proxy = "socks5h://127.0.0.1:9050")).use { it.toString() }.contains("9050"))
    }
}
