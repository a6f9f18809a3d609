package org.satchel.core

import java.net.ServerSocket
import java.util.concurrent.TimeUnit
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Assertions.fail
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout

/** Networks that cost, and a locked phone that fetches, at a relay that runs as a process of its own. */
@Timeout(150, unit = TimeUnit.SECONDS)
class NetworkTest : Phones() {
    private suspend fun metered(call: suspend () -> Unit) = try {
        call()
        fail("it was sent over a network that costs")
    } catch (error: FfiException.Sync) {
        assertEquals("network_metered" to "try_later", error.code to error.remedy)
    }

    @Test
    fun `a phone waits for a network that costs nothing and shows what went`() = Relay(folder).use { relay ->
        val ana = found("ana")
        ana.setRelay(relay.url, relay.mailbox, relay.claim)
        runBlocking(Dispatchers.Default) {
            ana.exchangeWithRelay()
            val first = ana.networkUse()
            assertEquals(NetworkChoice.ANY, first.choice)
            assertEquals(ana.today(), first.days.single().day)
            assertTrue(first.days.single().sent > 100u && first.days.single().received > 100u, "control: what went is counted")

            ana.chooseNetworks(NetworkChoice.UNMETERED_ONLY)
            for (network in listOf(Network.UNKNOWN, Network.METERED)) {
                ana.store().noteNetwork(network)
                assertTrue(ana.networkUse().isSpared)
                metered { ana.exchangeWithRelay() }
                metered { ana.syncWithRelay() }
                assertTrue(ana.stayInTouch().first().phase is LivePhase.Spared)
            }
            assertEquals(first.bytes, ana.networkUse().bytes, "nothing went")
            ana.exchangeWithRelay(byHand = true)
            val byHand = ana.networkUse().bytes
            assertTrue(byHand > first.bytes, "a button sends all the same, and it is counted")
            ana.store().noteNetwork(Network.UNMETERED)
            ana.exchangeWithRelay()
            ana.noteRelayBytes(1_000u, 2_000u)
            assertTrue(ana.networkUse().bytes > byHand + 3_000u)
            assertFalse(ana.networkUse().isSpared)
        }
    }

    @Test
    fun `a locked phone fetches what it cannot read and has it when unlocked`() = Relay(folder).use { relay ->
        val keystore = MemoryProtector()
        val ana = found("ana", keystore)
        ana.setRelay(relay.url, relay.mailbox, relay.claim)
        runBlocking(Dispatchers.Default) {
            ana.exchangeWithRelay()
            val ben = join(ana, "ben")
            for (phone in listOf(ana, ben, ana)) phone.exchangeWithRelay()
            val store = ana.store()
            assertNull(store.fetchLocked(keystore), "off unless switched on")
            ana.switchLockedInbox(true)
            assertTrue(ana.hasLockedInbox())
            store.lock()
            val nothing = store.fetchLocked(keystore)!!
            assertEquals(InboxEnd.UP_TO_DATE, nothing.end)
            val blue = ben.newParticipant("Blue")
            ben.exchangeWithRelay()
            val fetched = store.fetchLocked(keystore)!!
            assertEquals(InboxEnd.UP_TO_DATE, fetched.end)
            assertTrue(fetched.waiting.rows > 0u && fetched.waiting.bytes >= fetched.waiting.rows * 512u, "${fetched.waiting}")
            assertEquals(fetched, store.fetchLocked(keystore), "asked again, nothing comes twice")

            val again = store.unlock(passphrase, keystore)
            assertEquals(blue, again.participants().single().id, "without asking the relay")
            val report = again.openedInbox()
            assertTrue(report.applied > 0u && !report.isDamaged, "$report")
            assertTrue(again.networkUse().days.single().received > fetched.waiting.bytes, "the bytes count")
            val open = store.lockedInbox(keystore)!!.use { inbox -> inbox.carryNext() to inbox.end() }
            assertEquals(false to InboxEnd.NOT_LOCKED, open)

            again.chooseNetworks(NetworkChoice.UNMETERED_ONLY)
            store.lock()
            metered { store.fetchLocked(keystore) }
            store.noteNetwork(Network.UNMETERED)
            assertEquals(InboxEnd.UP_TO_DATE, store.fetchLocked(keystore)!!.end)
            // the same with the app's own HTTP: what the relay would answer, a refusal
            store.lockedInbox(keystore)!!.use { inbox ->
                assertEquals("/v1/pull", inbox.nextRequest()!!.path)
                inbox.receiveProblem("refused")
                assertEquals(InboxEnd.KEYS_CHANGED, inbox.end())
            }
            val unlocked = store.unlock(passphrase, keystore)
            unlocked.switchLockedInbox(false)
            store.lock()
            assertNull(store.fetchLocked(keystore))
        }
    }

    @Test
    fun `without a keystore there is no inbox and cancelling ends a fetch that hangs`() = runBlocking(Dispatchers.Default) {
        try {
            ben().switchLockedInbox(true)
            fail("its credential would lie open beside the store")
        } catch (error: FfiException.Storage) {
            assertEquals("keystore_unsupported", error.code)
        }
        val keystore = MemoryProtector()
        val ana = found("ana", keystore)
        ServerSocket(0).use { silent ->
            ana.setRelay("http://127.0.0.1:${silent.localPort}", "box_" + "a".repeat(26))
            ana.switchLockedInbox(true)
            val store = ana.store()
            store.lock()
            val fetching = launch { store.fetchLocked(keystore) }
            // it is taken, and never answered: a minute's patience
            silent.accept().use { withTimeout(10_000) { fetching.cancelAndJoin() } }
            assertTrue(fetching.isCancelled)
        }
        keystore.isBroken = true
        try {
            ana.store().fetchLocked(keystore)
            fail("the keystore does not unwrap")
        } catch (error: FfiException.Storage) {
            assertEquals("keystore_refused", error.code)
        }
    }

    private fun ben() = found("ben")
}
