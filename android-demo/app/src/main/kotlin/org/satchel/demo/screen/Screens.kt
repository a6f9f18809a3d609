package org.satchel.demo.screen

import android.content.Context
import android.view.View
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.launch
import org.satchel.demo.R
import org.satchel.demo.model.*
import org.satchel.demo.repository.Finding

/** Draws the place one is at. [drawing] ends with the view, and so does what it collects. */
class Screens(private val context: Context, private val app: App, private val drawing: CoroutineScope, private val scan: (() -> Unit)? = null) {
    private val style = Style(context)

    internal fun context(): Context = context

    fun view(model: Model<*>): View = page(model).also { page ->
        model.fault.value?.let { page.foot.addView(page.warning(context.wordsFor(it), "fault").also { view -> page.body.removeView(view) }, 0) }
        if (model.busy.value) page.foot.addView(page.label(context.getString(R.string.working), style.smallSize, style.quiet), 0)
    }.root

    internal fun page(title: Int, hasBack: Boolean = true, fill: Page.() -> Unit): Page = page(context.getString(title), hasBack, context, fill)
    internal fun page(title: String, hasBack: Boolean = true, wordsIn: Context = context, fill: Page.() -> Unit): Page =
        Page(context, style, title, if (hasBack) ({ app.back() }) else null, wordsIn).apply(fill)

    private fun page(model: Model<*>): Page = when (model) {
        is WelcomeModel -> welcome(model)
        is CreateModel -> create(model)
        is JoinModel -> join(model, scan)
        is PaperModel -> paper(model)
        is OfferModel -> offer(model)
        is PairModel -> pair(model, scan)
        is ShareModel -> share(model)
        is TakeModel -> take(model)
        is NameBoardModel -> nameBoard(model, scan)
        is UnlockModel -> unlock(model)
        is TodayModel -> today(model)
        is EncounterModel -> encounter(model)
        is FindModel -> find(model)
        is FollowUpsModel -> followUps(model)
        is PeopleModel -> people(model)
        is NewPersonModel -> newPerson(model)
        is PersonModel -> person(model)
        is EditModel -> edit(model)
        is AskModel -> ask(model)
        is HoldModel -> hold(model)
        is ComplainModel -> complain(model)
        is InboxModel -> inbox(model)
        is TeamModel -> team(model)
        is RemoveModel -> remove(model)
        is InviteModel -> invite(model)
        is SyncModel -> sync(model)
        is SettingsModel -> settings(model)
        is EraseModel -> erase(model)
        else -> error(model.javaClass.simpleName)
    }

    /** A field that the guard reads: what it finds stands right below, with what can be done about it. */
    internal fun Page.guarded(id: Int, tag: String, text: GuardedText, lines: Int = 1, underGrant: ((Finding) -> Unit)? = null) {
        val field = field(id, tag, text.text, lines) { if (it != text.text) text.typed(it) }
        val below = android.widget.LinearLayout(context).apply { orientation = android.widget.LinearLayout.VERTICAL }
        body.addView(below)
        fun put(view: View) = below.addView(view, android.widget.LinearLayout.LayoutParams(-1, -2).apply { topMargin = style.gap / 2 })
        fun draw(notice: GuardedText.Notice) {
            below.removeAllViews()
            if (field.text.toString() != text.text) {
                field.setText(text.text)
                field.setSelection(text.text.length)
            }
            notice.findings.forEachIndexed { at, finding ->
                put(
                    label(words(R.string.guard_found, text.words(finding)), style.smallSize, style.alarm).apply {
                        accessibilityLiveRegion = View.ACCESSIBILITY_LIVE_REGION_POLITE
                    },
                )
                val ways = mutableListOf(
                    small(words(R.string.guard_remove), "$tag.remove.$at") { text.replace(finding, "") },
                    small(words(R.string.guard_neutral), "$tag.neutral.$at") { text.replace(finding, context.neutral(finding.category)) },
                )
                if (underGrant != null && text.category(finding) != null) ways += small(words(R.string.guard_grant), "$tag.grant.$at") { underGrant(finding) }
                put(row(*ways.toTypedArray()))
            }
            notice.suggestions.forEachIndexed { at, suggestion ->
                put(row(small(words(R.string.guard_instead, suggestion.instead), "$tag.instead.$at") { text.take(suggestion) }))
            }
        }
        draw(text.notice.value)
        drawing.launch { text.notice.collect { draw(it) } }
    }
}
