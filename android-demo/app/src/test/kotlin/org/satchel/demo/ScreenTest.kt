package org.satchel.demo

import android.app.NotificationManager
import android.app.job.JobParameters
import android.app.job.JobScheduler
import android.content.Intent
import android.os.Looper
import android.speech.tts.TextToSpeech
import android.speech.tts.Voice
import android.view.View
import android.view.ViewGroup
import android.view.WindowManager
import android.view.inputmethod.EditorInfo
import android.widget.EditText
import java.io.File
import java.nio.file.Files
import java.util.Locale
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.runBlocking
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode
import org.robolectric.shadow.api.Shadow
import org.robolectric.shadows.ShadowTextToSpeech
import org.satchel.demo.model.PersonModel
import org.satchel.demo.model.TodayModel
import org.satchel.demo.model.UnlockModel
import org.satchel.demo.model.WelcomeModel
import org.satchel.demo.platform.NotesApplication
import org.satchel.demo.platform.SyncJob
import org.satchel.demo.platform.PhonePlatform
import org.satchel.demo.repository.Effort
import org.satchel.demo.repository.Repository
import org.satchel.demo.repository.valueOrNull
import org.satchel.demo.screen.NotesActivity
import org.satchel.demo.screen.qr
import org.satchel.demo.screen.readQr

/** The application with a store that opens fast, in a folder of its own, and calls on the caller's thread: what comes later comes by the main looper, as on a phone. */
class TestApplication : NotesApplication() {
    override fun repository() = Repository(Files.createTempDirectory("notes").toFile().also(File::deleteOnExit), null, Effort.LEAST, Dispatchers.Unconfined)
}

/** The activity, started and clicked through by the framework's own code, on the real library. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [35], application = TestApplication::class, qualifiers = "w360dp-h720dp-xhdpi")
@GraphicsMode(GraphicsMode.Mode.NATIVE)
class ScreenTest {
    private val activity: NotesActivity = Robolectric.buildActivity(NotesActivity::class.java).setup().get()
    private val application = RuntimeEnvironment.getApplication() as TestApplication
    private val app get() = application.app
    private var taps = 0

    private fun settle() = repeat(3) { shadowOf(Looper.getMainLooper()).idle() }

    private fun find(tag: String): View? = activity.window.decorView.findViewWithTag(tag)

    private fun tap(tag: String) {
        settle()
        val view = find(tag) ?: throw AssertionError("no $tag among ${tags()}")
        assertTrue("$tag takes a tap", view.isEnabled && view.isClickable)
        view.performClick()
        taps++
        settle()
    }

    private fun tags() = all().mapNotNull { it.tag as? String }
    private fun all(view: View = activity.window.decorView): List<View> =
        listOf(view) + if (view is ViewGroup) (0 until view.childCount).flatMap { all(view.getChildAt(it)) } else emptyList()

    private fun type(tag: String, text: String) {
        settle()
        (find(tag) as EditText).setText(text)
        settle()
    }

    private fun found() {
        tap("create")
        type("name", "Ana")
        type("passphrase", PASSPHRASE)
        type("passphrase_again", PASSPHRASE)
        tap("create")
        tap("paper_done")
        assertTrue(app.place.value.second is TodayModel)
    }

    @Test fun `a new encounter with an offer takes three taps`() {
        found()
        taps = 0
        tap("new_encounter")
        tap("offer.Socks")
        tap("save")
        assertEquals(3, taps)
        assertNotNull(find("undo"))
        tap("close")
        assertEquals(1, runBlocking { app.repository.encounters() }.valueOrNull()!!.size)
        taps = 0
        tap("tally.Socks")
        assertEquals(1, taps)
        assertEquals(2, (app.place.value.second as TodayModel).state.value.supplies.first { it.resource.name == "Socks" }.counted)
    }

    @Test fun `a file, a note that the guard stops, and the lock`() {
        found()
        tap("people")
        tap("new_person")
        type("alias", "Blue")
        tap("said_yes")
        assertEquals("Blue", (app.place.value.second as PersonModel).state.value.file?.alias)
        tap("new_encounter")
        type("note", "call 415-555-0123 tonight")
        tap("save")
        assertNotNull("inline, below the field", find("note.remove.0"))
        assertNotNull(find("note.grant.0"))
        tap("note.neutral.0")
        assertEquals("call a way to be reached tonight", (find("note") as EditText).text.toString())
        tap("save")
        assertNotNull(find("wrong_person"))

        app.lock()
        settle()
        assertTrue(app.place.value.second is UnlockModel)
        assertFalse("nothing of it is left on the screen", all().any { it is android.widget.TextView && "Blue" in it.text })
        type("passphrase", PASSPHRASE)
        tap("unlock")
        assertTrue(app.place.value.second is TodayModel)
        application.sendBroadcast(Intent(Intent.ACTION_SCREEN_OFF))
        settle()
        assertTrue("the dark screen locks", app.place.value.second is UnlockModel)
    }

    @Test fun `the window is secure and its fields give nothing away`() {
        assertTrue(activity.window.attributes.flags and WindowManager.LayoutParams.FLAG_SECURE != 0)
        assertEquals("Notes", activity.title)
        assertFalse(application.applicationInfo.flags and android.content.pm.ApplicationInfo.FLAG_ALLOW_BACKUP != 0)
        tap("create")
        val field = find("name") as EditText
        assertTrue(field.imeOptions and EditorInfo.IME_FLAG_NO_PERSONALIZED_LEARNING != 0)
        assertTrue(field.inputType and android.text.InputType.TYPE_TEXT_FLAG_NO_SUGGESTIONS != 0)
        assertFalse(field.onTextContextMenuItem(android.R.id.paste))
        assertFalse(field.onTextContextMenuItem(android.R.id.copy))
        assertEquals(View.IMPORTANT_FOR_AUTOFILL_NO_EXCLUDE_DESCENDANTS, field.importantForAutofill)
    }

    @Test fun `the notification locks and names nobody`() {
        found()
        val manager = application.getSystemService(NotificationManager::class.java)
        val notice = shadowOf(manager).allNotifications.single()
        val said = notice.extras.keySet().mapNotNull { notice.extras.getCharSequence(it)?.toString() }
        assertEquals(listOf("Notes is open"), said.filter { it.isNotEmpty() })
        shadowOf(notice.actions.single().actionIntent).savedIntent.let { application.sendBroadcast(it) }
        settle()
        assertTrue(app.place.value.second is UnlockModel)
        assertTrue(shadowOf(manager).allNotifications.isEmpty())
    }

    private fun voice(name: String, language: String, network: Boolean) =
        Voice(name, Locale(language), Voice.QUALITY_NORMAL, Voice.LATENCY_NORMAL, network, emptySet())

    @Test fun `what is read aloud never leaves the phone, and stops when asked`() {
        val platform = PhonePlatform(application)
        fun engine() = shadowOf(ShadowTextToSpeech.getLastTextToSpeechInstance()).apply { onInitListener.onInit(TextToSpeech.SUCCESS) }
        ShadowTextToSpeech.addVoice(voice("es-network", "es", true))
        ShadowTextToSpeech.addVoice(voice("en-local", "en", false))
        platform.readAloud("Tu ficha", "es")
        assertTrue("a voice of the network says nothing", engine().spokenTextList.isEmpty())
        ShadowTextToSpeech.addVoice(voice("es-local", "es", false))
        platform.readAloud("Tu ficha\n\nAzul", "es")
        val engine = engine()
        assertEquals(listOf("Tu ficha", "Azul"), engine.spokenTextList)
        assertEquals("es-local", engine.currentVoice.name)
        platform.stopReading()
        assertTrue(engine.isStopped && engine.isShutdown)
        ShadowTextToSpeech.reset()
    }

    @Test fun `background sync is there while it is open, and does nothing for a locked notebook`() {
        val jobs = application.getSystemService(JobScheduler::class.java)!!
        assertTrue("control: nothing before", jobs.allPendingJobs.isEmpty())
        found()
        val job = jobs.allPendingJobs.single()
        assertEquals(SyncJob::class.java.name, job.service.className)
        assertEquals(listOf(true, SyncJob.PERIOD_MILLIS), listOf(job.isPeriodic, job.intervalMillis))
        val service = Robolectric.buildService(SyncJob::class.java).create().get()
        val parameters = Shadow.newInstanceOf(JobParameters::class.java)
        assertTrue("it has begun", service.onStartJob(parameters))
        // the exchange ends on a thread of its own
        val limit = System.nanoTime() + 60_000_000_000
        while (!shadowOf(service).isJobFinished && System.nanoTime() < limit) {
            settle()
            Thread.yield()
        }
        assertTrue("and come to its end, without a relay too", shadowOf(service).isJobFinished)
        app.lock()
        settle()
        assertTrue(jobs.allPendingJobs.isEmpty())
        assertFalse(service.onStartJob(parameters))
    }

    @Test fun `erasing leaves an empty phone`() {
        found()
        tap("settings")
        tap("erase")
        assertNull("not in one step", find("erase_confirm"))
        tap("erase_sure")
        tap("erase_confirm")
        assertTrue(app.place.value.second is WelcomeModel)
        assertTrue(app.repository.notebooks().isEmpty())
    }

    @Test fun `a QR code that is shown is read again`() {
        val picture = qr("an invitation 192.168.1.7:40000", 400)
        val pixels = IntArray(400 * 400).also { picture.getPixels(it, 0, 400, 0, 0, 400, 400) }
        val grey = ByteArray(pixels.size) { (pixels[it] and 0xFF).toByte() }
        assertEquals("an invitation 192.168.1.7:40000", readQr(grey, 400, 400, 400))
        assertNull(readQr(ByteArray(400 * 400), 400, 400, 400))
        // the longest there is: a board's keys, as wide as a small phone shows them
        val keys = java.util.Base64.getUrlEncoder().withoutPadding().encodeToString(ByteArray(1248).also(java.util.Random(5)::nextBytes))
        val wide = qr(keys, 640)
        val dots = IntArray(640 * 640).also { wide.getPixels(it, 0, 640, 0, 0, 640, 640) }
        assertEquals(keys, readQr(ByteArray(dots.size) { (dots[it] and 0xFF).toByte() }, 640, 640, 640))
    }
}
