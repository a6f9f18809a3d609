package org.satchel.core

import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.withContext

/**
 * Pairs with a recipient who stands there: [compare] shows the six words of [offer], the text that their phone shows, and
 * answers whether theirs are the same, read aloud.
 *
 * Returns the recipient, or null where the words differ; then nothing is stored. [offer] is overwritten. Throws
 * [FfiException.InvalidInput] for a name or an offer that cannot be used: have a new one shown.
 */
suspend fun Unlocked.pairWith(
    name: String,
    kind: ShareClass,
    offer: ByteArray,
    compare: suspend (List<String>) -> Boolean,
): String? = offer.useAndWipe { text ->
    withContext(Dispatchers.IO) { PairingOffer.read(text) }.use { read -> pairAfter(name, kind, read, compare) }
}

/**
 * As [pairWith] where no camera can be used: [code] are the three words that the recipient read out, as typed here.
 * [exchange] brings one message to their phone and their reply back, over whatever connects the two.
 *
 * [code] is overwritten. Throws [FfiException.InvalidInput] with the remedy `pair_in_person`: `share_code` for words that
 * cannot be (no try is spent), for wrong ones, or a phone in between; `share_code_expired`. Then new words are shown there.
 */
suspend fun Unlocked.pairByCode(
    name: String,
    kind: ShareClass,
    code: ByteArray,
    exchange: suspend (ByteArray) -> ByteArray,
    compare: suspend (List<String>) -> Boolean,
): String? = code.useAndWipe { words -> withContext(Dispatchers.IO) { takeOfferByCode(words) } }.use { taker ->
    taker.replied(exchange(taker.hello())).use { read -> pairAfter(name, kind, read, compare) }
}

private suspend fun Unlocked.pairAfter(
    name: String,
    kind: ShareClass,
    offer: PairingOffer,
    compare: suspend (List<String>) -> Boolean,
): String? = if (compare(offer.words())) withContext(Dispatchers.IO) { pairRecipient(name, kind, offer) } else null

/**
 * On the recipient's phone: shows an offer to a sender without a camera. [show] reads out three words, good for one try and
 * ten minutes, and [exchange] waits for the sender's message, hands it to its argument and brings the answer back.
 *
 * Returns the offer, whose six words both people compare; where theirs differ, or their phone shows none, `forgetPairing`.
 * Whatever ends it before that forgets the pairing, and the sender's name is free again. Throws [FfiException.InvalidInput]
 * with the remedy `pair_in_person`: `share_code_expired`, `share_code`; the sender has been told.
 */
suspend fun Unlocked.showOfferByCode(
    name: String,
    show: suspend (ByteArray) -> Unit,
    exchange: suspend (answer: suspend (ByteArray) -> ByteArray) -> Unit,
): ShownOffer {
    val shown = withContext(Dispatchers.IO) { showOffer(name) }
    try {
        withContext(Dispatchers.IO) { shown.byCode() }.use { typed ->
            typed.code().useAndWipe { show(it) }
            var failed: FfiException? = null
            exchange { hello ->
                try {
                    typed.answerHello(hello)
                } catch (error: FfiException.InvalidInput) {
                    failed = error
                    refusalOfHello(error.code)
                }
            }
            failed?.let { throw it }
        }
    } catch (error: Throwable) {
        withContext(NonCancellable + Dispatchers.IO) { runCatching { forgetPairing(shown.id()) } }
        shown.close()
        throw error
    }
    return shown
}
