package org.satchel.demo.screen

import android.content.Context
import android.content.res.Configuration
import java.util.Locale
import org.satchel.demo.R
import org.satchel.demo.repository.Fault

/** The user's words for the values of a closed list: each value has its string, named after it. */
fun Context.wordFor(prefix: String, value: Enum<*>): String {
    val name = "${prefix}_${value.name.lowercase()}"
    // R's own fields and not the resource table: a missing string fails in the tests
    return getString(R.string::class.java.getField(name).getInt(null))
}

/** The app's words in a language (ISO 639-1), whatever the phone's is. */
fun Context.inLanguage(code: String): Context =
    createConfigurationContext(Configuration(resources.configuration).apply { setLocale(Locale(code)) })

/** What went wrong and what can be done, without anything that was typed. */
fun Context.wordsFor(fault: Fault): String = when (fault.kind) {
    Fault.Kind.LOCKED -> getString(R.string.fault_locked)
    Fault.Kind.WRONG_PASSPHRASE -> getString(R.string.fault_wrong_passphrase)
    Fault.Kind.TOO_SOON -> getString(R.string.fault_too_soon, fault.seconds)
    Fault.Kind.NOT_FOUND -> getString(R.string.fault_not_found)
    Fault.Kind.INPUT -> when {
        fault.findings.isNotEmpty() -> getString(R.string.fault_text)
        fault.code == "passphrase_short" -> getString(R.string.fault_passphrase_short)
        fault.code == "board_keys" -> getString(R.string.fault_board_keys)
        fault.code == "recognition_word" -> getString(R.string.fault_word)
        fault.code == "passphrases_differ" -> getString(R.string.fault_passphrases_differ)
        else -> getString(R.string.fault_input, fault.code)
    }
    Fault.Kind.NO_CONSENT -> getString(R.string.fault_no_consent, fault.code)
    Fault.Kind.REFUSED -> getString(R.string.fault_refused, fault.code)
    Fault.Kind.STORAGE -> getString(R.string.fault_storage, fault.code)
    Fault.Kind.SYNC -> getString(R.string.fault_sync, fault.code)
    Fault.Kind.INTERNAL -> getString(R.string.fault_internal, fault.code)
}

/** "Today", or so many days ago. */
fun Context.daysAgo(today: Int, days: Int, ago: Long): String = if (ago <= 0) getString(today) else getString(days, ago)

fun Context.until(inDays: Long): String = when {
    inDays < 0 -> getString(R.string.due_past)
    inDays == 0L -> getString(R.string.due_today)
    else -> getString(R.string.in_days, inDays)
}

/** The phrase that can stand where a finding stood. */
fun Context.neutral(category: String): String = getString(
    when (category) {
        "contact_detail" -> R.string.neutral_contact_detail
        "legal_name" -> R.string.neutral_legal_name
        "exact_place" -> R.string.neutral_exact_place
        "third_party" -> R.string.neutral_third_party
        else -> R.string.neutral_other
    },
)
