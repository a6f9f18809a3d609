package org.satchel.core

import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext

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
