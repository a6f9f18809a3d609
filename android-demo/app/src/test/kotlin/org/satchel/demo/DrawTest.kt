package org.satchel.demo

import android.content.Context
import android.content.res.Configuration
import android.graphics.Bitmap
import android.graphics.Canvas
import android.graphics.Color
import android.graphics.Rect
import android.graphics.drawable.ColorDrawable
import android.graphics.drawable.Drawable
import android.graphics.drawable.GradientDrawable
import android.graphics.drawable.RippleDrawable
import android.view.ContextThemeWrapper
import android.view.View
import android.view.ViewGroup
import android.widget.Button
import android.widget.EditText
import android.widget.LinearLayout
import android.widget.ScrollView
import android.widget.TextView
import java.io.File
import java.nio.file.Files
import java.util.Locale
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.cancel
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode
import org.satchel.demo.model.*
import org.satchel.demo.repository.*
import org.satchel.demo.screen.Screens

/** Draws every screen, in both languages, at 100 % and 200 % text, and in the dark; and measures what was drawn. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [35], application = TestApplication::class, qualifiers = "w360dp-h720dp-mdpi")
@GraphicsMode(GraphicsMode.Mode.NATIVE)
class DrawTest {
    private val application = RuntimeEnvironment.getApplication()
    private val repository = Repository(Files.createTempDirectory("draw").toFile(), null, Effort.LEAST, Dispatchers.Unconfined)
    private val app = App(repository, TestPlatform(), CoroutineScope(Dispatchers.Unconfined + Job()), 0)
    private val folder = File(System.getProperty("satchel.screens")).also { it.mkdirs() }

    private fun context(language: String, scale: Float, night: Boolean): Context {
        val configuration = Configuration(application.resources.configuration).apply {
            setLocale(Locale(language))
            fontScale = scale
            uiMode = (uiMode and Configuration.UI_MODE_NIGHT_MASK.inv()) or if (night) Configuration.UI_MODE_NIGHT_YES else Configuration.UI_MODE_NIGHT_NO
        }
        return ContextThemeWrapper(application, R.style.Notes).apply { applyOverrideConfiguration(configuration) }
    }

    private fun supply(name: String, category: ResourceCategory) = ownResource(repository.resourceId(name), name, category)
    private fun id(kind: String) = "${kind}_aaaaaaaaaaaaaaaaaaaaaaaaaa"

    /** Every place with something to show: made up, and the same on every day. */
    private fun samples(es: Boolean): Map<String, Model<*>> {
        fun say(english: String, spanish: String) = if (es) spanish else english
        val kit = supply(say("Naloxone kit", "Kit de naloxona"), ResourceCategory.SAFER_USE_SUPPLIES)
        val socks = supply(say("Socks", "Calcetines"), ResourceCategory.OTHER)
        val water = supply(say("Water and food", "Agua y comida"), ResourceCategory.FOOD)
        val supplies = listOf(kit, socks, water)
        val promised = listOf(Promised("1", say("bring a tent", "traer una carpa"), "Blue", 1))
        val file = Participant(id("rec"), "Blue", "they", null, say("at the drop-in, mornings", "en el centro, por la mañana"), listOf(say("a dry place", "un lugar seco"), say("see a doctor", "ver a un médico")), null, false, emptyList())
        val people = listOf(ParticipantLine(id("rec"), "Blue", false, "2026-11-23"))
        val self = DeviceLine(id("dev"), id("mem"), "Ana", Role.STEWARD, Standing.ACTIVE, false, "2026-11-23", false, true)
        val other = self.copy(id = id("dev"), name = "Ben", role = Role.WORKER, isSelf = false)
        val given = Grant(ConsentAct.RECORD, listOf(GatedCategory.LEGAL_NAME), null, null, Purpose.HOUSING_APPLICATION, "2026-11-23", "2027-01-31", HowGiven.SPOKEN, 1u, "en", null)
        val grant = GrantLine(id("rec"), given, GrantStatus.LIVE, listOf(GatedCategory.LEGAL_NAME), emptyList(), emptyList(), "2026-11-23")
        return linkedMapOf(
            "01-welcome" to WelcomeModel(app),
            "02-create" to CreateModel(app),
            "03-paper" to CreateModel(app).apply { show(CreateModel.State(List(35) { listOf("apple", "river", "stone", "window", "garden")[it % 5] })) },
            "04-join" to JoinModel(app).apply { show(JoinModel.State(typing = true)) },
            "05-compare" to JoinModel(app).apply { show(JoinModel.State(words = listOf("apple", "river", "stone", "window"))) },
            "06-unlock" to UnlockModel(app, 1).apply { show(UnlockModel.State(1, listOf(1, 2))) },
            "07-today" to TodayModel(app).apply { show(TodayModel.State(3, promised, listOf(TodayModel.Count(kit, 2), TodayModel.Count(socks, 0), TodayModel.Count(water, 5)), 3, 0, false)) },
            "08-encounter" to EncounterModel(app, id("rec")).apply {
                show(EncounterModel.State(EncounterKind.STREET, id("rec"), people, supplies, listOf(EncounterModel.Offered(kit, Outcome.ACCEPTED, 2))))
            },
            "09-guard" to EncounterModel(app, id("rec")).apply {
                note.typed(say("call 415-555-0123 tonight", "llamar al 415-555-0123 hoy"))
                note.notice.until { it.findings.isNotEmpty() }
                show(EncounterModel.State(EncounterKind.PHONE, id("rec"), people))
            },
            "10-refusal" to EncounterModel(app, id("rec")).apply {
                show(EncounterModel.State(EncounterKind.STREET, id("rec"), people, listOf(socks), listOf(EncounterModel.Offered(socks, Outcome.DECLINED))))
            },
            "11-saved" to EncounterModel(app, id("rec")).apply { show(EncounterModel.State(participant = id("rec"), saved = id("rec"))) },
            "12-people" to PeopleModel(app).apply { show(PeopleModel.State("", people.map { PeopleModel.Line(it, 0) })) },
            "13-new-person" to NewPersonModel(app),
            "14-person" to PersonModel(app, id("rec")).apply { show(PersonModel.State(file, listOf(0, 4), emptyList(), emptyList(), listOf(grant), supplies)) },
            "15-conflict" to PersonModel(app, id("rec")).apply { show(PersonModel.State(file.copy(conflicts = listOf(ParticipantConflict("pronouns", listOf("she")))))) },
            "16-withdraw" to PersonModel(app, id("rec")).apply { show(PersonModel.State(file, withdrawing = true)) },
            "17-edit" to EditModel(app, id("rec")).apply { show(EditModel.State(true, file.goals)) },
            "18-ask" to AskModel(app, id("rec"), null, ""),
            "19-words" to AskModel(app, id("rec"), null, "").apply {
                show(AskModel.State(words = ConsentWords(1u, if (es) Language.SPANISH else Language.ENGLISH, say("May our team write down your legal name, to apply for housing, until January 31?", "¿Puede nuestro equipo anotar su nombre legal, para solicitar vivienda, hasta el 31 de enero?"))))
            },
            "20-hold" to HoldModel(app, id("rec")).apply {
                // the other language than the phone's
                val own = HeldSection(say("Tu ficha", "Your file"), listOf(say("La guardamos porque dijiste que sí.", "We keep it because you said yes.")), listOf("Blue", say("un lugar seco", "a dry place")))
                val yes = HeldSection(say("A qué dijiste que sí", "What you said yes to"), listOf(say("Tu nombre legal, para solicitar vivienda, hasta el 31 de enero de 2027.", "Your legal name, to apply for housing, until January 31, 2027.")), listOf("Maria Example"))
                show(HoldModel.State(held = Held(if (es) Language.ENGLISH else Language.SPANISH, say("Lo que guardamos sobre ti", "What we hold on you"), listOf(own, yes), "")))
            },
            "21-find" to FindModel(app, "").apply { show(FindModel.State(without = setOf(Demand.POLICE_CONTACT), found = listOf(dropIn(repository), shelter(repository)), open = repository.resourceId("Night shelter"))) },
            "22-follow-ups" to FollowUpsModel(app).apply { show(FollowUpsModel.State(promised)) },
            "23-team" to TeamModel(app).apply { show(TeamModel.State(listOf(TeamModel.Phone(self, 0), TeamModel.Phone(other, 2)), true, true, false)) },
            "24-invite" to InviteModel(app),
            "25-invite-qr" to InviteModel(app).apply { show(InviteModel.State(InviteModel.Step.SHOW, qr = "an invitation that is only drawn 192.168.1.7:40000", address = "192.168.1.7:40000")) },
            "26-invite-code" to InviteModel(app).apply { show(InviteModel.State(InviteModel.Step.SHOW, code = "apple river stone", address = "192.168.1.7:40000")) },
            "27-sync" to SyncModel(app).apply { show(SyncModel.State(3, 2, true, 1, 12)) },
            "28-settings" to SettingsModel(app),
            "29-erase" to EraseModel(app).apply { show(EraseModel.State(true)) },
            "30-complain" to ComplainModel(app),
            "31-complaint-code" to ComplainModel(app).apply { show(ComplainModel.State(code = "ABCD-EFGH-JKLM-NPQR")) },
            "32-inbox" to InboxModel(app).apply { show(InboxModel.State(true, listOf("apple", "river", "stone", "window", "garden", "paper"), book = BoardBook(listOf(BookLine("abcd2345", "2026-11-23", ComplaintCategory.PRIVACY, ComplaintProgress.RECEIVED, false)), 0u))) },
            "34-name-board" to NameBoardModel(app),
            "35-answer" to ComplainModel(app).apply { show(ComplainModel.State(looking = true, answer = ReceiptStatus(ComplaintProgress.ANSWERED, say("We have asked them to stop.", "Les hemos pedido que dejen de hacerlo.")))) },
            "40-board-keys" to InboxModel(app).apply {
                show(InboxModel.State(true, listOf("apple", "river", "stone", "window", "garden", "paper"), java.util.Base64.getUrlEncoder().encodeToString(ByteArray(1248).also(java.util.Random(5)::nextBytes))))
            },
            "41-paper-again" to PaperModel(app).apply { show(PaperModel.State(List(35) { listOf("apple", "river", "stone", "window", "garden")[it % 5] })) },
            "36-offer" to OfferModel(app).apply { show(OfferModel.State(PairingText("an offer that is only drawn", listOf("apple", "river", "stone", "window", "garden", "paper")))) },
            "37-pair" to PairModel(app),
            "38-share" to ShareModel(app, id("rec"), id("rec")).apply {
                show(ShareModel.State(SharePlan(id("rec"), "Elm House", ShareClass.SERVICE, emptyList(), listOf(FactField.LEGAL_NAME), Purpose.HOUSING_APPLICATION, "2027-01-31")))
            },
            "39-take" to TakeModel(app, id("rec")),
            "33-hold-word" to HoldModel(app, id("rec")).apply { show(HoldModel.State(asksWord = true)) },
        )
    }

    private fun all(view: View): List<View> = listOf(view) + if (view is ViewGroup) (0 until view.childCount).flatMap { all(view.getChildAt(it)) } else emptyList()

    private fun draw(name: String, language: String, scale: Float, night: Boolean, model: Model<*>) {
        val drawing = CoroutineScope(Dispatchers.Unconfined + Job())
        val context = context(language, scale, night)
        val view = Screens(context, app, drawing, scan = {}).view(model)
        val density = context.resources.displayMetrics.density
        val (width, height) = (360 * density).toInt() to (720 * density).toInt()
        view.measure(View.MeasureSpec.makeMeasureSpec(width, View.MeasureSpec.EXACTLY), View.MeasureSpec.makeMeasureSpec(height, View.MeasureSpec.EXACTLY))
        view.layout(0, 0, width, height)
        val picture = "$name-$language-${(scale * 100).toInt()}${if (night) "-dark" else ""}"
        check(picture, view as ViewGroup, width, height, density)
        val bitmap = Bitmap.createBitmap(width, height, Bitmap.Config.ARGB_8888)
        view.draw(Canvas(bitmap))
        File(folder, "$picture.png").outputStream().use { bitmap.compress(Bitmap.CompressFormat.PNG, 100, it) }
        drawing.cancel()
    }

    /** The opaque colour right behind a view's text. */
    private fun ground(view: View): Int? = generateSequence(view) { it.parent as? View }.firstNotNullOfOrNull { fill(it.background) }
    private fun fill(drawable: Drawable?): Int? = when (drawable) {
        is RippleDrawable -> (0 until drawable.numberOfLayers).firstNotNullOfOrNull { fill(drawable.getDrawable(it)) }
        is GradientDrawable -> drawable.color?.defaultColor
        is ColorDrawable -> drawable.color
        else -> null
    }?.takeIf { Color.alpha(it) == 255 }

    /** Contrast as WCAG 2.2 defines it, 1 to 21. */
    private fun contrast(one: Int, other: Int): Double {
        val (dark, light) = listOf(Color.luminance(one), Color.luminance(other)).sorted()
        return (light + 0.05) / (dark + 0.05)
    }

    private val problems = mutableListOf<String>()
    private fun expect(what: String, holds: Boolean) {
        if (!holds) problems += what
    }

    /** What a thumb and a screen reader need, of every screen. */
    private fun check(picture: String, root: ViewGroup, width: Int, height: Int, density: Float) {
        for (view in all(root)) {
            val at = Rect(0, 0, view.width, view.height).also { root.offsetDescendantRectToMyCoords(view, it) }
            val what = "$picture: ${view.tag ?: (view as? TextView)?.text}"
            expect("$what is within the width: $at", at.left >= 0 && at.right <= width)
            if (view is Button || view is EditText) {
                expect("$what is high enough to touch: ${view.height}", view.height >= 48 * density)
                val said = view.contentDescription ?: (view as TextView).text
                expect("$what says something to a screen reader", said.any(Char::isLetterOrDigit))
            }
            if (view is TextView && view.text.isNotEmpty()) {
                val behind = ground(view)
                expect("$what has a ground that is known", behind != null)
                val ratio = contrast(view.currentTextColor, behind ?: view.currentTextColor)
                expect("$what stands out from its ground: $ratio", ratio >= 4.5)
            }
            if (view is TextView && view !is EditText && view.layout != null) {
                val room = view.height - view.compoundPaddingTop - view.compoundPaddingBottom
                expect("$what shows all its text", view.layout.height <= room + 1)
                for (line in 0 until view.layout.lineCount) expect("$what is not cut off", view.layout.getEllipsisCount(line) == 0)
            }
        }
        val scroll = all(root).first { it is ScrollView }
        expect("$picture: there is room to read: ${scroll.height}", scroll.height >= 160 * density)
        val foot = root.getChildAt(root.childCount - 1) as ViewGroup
        (0 until foot.childCount).map(foot::getChildAt).filterIsInstance<Button>().lastOrNull()?.let { primary ->
            val at = Rect(0, 0, primary.width, primary.height).also { root.offsetDescendantRectToMyCoords(primary, it) }
            expect("$picture: the primary button is 64 dp high", primary.height >= 64 * density)
            expect("$picture: and in the lower half: $at", at.top >= height / 2 && at.bottom <= height)
        }
    }

    @Test fun `the measure finds text that is faint, cut off or too low to touch`() {
        val context = context("en", 1f, false)
        fun measured(view: TextView, width: Int, height: Int): String {
            val root = LinearLayout(context).apply {
                orientation = LinearLayout.VERTICAL
                setBackgroundColor(Color.WHITE)
                addView(ScrollView(context), LinearLayout.LayoutParams(360, 300))
                addView(LinearLayout(context).apply { addView(view, LinearLayout.LayoutParams(width, height)) })
            }
            root.measure(View.MeasureSpec.makeMeasureSpec(360, View.MeasureSpec.EXACTLY), View.MeasureSpec.makeMeasureSpec(720, View.MeasureSpec.EXACTLY))
            root.layout(0, 0, 360, 720)
            problems.clear()
            check("sample", root, 360, 720, 1f)
            return problems.joinToString("; ").also { problems.clear() }
        }
        fun label(text: String, colour: Int) = TextView(context).apply {
            this.text = text
            textSize = 17f
            setTextColor(colour)
        }
        assertEquals("", measured(label("Blue", Color.BLACK), 200, 60))
        assertTrue("stands out" in measured(label("Blue", 0xFF888888.toInt()), 200, 60))
        assertTrue("all its text" in measured(label("Blue ".repeat(40), Color.BLACK), 100, 40))
        assertTrue("within the width" in measured(label("Blue", Color.BLACK), 400, 60))
        val low = Button(context).apply {
            text = "Go"
            minHeight = 0
            minimumHeight = 0
            setTextColor(Color.BLACK)
            setBackgroundColor(Color.WHITE)
        }
        val found = measured(low, 200, 40)
        assertTrue(found, "high enough to touch" in found && "64 dp" in found && "lower half" in found)
    }

    @Test fun `every screen is drawn`() {
        for (language in listOf("en", "es")) {
            for ((name, model) in samples(language == "es")) {
                draw(name, language, 1f, false, model)
                draw(name, language, 2f, false, model)
                if (language == "en") draw(name, language, 1f, true, model)
            }
        }
        assertEquals("", problems.joinToString("\n"))
        assertEquals(41 * 5, folder.listFiles()!!.size)
    }
}
