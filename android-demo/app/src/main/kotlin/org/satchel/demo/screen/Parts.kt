package org.satchel.demo.screen

import android.content.Context
import android.graphics.Typeface
import android.text.Editable
import android.text.InputType
import android.text.TextWatcher
import android.view.ActionMode
import android.view.Gravity
import android.view.Menu
import android.view.MenuItem
import android.view.View
import android.view.ViewGroup
import android.view.ViewGroup.LayoutParams.MATCH_PARENT
import android.view.ViewGroup.LayoutParams.WRAP_CONTENT
import android.view.inputmethod.EditorInfo
import android.widget.Button
import android.widget.EditText
import android.widget.LinearLayout
import android.widget.ScrollView
import android.widget.TextView
import java.nio.ByteBuffer
import java.nio.CharBuffer
import org.satchel.demo.R

/**
 * One screen: a title, what scrolls, and below it the buttons that are meant most, in reach of a thumb.
 * Everything is plain framework views; nothing needs a drag or a long press.
 */
class Page(val context: Context, val style: Style, title: String, back: (() -> Unit)?, private val wordsIn: Context = context) {
    val root = LinearLayout(context).apply {
        orientation = LinearLayout.VERTICAL
        setBackgroundColor(style.page)
        // the platform's autofill and its content capture see nothing below this
        importantForAutofill = View.IMPORTANT_FOR_AUTOFILL_NO_EXCLUDE_DESCENDANTS
        fitsSystemWindows = true
    }
    val body = LinearLayout(context).apply {
        orientation = LinearLayout.VERTICAL
        setPadding(style.side, style.gap, style.side, style.side)
    }
    val foot = LinearLayout(context).apply {
        orientation = LinearLayout.VERTICAL
        setPadding(style.side, 0, style.side, style.gap)
    }
    val scroll = ScrollView(context).apply {
        isFillViewport = true
        addView(body)
    }

    init {
        val head = LinearLayout(context).apply {
            orientation = LinearLayout.HORIZONTAL
            gravity = Gravity.CENTER_VERTICAL
            setPadding(style.side, style.gap, style.side, 0)
        }
        if (back != null) {
            head.addView(
                plainButton("‹", style.primary).apply {
                    textSize = style.titleSize
                    contentDescription = wordsIn.getString(R.string.back)
                    setOnClickListener { back() }
                    minWidth = style.touchHeight
                    minimumWidth = style.touchHeight
                },
                LinearLayout.LayoutParams(WRAP_CONTENT, WRAP_CONTENT),
            )
        }
        val name = label(title, style.titleSize, style.text).apply {
            typeface = Typeface.DEFAULT_BOLD
            isAccessibilityHeading()
        }
        head.addView(name, LinearLayout.LayoutParams(0, WRAP_CONTENT, 1f))
        root.addView(head)
        root.addView(scroll, LinearLayout.LayoutParams(MATCH_PARENT, 0, 1f))
        root.addView(foot)
    }

    private fun TextView.isAccessibilityHeading() {
        if (android.os.Build.VERSION.SDK_INT >= 28) isAccessibilityHeading = true
    }

    fun words(id: Int, vararg values: Any): String = wordsIn.getString(id, *values)

    fun label(text: String, size: Float = style.bodySize, colour: Int = style.text) = TextView(context).apply {
        this.text = text
        textSize = size
        setTextColor(colour)
        setLineSpacing(0f, 1.15f)
    }

    private fun gap(view: View, into: ViewGroup = body): View {
        into.addView(view, LinearLayout.LayoutParams(MATCH_PARENT, WRAP_CONTENT).apply { topMargin = style.gap })
        return view
    }

    fun text(text: String, quiet: Boolean = false) = gap(label(text, if (quiet) style.smallSize else style.bodySize, if (quiet) style.quiet else style.text))

    fun heading(text: String) = gap(
        label(text, style.bodySize, style.primary).apply {
            typeface = Typeface.DEFAULT_BOLD
            setPadding(0, style.gap, 0, 0)
            isAccessibilityHeading()
        },
    )

    fun warning(text: String, tag: String? = null) = gap(
        label(text, style.bodySize, style.alarm).apply {
            background = style.surface(style.alarmCard)
            setPadding(style.side, style.gap, style.side, style.gap)
            accessibilityLiveRegion = View.ACCESSIBILITY_LIVE_REGION_POLITE
            this.tag = tag
        },
    )

    private fun plainButton(text: String, colour: Int) = Button(context, null, android.R.attr.borderlessButtonStyle).apply {
        this.text = text
        isAllCaps = false
        textSize = style.bodySize
        setTextColor(colour)
        minHeight = style.touchHeight
        minimumHeight = style.touchHeight
        stateListAnimator = null
        setPadding(style.gap, style.gap / 2, style.gap, style.gap / 2)
        // what a passing hand over the screen puts on top must not press it
        filterTouchesWhenObscured = true
    }

    /** What the screen is for: below, 64 dp high. */
    fun primary(id: Int, tag: String, alarm: Boolean = false, action: () -> Unit) = plainButton(words(id), style.onPrimary).apply {
        this.tag = tag
        typeface = Typeface.DEFAULT_BOLD
        minHeight = style.primaryHeight
        minimumHeight = style.primaryHeight
        background = style.surface(if (alarm) style.alarm else style.primary)
        if (alarm && style.isNight) setTextColor(style.alarmCard)
        setOnClickListener { action() }
        gap(this, foot)
    }

    /** Another way on, in the foot beside the primary one. */
    fun secondary(id: Int, tag: String, action: () -> Unit) = plainButton(words(id), style.primary).apply {
        this.tag = tag
        background = style.surface(style.page, style.primary)
        setOnClickListener { action() }
        gap(this, foot)
    }

    /** A button within what scrolls. */
    fun button(text: String, tag: String, said: String? = null, action: () -> Unit): Button = inline(text, tag, said, action).also { gap(it) }

    private fun inline(text: String, tag: String, said: String?, action: () -> Unit) = plainButton(text, style.text).apply {
        this.tag = tag
        gravity = Gravity.START or Gravity.CENTER_VERTICAL
        background = style.surface(style.card)
        setPadding(style.side, style.gap, style.side, style.gap)
        if (said != null) contentDescription = said
        setOnClickListener { action() }
    }

    /** One of several: the chosen one is filled, says so, and is marked by more than its colour. */
    fun choice(text: String, tag: String, isChosen: Boolean, action: () -> Unit) = plainButton(if (isChosen) "✓ $text" else text, if (isChosen) style.onPrimary else style.text).apply {
        this.tag = tag
        background = style.surface(if (isChosen) style.primary else style.page, if (isChosen) null else style.edge)
        isSelected = isChosen
        contentDescription = if (isChosen) "$text, ${words(R.string.chosen)}" else text
        setOnClickListener { action() }
    }

    /** Buttons beside each other that go on in the next line where they do not fit: large text needs no other layout. */
    fun flow(vararg buttons: View) = flow(buttons.toList())
    fun flow(buttons: List<View>) = gap(Flow(context, style.gap / 2).apply { buttons.forEach(::addView) })

    /** A card of lines, one read by the screen reader after the other. */
    fun card(title: String, vararg lines: String): LinearLayout = LinearLayout(context).apply {
        orientation = LinearLayout.VERTICAL
        background = style.surface(style.card)
        setPadding(style.side, style.gap, style.side, style.gap)
        addView(label(title).apply { typeface = Typeface.DEFAULT_BOLD })
        lines.filter { it.isNotEmpty() }.forEach { addView(label(it, style.smallSize, style.quiet)) }
        gap(this)
    }

    /** Puts what follows into a card. */
    fun LinearLayout.with(vararg views: View) = apply { views.forEach { addView(it, LinearLayout.LayoutParams(MATCH_PARENT, WRAP_CONTENT).apply { topMargin = style.gap }) } }

    fun small(text: String, tag: String, said: String? = null, action: () -> Unit) = plainButton(text, style.primary).apply {
        this.tag = tag
        background = style.surface(style.page, style.edge)
        if (said != null) contentDescription = said
        setOnClickListener { action() }
    }

    fun row(vararg views: View) = Flow(context, style.gap / 2).apply { views.forEach(::addView) }

    /** A field of free text: nothing learns from it, fills it in, or carries it to another app. */
    fun field(id: Int, tag: String, value: String, lines: Int = 1, typed: (String) -> Unit): EditText {
        gap(label(words(id), style.smallSize, style.quiet).apply { labelFor = tag.hashCode() })
        val field = PrivateField(context).apply {
            this.id = tag.hashCode()
            this.tag = tag
            setText(value)
            textSize = style.bodySize
            setTextColor(style.text)
            minLines = lines
            // not minHeight: a field knows a least number of lines or a least height
            minimumHeight = style.touchHeight
            background = style.surface(style.page, style.edge)
            setPadding(style.gap, style.gap, style.gap, style.gap)
            inputType = InputType.TYPE_CLASS_TEXT or InputType.TYPE_TEXT_FLAG_NO_SUGGESTIONS or InputType.TYPE_TEXT_FLAG_MULTI_LINE or InputType.TYPE_TEXT_FLAG_CAP_SENTENCES
            contentDescription = words(id)
            addTextChangedListener(Watcher { typed(it.toString()) })
        }
        body.addView(field, LinearLayout.LayoutParams(MATCH_PARENT, WRAP_CONTENT).apply { topMargin = style.gap / 3 })
        return field
    }

    /** A field for a passphrase: its text never becomes a `String`. */
    fun passphrase(id: Int, tag: String): EditText {
        val field = field(id, tag, "") {}
        field.inputType = InputType.TYPE_CLASS_TEXT or InputType.TYPE_TEXT_VARIATION_PASSWORD or InputType.TYPE_TEXT_FLAG_NO_SUGGESTIONS
        return field
    }

    class Watcher(private val changed: (Editable) -> Unit) : TextWatcher {
        override fun beforeTextChanged(text: CharSequence?, start: Int, count: Int, after: Int) = Unit
        override fun onTextChanged(text: CharSequence?, start: Int, before: Int, count: Int) = Unit
        override fun afterTextChanged(text: Editable) = changed(text)
    }
}

/** Takes what was typed as bytes, and empties the field. */
fun EditText.takeBytes(): ByteArray {
    val chars = CharArray(text.length).also { text.getChars(0, text.length, it, 0) }
    val encoded: ByteBuffer = Charsets.UTF_8.encode(CharBuffer.wrap(chars))
    val bytes = ByteArray(encoded.remaining()).also { encoded.get(it) }
    chars.fill('\u0000')
    encoded.array().fill(0)
    text.clear()
    return bytes
}

/** A field that the keyboard does not learn from, that autofill does not see, and that gives and takes no clipboard. */
class PrivateField(context: Context) : EditText(context) {
    private val nothing = object : ActionMode.Callback {
        override fun onCreateActionMode(mode: ActionMode, menu: Menu) = false
        override fun onPrepareActionMode(mode: ActionMode, menu: Menu) = false
        override fun onActionItemClicked(mode: ActionMode, item: MenuItem) = false
        override fun onDestroyActionMode(mode: ActionMode) = Unit
    }

    init {
        imeOptions = EditorInfo.IME_FLAG_NO_PERSONALIZED_LEARNING or EditorInfo.IME_FLAG_NO_EXTRACT_UI
        importantForAutofill = IMPORTANT_FOR_AUTOFILL_NO_EXCLUDE_DESCENDANTS
        isSaveEnabled = false
        isLongClickable = false
        customSelectionActionModeCallback = nothing
        customInsertionActionModeCallback = nothing
    }

    override fun onTextContextMenuItem(id: Int): Boolean = when (id) {
        android.R.id.copy, android.R.id.cut, android.R.id.paste, android.R.id.pasteAsPlainText, android.R.id.shareText -> false
        else -> super.onTextContextMenuItem(id)
    }
}

/** Lays views out like words: beside each other while there is room. */
class Flow(context: Context, private val gap: Int) : ViewGroup(context) {
    override fun onMeasure(width: Int, height: Int) {
        val room = MeasureSpec.getSize(width)
        setMeasuredDimension(room, place(room, false))
    }

    override fun onLayout(changed: Boolean, left: Int, top: Int, right: Int, bottom: Int) {
        place(right - left, true)
    }

    private fun place(room: Int, lay: Boolean): Int {
        var x = 0
        var y = 0
        var line = 0
        for (at in 0 until childCount) {
            val child = getChildAt(at)
            if (!lay) child.measure(MeasureSpec.makeMeasureSpec(room, MeasureSpec.AT_MOST), MeasureSpec.makeMeasureSpec(0, MeasureSpec.UNSPECIFIED))
            if (x > 0 && x + child.measuredWidth > room) {
                x = 0
                y += line + gap
                line = 0
            }
            if (lay) child.layout(x, y, x + child.measuredWidth, y + child.measuredHeight)
            x += child.measuredWidth + gap
            line = maxOf(line, child.measuredHeight)
        }
        return y + line
    }
}
