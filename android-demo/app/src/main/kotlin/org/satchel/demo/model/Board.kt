package org.satchel.demo.model

import org.satchel.demo.repository.BoardBook
import org.satchel.demo.repository.BookLine
import org.satchel.demo.repository.Complaint
import org.satchel.demo.repository.ComplaintCategory
import org.satchel.demo.repository.ComplaintDraft

/** The phone is handed over: what is written here only the board reads, and no guard. */
class ComplainModel(app: App) : Model<ComplainModel.State>(app, State()) {
    data class State(val isOffered: Boolean = true, val category: ComplaintCategory = ComplaintCategory.SERVICE_QUALITY, val code: String? = null, val overdue: Boolean = false)

    var text = ""

    override fun load() {
        loading {
            val status = repository.boardStatus().orShow() ?: return@loading
            change { copy(isOffered = status.isOffered, overdue = status.overdueSince != null) }
        }
    }

    fun category(category: ComplaintCategory) = change { copy(category = category) }

    fun send() = act {
        val code = repository.complain(ComplaintDraft(state.value.category, text.trim())).orShow() ?: return@act
        text = ""
        change { copy(code = code) }
    }

    /** The author wrote the code down: it is shown never again. */
    fun done() {
        change { copy(code = null) }
        app.back()
    }
}

/** What arrived for the board. */
class InboxModel(app: App) : Model<InboxModel.State>(app, State()) {
    data class State(val isSetUp: Boolean = true, val words: List<String> = emptyList(), val book: BoardBook? = null, val read: Pair<BookLine, Complaint>? = null)

    var answer = ""

    override fun load() {
        loading {
            val words = repository.boardStatus().orShow()?.words
            change { copy(isSetUp = words != null, words = words.orEmpty()) }
            if (words != null) {
                val book = repository.boardBook().orShow()
                change { copy(book = book) }
            }
        }
    }

    fun setUp() = act {
        val words = repository.setUpBoard().orShow() ?: return@act
        change { copy(isSetUp = true, words = words) }
        load()
    }

    fun read(line: BookLine) = act {
        val complaint = repository.boardRead(line.id).orShow() ?: return@act
        change { copy(read = line to complaint) }
    }

    fun answer() = act {
        val (line, _) = state.value.read ?: return@act
        repository.boardAnswer(line.id, answer.trim()).orShow() ?: return@act
        answer = ""
        change { copy(read = null) }
        load()
    }

    fun close() = act {
        val (line, _) = state.value.read ?: return@act
        repository.boardClose(line.id).orShow() ?: return@act
        change { copy(read = null) }
        load()
    }

    fun publish() = act {
        repository.boardPublish().orShow()
        load()
    }
}
