package org.satchel.core

import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext

/**
 * Asks a participant: [ask] shows or reads out exactly the words that the yes will name, and answers what they said.
 *
 * Returns the grant, or null when they said no; then nothing is stored, not even that they were asked. [until] is the
 * last day as it is to be read. Throws [FfiException.NoConsent] without a file, [FfiException.InvalidInput] for what
 * cannot be asked, [FfiException.Refused] for what the charter denies.
 */
suspend fun Unlocked.askFor(
    participant: String,
    request: GrantRequest,
    until: String? = null,
    ask: suspend (ConsentWords) -> Boolean,
): String? {
    val words = withContext(Dispatchers.IO) { grantWords(participant, request, until) }
    return if (ask(words)) withContext(Dispatchers.IO) { giveGrant(participant, request) } else null
}

/**
 * Opens the vault of a grant for [use], off the caller's thread, and closes it after that, however it ends.
 *
 * Throws [FfiException.NoConsent] when the grant does not count, or no longer: its `status` says how it stands.
 */
suspend fun <T> Unlocked.withVault(participant: String, grant: String, use: (Vault) -> T): T =
    withContext(Dispatchers.IO) { vault(participant, grant).use(use) }

/** Everything at once: the file, every vault, every share. */
fun everythingTakenBack(how: HowGiven): TakenBack = TakenBack(act = null, category = null, recipient = null, how = how)

/**
 * Seals a complaint to the board and gives its author's code to [show], once; it is overwritten after that.
 *
 * Offer this only where `boardStatus().isOffered`. Throws [FfiException.Refused] without a board,
 * [FfiException.InvalidInput] for a text that is empty or too long.
 */
suspend fun Unlocked.complainAndShowCode(draft: ComplaintDraft, show: suspend (ByteArray) -> Unit) {
    withContext(Dispatchers.IO) { complain(draft) }.use { code -> code.text().useAndWipe { show(it) } }
}
