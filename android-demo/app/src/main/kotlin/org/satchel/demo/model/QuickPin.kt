package org.satchel.demo.model

/** Where the phone stands in its own time: [boot] counts its starts (negative: not known), [elapsedMillis] runs from the last one and through its sleep. No setting moves either. */
data class Moment(val boot: Int, val elapsedMillis: Long)

/** What a lock screen asks for. */
enum class Asks { PASSPHRASE, PIN }

/**
 * When a quick PIN may stand for the passphrase, notebook by notebook. Six digits are guessed in no time where nothing counts the
 * tries: a PIN opens only what hardware guards that counts them; only on the start of the phone on which the passphrase was
 * given, for twelve hours; and not after five wrong tries. All of it is held in memory: a new process asks for the passphrase.
 */
class QuickPin(private val now: () -> Moment) {
    private class Given(val at: Moment) {
        var wrong = 0
    }

    private val given = HashMap<Int, Given>()

    /** The passphrase opened this notebook. */
    @Synchronized fun passphraseGiven(notebook: Int) {
        given[notebook] = Given(now())
    }

    /** A PIN opened it: the tries count anew, the hours go on. */
    @Synchronized fun pinGiven(notebook: Int) {
        given[notebook]?.wrong = 0
    }

    @Synchronized fun wrongPin(notebook: Int) {
        given[notebook]?.let { it.wrong++ }
    }

    /** Erased: nothing is known of it. */
    @Synchronized fun forget(notebook: Int) {
        given.remove(notebook)
    }

    /** [hasPin]: its store has a PIN in a keystore bound to hardware that counts tries. */
    @Synchronized fun asks(notebook: Int, hasPin: Boolean): Asks {
        val last = given[notebook]
        val may = hasPin && last != null && isSameStart(last) && !isOver(last) && last.wrong < MOST_WRONG_TRIES
        return if (may) Asks.PIN else Asks.PASSPHRASE
    }

    /** The twelve hours are over: also what is open is locked, and only the passphrase opens it. */
    @Synchronized fun isOver(notebook: Int): Boolean = given[notebook]?.let(::isOver) ?: true

    private fun isOver(last: Given): Boolean = now().elapsedMillis - last.at.elapsedMillis >= PASSPHRASE_EVERY_MILLIS

    /** Where nobody counts the starts, any may have been; time that ran back tells of one too. */
    private fun isSameStart(last: Given): Boolean {
        val at = now()
        return at.boot >= 0 && at.boot == last.at.boot && at.elapsedMillis >= last.at.elapsedMillis
    }

    companion object {
        const val PASSPHRASE_EVERY_MILLIS = 12 * 60 * 60 * 1000L
        const val MOST_WRONG_TRIES = 5
    }
}
