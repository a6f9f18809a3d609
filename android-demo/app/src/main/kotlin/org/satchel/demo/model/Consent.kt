package org.satchel.demo.model

import org.satchel.demo.repository.Asking
import org.satchel.demo.repository.ConsentAct
import org.satchel.demo.repository.ConsentWords
import org.satchel.demo.repository.Fact
import org.satchel.demo.repository.FactField
import org.satchel.demo.repository.GatedCategory
import org.satchel.demo.repository.Held
import org.satchel.demo.repository.Language
import org.satchel.demo.repository.Purpose
import org.satchel.demo.repository.RecipientLine
import org.satchel.demo.repository.Reply
import org.satchel.demo.repository.ShareClass

/** Two lower-case letters (ISO 639-1). */
fun Language.code(): String = if (this == Language.SPANISH) "es" else "en"

/** Asking for a yes: what, why, for how long and to whom; then exactly the words that the yes names. */
class AskModel(app: App, private val participant: String, category: GatedCategory?, words: String) :
    Model<AskModel.State>(app, State(category = category ?: GatedCategory.LEGAL_NAME, value = words)) {
    data class State(
        val act: ConsentAct = ConsentAct.RECORD,
        val category: GatedCategory = GatedCategory.LEGAL_NAME,
        val purpose: Purpose = Purpose.SERVICE_CONNECTION,
        val days: Int = 30,
        val language: Language = Language.ENGLISH,
        val recipients: List<RecipientLine> = emptyList(),
        val recipient: String? = null,
        val value: String = "",
        /** The words, to be read out or shown: the last step before the yes. */
        val words: ConsentWords? = null,
    )

    val recipientName = GuardedText(app)

    override fun load() {
        loading {
            val recipients = repository.recipients().orShow().orEmpty()
            val language = if (app.platform.language() == "es") Language.SPANISH else Language.ENGLISH
            change { copy(recipients = recipients, language = if (words == null) language else this.language) }
        }
    }

    fun act(act: ConsentAct) = change { copy(act = act) }
    fun category(category: GatedCategory) = change { copy(category = category) }
    fun purpose(purpose: Purpose) = change { copy(purpose = purpose) }
    fun days(days: Int) = change { copy(days = days) }
    fun recipient(id: String) = change { copy(recipient = id) }
    fun value(text: String) = show(state.value.copy(value = text))

    fun addRecipient(shareClass: ShareClass) = act {
        val id = repository.addRecipient(recipientName.orNull() ?: return@act, shareClass).orShow()
        if (id == null) recipientName.look() else {
            recipientName.clear()
            change { copy(recipient = id) }
            load()
        }
    }

    private fun asking() = state.value.run {
        Asking(act, listOf(category), if (act == ConsentAct.SHARE) recipient else null, purpose, days, language)
    }

    /** The words in the participant's language. */
    fun words(language: Language = state.value.language) = act {
        change { copy(language = language) }
        val words = repository.wordsOf(participant, asking()).orShow() ?: return@act
        change { copy(words = words) }
    }

    fun readAloud() {
        val words = state.value.words ?: return
        app.platform.readAloud(words.text, words.language.code())
    }

    override fun leave() = app.platform.stopReading()

    /** They said yes: the grant, and the fact under it. */
    fun yes() = act {
        val grant = repository.grant(participant, asking()).orShow() ?: return@act
        val now = state.value
        val field = repository.fieldsOf(now.category).firstOrNull { it != FactField.BIRTH_DATE || now.value.length == ISO_DATE_LENGTH }
        if (now.act == ConsentAct.RECORD && now.value.isNotBlank() && field != null) {
            repository.writeFact(participant, grant, Fact(field, now.value.trim())).orShow() ?: return@act
        }
        app.back()
    }

    /** They said no: nothing is kept, not even that they were asked. */
    fun no() {
        app.back()
    }

    private companion object {
        const val ISO_DATE_LENGTH = 10
    }
}

/** "What do you hold on me?": the phone is turned to the participant, in their language. */
class HoldModel(app: App, private val participant: String) : Model<HoldModel.State>(app, State()) {
    data class State(val asksWord: Boolean = false, val held: Held? = null)

    /** The word that they chose, as it is being typed. */
    var word = ""
    /** What opened the page; kept while it is shown, as what changes meanwhile is read again. */
    private var said: String? = null

    override fun load() {
        loading {
            val asks = repository.hasWord(participant).orShow() ?: return@loading
            if (asks && said == null) change { State(true) } else read(said, state.value.held?.language)
        }
    }

    private suspend fun read(word: String?, language: Language?) {
        when (val reply = repository.hold(participant, word, language)) {
            is Reply.Done -> {
                said = word
                this.word = ""
                change { State(false, reply.value) }
            }
            is Reply.Failed -> {
                leave()
                change { State(asksWord = reply.fault.field == "word") }
                reply.orShow()
            }
        }
    }

    /** They said their word. */
    fun said() = act { if (word.isNotBlank()) read(word, null) }

    fun language(language: Language) = act {
        app.platform.stopReading()
        read(said, language)
    }

    fun readAloud() {
        val held = state.value.held ?: return
        app.platform.readAloud(held.text, held.language.code())
    }

    override fun leave() {
        word = ""
        said = null
        app.platform.stopReading()
        change { State() }
    }
}
