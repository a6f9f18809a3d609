package org.satchel.core

import kotlinx.coroutines.Dispatchers
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
    withContext(Dispatchers.IO) { PairingOffer.read(text) }.use { read ->
        if (compare(read.words())) withContext(Dispatchers.IO) { pairRecipient(name, kind, read) } else null
    }
}

/**
 * Seals facts for the one recipient of a yes to share: [confirm] shows what would leave and answers whether it may. No
 * [fields]: all that the yes covers.
 *
 * Returns the packet, or null when the answer was no; then nothing is written, also not into the sharing log. Each refusal
 * has its own remedy: [FfiException.NoConsent] (ask the participant; `status` says how an earlier yes stands),
 * [FfiException.Sync] (meet a colleague first: a withdrawal may be on its way), [FfiException.Refused] (pair in person; or
 * ask a steward, where the charter denies it), [FfiException.InvalidInput] (the fact in `field` says more than was granted).
 */
suspend fun Unlocked.shareAfter(
    participant: String,
    grant: String,
    fields: List<FactField> = emptyList(),
    confirm: suspend (SharePlan) -> Boolean,
): SharedPacket? {
    val plan = withContext(Dispatchers.IO) { sharePlan(participant, grant, fields) }
    return if (confirm(plan)) withContext(Dispatchers.IO) { share(participant, grant, plan.fields) } else null
}

/** The copies outside that somebody has to be asked back for: their yes does not count any more. */
suspend fun Unlocked.sharesToAskBack(): List<ShareLine> =
    withContext(Dispatchers.IO) { shares() }.filter { it.state is ShareState.ToAsk || it.state is ShareState.Asked }
