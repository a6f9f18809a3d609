package org.satchel.demo.screen

import android.app.Activity
import android.content.Intent
import android.os.Bundle
import android.view.View
import android.view.WindowManager
import android.widget.EditText
import android.widget.ScrollView
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.cancel
import kotlinx.coroutines.flow.collectLatest
import kotlinx.coroutines.flow.combine
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import org.satchel.demo.model.App
import org.satchel.demo.model.Model
import org.satchel.demo.model.Scanning
import org.satchel.demo.platform.NotesApplication

/** The one window. It draws the place that the app is at anew whenever what is shown changes. */
class NotesActivity : Activity() {
    private lateinit var app: App
    private lateinit var scope: CoroutineScope
    private var drawn: Model<*>? = null

    override fun onCreate(saved: Bundle?) {
        // nothing of an earlier window is kept: what was shown may have been locked since
        super.onCreate(null)
        // no screenshots, no casting, a blank picture among the recent apps
        window.setFlags(WindowManager.LayoutParams.FLAG_SECURE, WindowManager.LayoutParams.FLAG_SECURE)
        val application = application as NotesApplication
        app = application.app
        scope = CoroutineScope(application.main + Job())
        scope.launch {
            app.place.collectLatest { (_, model) ->
                coroutineScope {
                    combine(model.state, model.fault, model.busy) { state, fault, busy -> Triple(state, fault, busy) }.collectLatest {
                        coroutineScope {
                            draw(model, this)
                            launch { kotlinx.coroutines.awaitCancellation() }
                        }
                    }
                }
            }
        }
    }

    /** Draws, and puts the cursor and the place in the list back where they were. */
    private fun draw(model: Model<*>, drawing: CoroutineScope) {
        val focused = currentFocus as? EditText
        val typed = focused?.takeIf { drawn === model }
        val top = if (drawn === model) findScroll(window.decorView)?.scrollY ?: 0 else 0
        val next = Screens(this, app, drawing, if (hasCamera()) ::scan else null).view(model)
        setContentView(next)
        drawn = model
        typed?.let { old ->
            (next.findViewWithTag<View>(old.tag) as? EditText)?.let { field ->
                field.requestFocus()
                if (field.text.isEmpty() && old.text.isNotEmpty()) field.setText(old.text)
                field.setSelection(old.selectionEnd.coerceIn(0, field.text.length))
            }
        }
        if (top > 0) findScroll(next)?.let { scroll -> scroll.post { scroll.scrollTo(0, top) } }
    }

    private fun findScroll(view: View): ScrollView? = when (view) {
        is ScrollView -> view
        is android.view.ViewGroup -> (0 until view.childCount).firstNotNullOfOrNull { findScroll(view.getChildAt(it)) }
        else -> null
    }

    private fun hasCamera() = packageManager.hasSystemFeature(android.content.pm.PackageManager.FEATURE_CAMERA_ANY)

    private fun scan() = startActivityForResult(Intent(this, ScanActivity::class.java), SCAN)

    @Deprecated("the framework's own way without AndroidX")
    override fun onActivityResult(request: Int, result: Int, data: Intent?) {
        val model = app.place.value.second
        val text = data?.getStringExtra(ScanActivity.TEXT)
        if (request == SCAN && result == RESULT_OK && text != null && model is Scanning) {
            // the fields are drawn anew, with what was read
            drawn = null
            model.scanned(text)
        }
    }

    @Deprecated("the framework's own way before 33, and still called without a callback of one's own")
    override fun onBackPressed() {
        if (!app.back()) finish()
    }

    override fun onUserInteraction() {
        if (app.repository.isUnlocked()) app.repository.lockIfIdle()
    }

    override fun onDestroy() {
        scope.cancel()
        super.onDestroy()
    }

    private companion object {
        const val SCAN = 1
    }
}
