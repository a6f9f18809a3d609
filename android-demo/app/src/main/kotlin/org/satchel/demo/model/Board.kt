package org.satchel.demo.model

import org.satchel.demo.repository.BoardBook
import org.satchel.demo.repository.BookLine
import org.satchel.demo.repository.Complaint
import org.satchel.demo.repository.ComplaintCategory
import org.satchel.demo.repository.ComplaintDraft
import org.satchel.demo.repository.ReceiptStatus
import org.satchel.demo.repository.Reply

/** The phone is handed over: what is written here only the board reads, and no guard. */
class ComplainModel(app: App) : Model<ComplainModel.State>(app, State()) {
    data class State(val isOffered: Boolean = true, val category: ComplaintCategory = ComplaintCategory.SERVICE_QUALITY, val code: String? = null, val overdue: Boolean = false, val looking: Boolean = false, val answer: ReceiptStatus? = null)

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

    fun look(on: Boolean) = change { copy(looking = on, answer = null) }

    /** Looks for what the board said. The code is wiped; null as an answer: no bulletin here knows it yet. */
    fun lookUp(code: ByteArray) = act {
        val found = repository.lookUp(code)
        if (found is Reply.Done) change { copy(answer = found.value ?: ReceiptStatus(null, null)) } else found.orShow()
    }

    override fun leave() {
        text = ""
        change { copy(code = null, looking = false, answer = null) }
    }

    /** The author wrote the code down: it is shown never again. */
    fun done() {
        change { copy(code = null) }
        app.back()
    }
}

/** What arrived for the board. */
class InboxModel(app: App) : Model<InboxModel.State>(app, State()) {
    data class State(val isSetUp: Boolean = true, val words: List<String> = emptyList(), val keys: String? = null, val book: BoardBook? = null, val read: Pair<BookLine, Complaint>? = null)

    var answer = ""

    override fun load() {
        loading {
            val words = repository.boardStatus().orShow()?.words
            // keys that were made and stand in no charter yet go on being shown
            change { if (words == null && keys != null) this else copy(isSetUp = words != null, words = words.orEmpty(), keys = null) }
            if (words != null) {
                val book = repository.boardBook().orShow()
                change { copy(book = book) }
            }
        }
    }

    fun setUp() = act {
        val made = repository.setUpBoard().orShow() ?: return@act
        change { copy(isSetUp = true, words = made.words, keys = made.text) }
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

    override fun leave() {
        answer = ""
        change { copy(read = null) }
    }
}

/** A steward puts the board's keys into the charter, from what the board's phone shows. */
class NameBoardModel(app: App) : Model<NameBoardModel.State>(app, State()), Scanning {
    data class State(val scanned: String = "", val words: List<String> = emptyList())

    override fun scanned(text: String) = change { copy(scanned = text) }

    fun name() = act {
        val words = repository.nameBoard(state.value.scanned).orShow() ?: return@act
        change { State(words = words) }
    }

    fun done() {
        app.back()
    }
}
