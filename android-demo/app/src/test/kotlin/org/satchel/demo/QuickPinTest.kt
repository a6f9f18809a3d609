package org.satchel.demo

import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import org.satchel.demo.model.Asks
import org.satchel.demo.model.Moment
import org.satchel.demo.model.QuickPin

/** When a PIN may stand for the passphrase. */
class QuickPinTest {
    private var now = Moment(7, 1_000)
    private val pin = QuickPin { now }
    private val hours = 60 * 60 * 1000L

    private fun asks(notebook: Int = 1) = pin.asks(notebook, hasPin = true)
    private fun later(millis: Long) {
        now = now.copy(elapsedMillis = now.elapsedMillis + millis)
    }

    @Test fun `a new process asks for the passphrase, and then a PIN will do for twelve hours`() {
        assertEquals(Asks.PASSPHRASE, asks())
        pin.pinGiven(1)
        assertEquals("a PIN by itself opens nothing", Asks.PASSPHRASE, asks())
        pin.passphraseGiven(1)
        assertEquals(Asks.PIN, asks())
        later(12 * hours - 1)
        pin.pinGiven(1)
        assertEquals(Asks.PIN, asks())
        assertFalse(pin.isOver(1))
        later(1)
        assertEquals("a PIN lengthens nothing", Asks.PASSPHRASE, asks())
        assertTrue(pin.isOver(1))
        pin.passphraseGiven(1)
        assertEquals(Asks.PIN, asks())
    }

    @Test fun `without hardware that counts tries there is no PIN`() {
        pin.passphraseGiven(1)
        assertEquals(Asks.PASSPHRASE, pin.asks(1, hasPin = false))
        assertEquals(Asks.PIN, pin.asks(1, hasPin = true))
    }

    @Test fun `a restart asks for the passphrase, however it is told`() {
        pin.passphraseGiven(1)
        now = Moment(8, 500_000_000)
        assertEquals(Asks.PASSPHRASE, asks())
        pin.passphraseGiven(1)
        assertEquals(Asks.PIN, asks())
        now = Moment(8, 10)
        assertEquals("time ran back", Asks.PASSPHRASE, asks())
        now = Moment(-1, 20)
        pin.passphraseGiven(1)
        assertEquals("nobody counts the starts", Asks.PASSPHRASE, asks())
    }

    @Test fun `five wrong tries ask for the passphrase, and waiting brings none back`() {
        pin.passphraseGiven(1)
        repeat(4) { pin.wrongPin(1) }
        assertEquals(Asks.PIN, asks())
        pin.pinGiven(1)
        repeat(5) { pin.wrongPin(1) }
        assertEquals(Asks.PASSPHRASE, asks())
        later(11 * hours)
        assertEquals(Asks.PASSPHRASE, asks())
        pin.passphraseGiven(1)
        assertEquals(Asks.PIN, asks())
    }

    @Test fun `one member's passphrase opens no way to another's notebook`() {
        pin.passphraseGiven(1)
        assertEquals(Asks.PASSPHRASE, asks(2))
        pin.passphraseGiven(2)
        repeat(5) { pin.wrongPin(2) }
        assertEquals(listOf(Asks.PIN, Asks.PASSPHRASE), listOf(asks(1), asks(2)))
        pin.forget(1)
        assertEquals(Asks.PASSPHRASE, asks(1))
    }
}
