package org.satchel.core

import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** A sender and a recipient of two teams beside each other, without a camera. */
class PairingTest : Phones() {
    /** Both sides at once, as two phones: what [typed] makes of the words is typed. Returns what either side came to. */
    private suspend fun pair(
        ana: Unlocked,
        elm: Unlocked,
        compare: (List<String>, List<String>) -> Boolean = { theirs, ours -> theirs == ours },
        typed: (String) -> String = { it },
    ): Pair<Result<ShownOffer>, Result<String?>> {
        var code = ""
        var took: Result<String?> = Result.failure(IllegalStateException("nobody called"))
        val showed = runCatching {
            elm.showOfferByCode("Harbor", show = { code = String(it) }) { answer ->
                val words = typed(code).toByteArray()
                took = runCatching {
                    ana.pairByCode("Elm House", ShareClass.SERVICE, words, { answer(it) }) { theirs ->
                        compare(theirs, elm.pairings().single().words)
                    }
                }
                assertTrue(words.all { it == 0.toByte() }, "the words are overwritten")
            }
        }
        return showed to took
    }

    @Test
    fun `three typed words bring the same offer as a picture`() = runBlocking {
        val (ana, elm) = found("ana") to found("elm")
        val (showed, took) = pair(ana, elm) { it.uppercase() }
        val recipient = took.getOrThrow()!!
        assertEquals(recipient, ana.recipients().single().id)
        assertEquals(6, showed.getOrThrow().words().size)
        // what is sealed for the recipient opens there
        val blue = ana.newParticipant("Blue")
        val day = java.time.LocalDate.parse(ana.today()).plusDays(30).toString()
        fun asking(act: ConsentAct, to: String?) = GrantRequest(
            act, listOf(GatedCategory.LEGAL_NAME), to, Purpose.HOUSING_APPLICATION, null, day, HowGiven.SPOKEN, Language.ENGLISH,
        )
        ana.vault(blue, ana.giveGrant(blue, asking(ConsentAct.RECORD, null))).use {
            it.write(listOf(Fact(FactField.LEGAL_NAME, "Maria Gonzalez")))
        }
        val packet = ana.share(blue, ana.giveGrant(blue, asking(ConsentAct.SHARE, recipient)))
        val opened = elm.openPacket(packet.bytes) as OpenedPacket.Facts
        assertEquals("Maria Gonzalez", opened.shared.facts.single().value)
    }

    @Test
    fun `wrong words bring nothing and show only here`() = runBlocking {
        val (ana, elm) = found("ana") to found("elm")
        val (showed, took) = pair(ana, elm) { words -> words.split(' ').reversed().joinToString(" ") }
        val wrong = took.exceptionOrNull() as FfiException.InvalidInput
        assertEquals("share_code" to "pair_in_person", wrong.code to wrong.remedy)
        assertTrue(ana.recipients().isEmpty())
        // the recipient's phone cannot tell: its person sees that the other phone shows no words
        elm.forgetPairing(showed.getOrThrow().id())
        // what cannot be the words spends no try, and the recipient's side that nobody called has nothing to forget
        val (_, typo) = pair(ana, elm) { "$it x" }
        assertEquals("share_code", (typo.exceptionOrNull() as FfiException.InvalidInput).code)
        for (line in elm.pairings()) elm.forgetPairing(line.id)
        val (_, differing) = pair(ana, elm, compare = { _, _ -> false })
        assertNull(differing.getOrThrow())
        assertTrue(ana.recipients().isEmpty(), "six words that differ pair nobody")
    }

    @Test
    fun `words are good once and a name is free again when it breaks off`() = runBlocking {
        val (ana, elm) = found("ana") to found("elm")
        val broken = runCatching { elm.showOfferByCode("Harbor", {}) { throw java.io.IOException("out of reach") } }
        assertTrue(broken.exceptionOrNull() is java.io.IOException)
        assertTrue(elm.pairings().isEmpty())
        val answers = mutableListOf<ByteArray>()
        val twice = runCatching {
            elm.showOfferByCode("Harbor", {}) { answer ->
                val hello = takeOfferByCode("abandon ability able".toByteArray()).hello()
                repeat(2) { answers += answer(hello) }
            }
        }
        val spent = twice.exceptionOrNull() as FfiException.InvalidInput
        assertEquals("share_code", spent.code)
        assertTrue(answers[0].size > 1_000)
        assertEquals(1, answers[1].size, "one byte of refusal")
        assertTrue(elm.pairings().isEmpty())
        assertFalse(ana.recipients().any())
    }
}
