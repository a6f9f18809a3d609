package org.satchel.core

import java.net.Socket
import kotlinx.coroutines.flow.onEach
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Test

/** Colleagues' phones on the same network. Whether multicast gets through is tried elsewhere, on a network made for it. */
class NearbyTest : Phones() {
    @Test
    fun `colleagues know each other by what they show, strangers do not`() {
        val ana = found("ana")
        val ben = join(ana, "ben")
        val zoe = found("zoe")
        val shown = ana.appearance()
        assertEquals(144, shown.shown.size)
        assertNotNull(ben.recognise(shown.shown))
        assertNull(zoe.recognise(shown.shown))
        assertNull(ben.recognise(byteArrayOf(1, 2, 3)))
        ben.store().lock()
        assertThrows(FfiException.Locked::class.java) { ben.recognise(shown.shown) }
    }

    @Test
    fun `whoever calls the lookout is met, and the flow ends with its collector`() = runBlocking {
        val ana = found("ana")
        val ben = join(ana, "ben")
        ana.newParticipant("Blue")
        val met = withTimeout(60_000) {
            ana.meetNearby("127.0.0.1:0").onEach { event ->
                if (event is NearbyEvent.Listening) {
                    val (host, port) = event.address.split(':')
                    Socket(host, port.toInt()).use { ben.dial().runOver(it.getInputStream(), it.getOutputStream()) }
                }
            }.first { it is NearbyEvent.Met } as NearbyEvent.Met
        }
        assertEquals(ben.device(), met.report.peer)
        assertEquals(listOf("Blue"), ben.participants().map { it.alias })
    }
}
