package org.satchel.core

import java.io.OutputStream
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext

/** How what is held on somebody is given to them. */
enum class PageForm { TEXT, HTML }

/**
 * Everything that this phone holds on a participant, for them. Where their file has a recognition word, [askWord] asks for it
 * first; null says that they do not know it, and then nothing is opened and null comes back.
 *
 * Who forgot their word and is known to the worker is given another one first, with `editParticipant`. Throws
 * [FfiException.InvalidInput] with `recognition_word` for a word that is not theirs, [FfiException.NotFound].
 */
suspend fun Unlocked.holdOnMeAsking(participant: String, askWord: suspend () -> String?): HeldPage? {
    val hasWord = withContext(Dispatchers.IO) { participant(participant).recognitionWord != null }
    val said = if (hasWord) askWord() ?: return null else null
    return withContext(Dispatchers.IO) { holdOnMe(participant, said) }
}

/**
 * Writes the page where the participant said, and nowhere else: a printer's stream, a document that they chose. The caller
 * closes [out]. A file of it that stays on this phone is in the clear; leave none.
 */
suspend fun HeldPage.writeTo(out: OutputStream, form: PageForm, language: Language = language()) = withContext(Dispatchers.IO) {
    val page = when (form) {
        PageForm.TEXT -> text(language)
        PageForm.HTML -> html(language)
    }
    out.write(page.toByteArray())
    out.flush()
}

/**
 * Writes a receipt for a yes that counts today, as JSON, where the participant said. Only for one who asks for it: found in a
 * pocket, it says that somebody said yes to something. [agency] and [policy] are as `grantReceipt` says.
 *
 * Throws [FfiException.NoConsent] for a yes that is over, [FfiException.NotFound], [FfiException.InvalidInput].
 */
suspend fun Unlocked.writeReceiptTo(
    out: OutputStream,
    participant: String,
    grant: String,
    agency: String,
    policy: String,
    form: ReceiptForm = ReceiptForm.KANTARA,
) = withContext(Dispatchers.IO) {
    out.write(grantReceipt(participant, grant, agency, policy, form).toByteArray())
    out.flush()
}
