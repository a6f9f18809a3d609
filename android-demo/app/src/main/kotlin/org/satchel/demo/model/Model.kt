package org.satchel.demo.model

import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.launch
import org.satchel.demo.repository.Fault
import org.satchel.demo.repository.Finding
import org.satchel.demo.repository.GatedCategory
import org.satchel.demo.repository.Reply
import org.satchel.demo.repository.Repository
import org.satchel.demo.repository.Suggestion

/** What a screen shows and what can be done on it. Knows no framework. */
abstract class Model<S>(protected val app: App, initial: S) {
    private val shown = MutableStateFlow(initial)
    val state: StateFlow<S> = shown.asStateFlow()

    private val faults = MutableStateFlow<Fault?>(null)
    /** What went wrong last; null again with the next try. */
    val fault: StateFlow<Fault?> = faults.asStateFlow()

    private val work = MutableStateFlow(false)
    /** A call is under way: buttons rest meanwhile. */
    val busy: StateFlow<Boolean> = work.asStateFlow()

    protected val repository: Repository get() = app.repository

    /** Shows this, as a test or a drawing wants it. */
    fun show(next: S) {
        shown.value = next
    }

    /** Reads again what is shown. */
    open fun load() {}

    /** Half filled in: whoever comes back finds it as it was left. */
    open val isKept: Boolean get() = false

    /** Another place is shown from now on. */
    open fun leave() {}

    protected fun change(next: S.() -> S) = shown.update(next)

    protected fun fail(fault: Fault?) {
        faults.value = fault
        // what an earlier page asked of a notebook that was locked since says nothing about the one that is open
        if (fault?.kind == Fault.Kind.LOCKED && !repository.isUnlocked()) app.locked()
    }

    /** The value of a reply, or null after showing its fault. */
    protected fun <T> Reply<T>.orShow(): T? = when (this) {
        is Reply.Done -> value
        is Reply.Failed -> null.also { fail(fault) }
    }

    /** Runs an action of the user; a second tap meanwhile does nothing. */
    protected fun act(action: suspend CoroutineScope.() -> Unit) {
        if (!work.compareAndSet(expect = false, update = true)) return
        fail(null)
        app.scope.launch {
            try {
                action()
            } finally {
                work.value = false
            }
        }
    }

    private var loading: Job? = null

    /** Reads what is shown; an earlier reading that is still under way must not come after this one. */
    protected fun loading(action: suspend CoroutineScope.() -> Unit) {
        loading?.cancel()
        loading = reading(action)
    }

    protected fun reading(action: suspend CoroutineScope.() -> Unit): Job = app.scope.launch(block = action)
}

/** Takes what the camera read. */
interface Scanning {
    fun scanned(text: String)
}

/** A free text that the guard reads while it is typed. Never kept by the platform: it lives here. */
class GuardedText(private val app: App, text: String = "", var alias: String? = null) {
    data class Notice(val findings: List<Finding> = emptyList(), val suggestions: List<Suggestion> = emptyList())

    var text: String = text
        private set
    private val shown = MutableStateFlow(Notice())
    val notice: StateFlow<Notice> = shown.asStateFlow()
    private var reading: Job? = null

    /** The user typed: looks once they pause. */
    fun typed(next: String) {
        text = next
        reading?.cancel()
        reading = app.scope.launch {
            delay(app.guardPauseMillis)
            look()
        }
    }

    /** Looks now. */
    suspend fun look() {
        val read = text
        val found = if (read.isBlank()) null else app.repository.guard(read, alias)
        // what was found in a text that has changed since says nothing about this one
        if (read == text) shown.value = if (found == null) Notice() else Notice(found.findings, found.suggestions)
    }

    /** Puts [instead] where the finding stands; empty removes it. */
    fun replace(finding: Finding, instead: String) = put(finding.startUtf16.toInt(), finding.endUtf16.toInt(), instead)

    /** Takes a kinder wording. */
    fun take(suggestion: Suggestion) = put(suggestion.startUtf16.toInt(), suggestion.endUtf16.toInt(), suggestion.instead)

    private fun put(start: Int, end: Int, instead: String) {
        if (end > text.length) return
        text = (text.substring(0, start) + instead + text.substring(end)).replace("  ", " ").trim()
        shown.value = Notice()
        reading?.cancel()
        reading = app.scope.launch { look() }
    }

    /** What the finding stands on. */
    fun words(finding: Finding): String = text.substring(finding.startUtf16.toInt(), finding.endUtf16.toInt().coerceAtMost(text.length))

    fun category(finding: Finding): GatedCategory? = GatedCategory.entries.firstOrNull { it.name.equals(finding.category, ignoreCase = true) }

    fun clear() {
        text = ""
        shown.value = Notice()
    }

    fun orNull(): String? = text.trim().ifEmpty { null }
}
