package org.satchel.demo.repository

import java.io.File
import java.time.LocalDate
import java.time.LocalDateTime
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.channels.awaitClose
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.callbackFlow
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.withContext
import org.satchel.core.ChangeObserver
import org.satchel.core.CharterChange
import org.satchel.core.DaylessKeyProtector
import org.satchel.core.FfiException
import org.satchel.core.Joining
import org.satchel.core.KeyCost
import org.satchel.core.KeyProtectorException
import org.satchel.core.NearbyEvent
import org.satchel.core.OpenedPacket
import org.satchel.core.RemovalPlan
import org.satchel.core.ResourceFilter
import org.satchel.core.SlotKind
import org.satchel.core.Store
import org.satchel.core.Unlocked
import org.satchel.core.buildCatalogue
import org.satchel.core.categoryOfFact
import org.satchel.core.eraseDeviceIn
import org.satchel.core.everythingTakenBack
import org.satchel.core.exchangeWithRelay
import org.satchel.core.foundTeam
import org.satchel.core.guardNotice
import org.satchel.core.joinByCode
import org.satchel.core.joinTeam
import org.satchel.core.keySlots
import org.satchel.core.meetNearby
import org.satchel.core.ownResourceId
import org.satchel.core.pairWith
import org.satchel.core.runOver
import org.satchel.core.shareAfter
import org.satchel.core.useAndWipe

// The one file that knows the library: every other one sees its nouns through these names.
typealias EncounterKind = org.satchel.core.EncounterKind
typealias Outcome = org.satchel.core.Outcome
typealias OfferDraft = org.satchel.core.OfferDraft
typealias Offer = org.satchel.core.Offer
typealias Encounter = org.satchel.core.Encounter
typealias EncounterDraft = org.satchel.core.EncounterDraft
typealias EncounterLine = org.satchel.core.EncounterLine
typealias TallyTap = org.satchel.core.TallyTap
typealias Participant = org.satchel.core.Participant
typealias ParticipantConflict = org.satchel.core.ParticipantConflict
typealias ParticipantDraft = org.satchel.core.ParticipantDraft
typealias ParticipantEdit = org.satchel.core.ParticipantEdit
typealias ParticipantLine = org.satchel.core.ParticipantLine
typealias HowGiven = org.satchel.core.HowGiven
typealias FollowUpDraft = org.satchel.core.FollowUpDraft
typealias FollowUpLine = org.satchel.core.FollowUpLine
typealias FollowUpState = org.satchel.core.FollowUpState
typealias SelfReferralDraft = org.satchel.core.SelfReferralDraft
typealias SelfReferralLine = org.satchel.core.SelfReferralLine
typealias ReferralStatus = org.satchel.core.ReferralStatus
typealias StartedBy = org.satchel.core.StartedBy
typealias Resource = org.satchel.core.Resource
typealias ResourceCategory = org.satchel.core.ResourceCategory
typealias Demand = org.satchel.core.Demand
typealias Opening = org.satchel.core.Opening
typealias Weekday = org.satchel.core.Weekday
typealias Finding = org.satchel.core.Finding
typealias Suggestion = org.satchel.core.Suggestion
typealias GuardNotice = org.satchel.core.GuardNotice
typealias Team = org.satchel.core.Team
typealias DeviceLine = org.satchel.core.DeviceLine
typealias RemovalDetails = org.satchel.core.RemovalDetails
typealias Role = org.satchel.core.Role
typealias Standing = org.satchel.core.Standing
typealias GrantRequest = org.satchel.core.GrantRequest
typealias Grant = org.satchel.core.Grant
typealias GrantLine = org.satchel.core.GrantLine
typealias GrantStatus = org.satchel.core.GrantStatus
typealias GatedCategory = org.satchel.core.GatedCategory
typealias ConsentAct = org.satchel.core.ConsentAct
typealias ConsentWords = org.satchel.core.ConsentWords
typealias Purpose = org.satchel.core.Purpose
typealias Language = org.satchel.core.Language
typealias ShareClass = org.satchel.core.ShareClass
typealias SharePlan = org.satchel.core.SharePlan
typealias RecipientLine = org.satchel.core.RecipientLine
typealias TakenBack = org.satchel.core.TakenBack
typealias Fact = org.satchel.core.Fact
typealias FactField = org.satchel.core.FactField
typealias HeldSection = org.satchel.core.CharterSection
typealias ComplaintCategory = org.satchel.core.ComplaintCategory
typealias ComplaintDraft = org.satchel.core.ComplaintDraft
typealias Complaint = org.satchel.core.Complaint
typealias ComplaintProgress = org.satchel.core.ComplaintProgress
typealias BoardBook = org.satchel.core.BoardBook
typealias BookLine = org.satchel.core.BookLine
typealias BoardStatus = org.satchel.core.BoardStatus
typealias ReceiptStatus = org.satchel.core.ReceiptStatus
typealias RelayReport = org.satchel.core.RelayReport
typealias SessionReport = org.satchel.core.SessionReport
typealias RecordKind = org.satchel.core.RecordKind

/** Why something was not done. Nothing was changed; the screen words it by [kind] and [code] in the user's language. */
data class Fault(val kind: Kind, val code: String, val remedy: String, val seconds: Long = 0, val field: String? = null, val findings: List<Finding> = emptyList()) {
    enum class Kind { LOCKED, WRONG_PASSPHRASE, TOO_SOON, NOT_FOUND, INPUT, NO_CONSENT, REFUSED, STORAGE, SYNC, INTERNAL }
}

/** What a call came to. */
sealed interface Reply<out T> {
    data class Done<T>(val value: T) : Reply<T>
    data class Failed(val fault: Fault) : Reply<Nothing>
}

fun <T> Reply<T>.valueOrNull(): T? = (this as? Reply.Done)?.value

/** What one try of a passphrase costs: of today's phones, or the least that is accepted (old phones, and tests). */
enum class Effort { STANDARD, LEAST }

/** Where the platform keeps one key per store. The key never leaves it; null or false where it cannot. */
interface Keystore {
    fun create(): ByteArray
    fun wrap(alias: ByteArray, plain: ByteArray): ByteArray
    /** Null: there is no such key. */
    fun unwrap(alias: ByteArray, wrapped: ByteArray): ByteArray?
    fun destroy(alias: ByteArray)
}

/** Carries whole messages between two phones while one joins. */
interface Carrier : AutoCloseable {
    fun send(message: ByteArray)
    fun receive(): ByteArray
}

/** An invitation that is shown: its [text] as a QR code, or its [code] to be read out and typed. */
class Invitation internal constructor(val text: String?, val code: String?, internal val typed: org.satchel.core.CodeInvitation?)

/** What one asks about gated facts: everything that a yes has to name. */
data class Asking(
    val act: ConsentAct,
    val categories: List<GatedCategory>,
    val recipient: String?,
    val purpose: Purpose,
    val days: Int,
    val language: Language,
    val how: HowGiven = HowGiven.SPOKEN,
)

/** A board's public keys as one text, for a QR code on its phone; and the words that its phone shows beside it. */
data class BoardKeysText(val text: String, val words: List<String>)

/** A recipient's offer: its [text] as a QR code, and the [words] beside it. */
data class PairingText(val text: String, val words: List<String>)

/** A removal that was prepared: its [details] are shown to a person, who then confirms. */
class Removal internal constructor(val details: RemovalDetails, internal val plan: RemovalPlan)

/** Everything that this phone holds about one participant, in one language, to be shown or read out to them: [text] is what is read. */
data class Held(val language: Language, val title: String, val sections: List<HeldSection>, val text: String)

/** Every call to the library: off the caller's thread, answering instead of throwing. */
class Repository(
    private val root: File,
    keystore: Keystore? = null,
    effort: Effort = Effort.STANDARD,
    private val io: CoroutineDispatcher = Dispatchers.IO,
    val clock: () -> LocalDateTime = LocalDateTime::now,
    private val idleSeconds: Long = 300,
) {
    private val cost: KeyCost = if (effort == Effort.STANDARD) KeyCost.Standard else KeyCost.Least
    private val protector = keystore?.let(::Protector)
    private var stores = HashMap<Int, Store>()
    @Volatile private var unlocked: Unlocked? = null

    /** Which of the phone's notebooks is in hand, from 1; 0: none. */
    @Volatile var notebook = 0
        private set

    private fun dir(number: Int) = File(root, "n$number")

    /** The notebooks of this phone: one per member. */
    fun notebooks(): List<Int> = (1..MOST_NOTEBOOKS).filter { dir(it).isDirectory }

    fun isUnlocked(): Boolean = unlocked != null

    /** [handle]: what the work asks, if it was open. */
    private suspend fun <T> answer(handle: Unlocked? = null, work: suspend () -> T): Reply<T> = withContext(io) {
        try {
            Reply.Done(work())
        } catch (error: FfiException) {
            val fault = fault(error)
            // a call on what was locked before may end after somebody's notebook was opened
            if (fault.kind == Fault.Kind.LOCKED && unlocked === handle) unlocked = null
            Reply.Failed(fault)
        } catch (_: java.io.IOException) {
            Reply.Failed(Fault(Fault.Kind.SYNC, "connection_lost", "try_later"))
        }
    }

    private suspend fun <T> asked(call: suspend (Unlocked) -> T): Reply<T> {
        val handle = unlocked
        return answer(handle) { call(handle ?: throw FfiException.Locked("locked", "unlock")) }
    }

    // --- opening, locking, erasing ---

    /**
     * Founds a team in the next free notebook. [paper] is shown the words of the reseat paper and answers whether they are
     * written down; else the phone keeps them, and [reseatPaper] gives them again. A lock meanwhile locks this notebook too.
     */
    suspend fun createTeam(name: String, passphrase: ByteArray, zone: String, starters: List<Resource>, paper: suspend (List<String>) -> Boolean) = answer {
        val number = nextNotebook()
        val founded = passphrase.useAndWipe { foundTeam(dir(number).path, it, zone, name, cost, protector) }
        founded.use {
            val opened = it.unlocked()
            adopt(number, opened)
            if (starters.isNotEmpty()) opened.publishCatalogue(direct(buildCatalogue("starter", starters)))
            if (paper(it.reseatPaper().use(::wordsOn))) opened.reseatPaperWrittenDown()
        }
    }

    private fun wordsOn(paper: org.satchel.core.Paper): List<String> = paper.words().useAndWipe { bytes -> String(bytes).split(' ') }

    /** The words of the reseat paper for as long as nobody said that they are written down, at most two weeks. */
    suspend fun reseatPaper(): Reply<List<String>?> = asked { it.reseatPaper()?.use(::wordsOn) }
    /** The words are on paper: this phone forgets them. */
    suspend fun reseatPaperWritten() = asked { it.reseatPaperWrittenDown() }

    private fun nextNotebook(): Int {
        root.mkdirs()
        return (1..MOST_NOTEBOOKS).firstOrNull { !dir(it).exists() } ?: throw FfiException.Storage("too_many_notebooks", "erase_one")
    }

    private fun adopt(number: Int, opened: Unlocked) {
        unlocked = opened
        notebook = number
        stores[number] = opened.store().also { it.lockAfter(idleSeconds.toULong()) }
    }

    /** Unlocks a notebook; the one in hand is locked first. The passphrase is wiped. */
    suspend fun unlock(number: Int, passphrase: ByteArray) = answer {
        passphrase.useAndWipe { bytes ->
            lockNow()
            val store = stores.getOrPut(number) { Store.open(dir(number).path) }
            adopt(number, store.unlock(bytes, protector))
        }
    }

    /** Locks at once, from any thread: keys are wiped when it returns. */
    fun lockNow() {
        unlocked = null
        stores[notebook]?.let { runCatching { it.lock() } }
    }

    /** Sets the idle time (seconds) of the notebook in hand. */
    fun lockAfter(seconds: Long) {
        stores[notebook]?.lockAfter(seconds.toULong())
    }

    /** Locks if the idle time is over. True: it is locked now. */
    fun lockIfIdle(): Boolean {
        val locked = stores[notebook]?.lockIfIdle() ?: true
        if (locked) unlocked = null
        return locked
    }

    /** Erases a notebook, locked or not. True: keys and files are gone. */
    suspend fun eraseNotebook(number: Int) = answer {
        if (number == notebook) unlocked = null
        val done = stores.remove(number)?.use { it.eraseDevice(protector) } ?: eraseDeviceIn(dir(number).path, protector)
        if (done.areFilesGone) dir(number).deleteRecursively()
        done.areKeysGone && done.areFilesGone
    }

    /** Whether a PIN opens this notebook, kept by hardware that counts the tries. No store has one yet. */
    suspend fun hasPin(number: Int) = answer {
        protector?.isHardwareBound() == true && keySlots(dir(number).path).any { it.kind == SlotKind.PIN_KEYSTORE }
    }

    suspend fun changePassphrase(passphrase: ByteArray) = asked { passphrase.useAndWipe { bytes -> it.changeCredentials(bytes, cost, protector) } }

    // --- the day ---

    suspend fun today() = asked { it.today() }
    suspend fun encounters(participant: String? = null) = asked { it.encounters(participant) }
    suspend fun encounter(id: String) = asked { it.encounter(id) }
    suspend fun saveEncounter(draft: EncounterDraft) = asked { it.saveEncounter(draft) }
    suspend fun undoEncounter(id: String) = asked { it.eraseRecord(RecordKind.ENCOUNTER, id) }
    suspend fun tally(tap: TallyTap) = asked { it.tally(listOf(tap)) }
    suspend fun tallyToday(resource: String): Reply<Int> =
        asked { store -> store.tallyWaiting(store.today()).filter { it.resource == resource }.sumOf { it.count.toInt() } }

    suspend fun followUps() = asked { it.followUps() }
    suspend fun saveFollowUp(participant: String, what: String, inDays: Int) = asked {
        val from = LocalDate.parse(it.today())
        it.saveFollowUp(FollowUpDraft(participant, what, from.toString(), from.plusDays(inDays.toLong()).toString()))
    }
    suspend fun setFollowUp(id: String, state: FollowUpState) = asked { it.setFollowUpState(id, state) }
    suspend fun selfReferrals() = asked { it.selfReferrals() }
    suspend fun saveSelfReferral(draft: SelfReferralDraft) = asked { it.saveSelfReferral(draft) }
    suspend fun setReferral(id: String, status: ReferralStatus) = asked { it.setReferralStatus(id, status) }

    suspend fun participants() = asked { it.participants() }
    suspend fun participant(id: String) = asked { it.participant(id) }
    suspend fun createParticipant(draft: ParticipantDraft) = asked { it.createParticipant(draft) }
    suspend fun editParticipant(id: String, edit: ParticipantEdit) = asked { it.editParticipant(id, edit) }

    suspend fun find(text: String, category: ResourceCategory?, without: List<Demand>, openNow: Boolean) = asked {
        val now = clock()
        val weekday = if (openNow) Weekday.entries[now.dayOfWeek.value - 1] else null
        it.findResources(ResourceFilter(text, category, without, weekday, (now.hour * 60 + now.minute).toUShort(), null))
    }
    suspend fun publish(resources: List<Resource>) = asked { it.publishCatalogue(direct(buildCatalogue("team", resources))) }
    fun resourceId(name: String): String = ownResourceId(name)

    /** What the guard says to a text; [alias] is the name of the participant that it is about. */
    suspend fun guard(text: String, alias: String?): GuardNotice = withContext(io) { guardNotice(text, alias) }

    /** Told after every change that is on disk, one's own and those that arrive. */
    fun changes(): Flow<Unit> = callbackFlow {
        val subscription = unlocked?.let { store ->
            runCatching {
                store.observe(object : ChangeObserver {
                    override fun changed(changes: List<org.satchel.core.Change>) {
                        trySend(Unit)
                    }
                })
            }.getOrNull()
        }
        awaitClose {
            subscription?.cancel()
            subscription?.close()
        }
    }

    // --- consent ---

    private fun request(store: Unlocked, asking: Asking): GrantRequest {
        val until = LocalDate.parse(store.today()).plusDays(asking.days.toLong()).toString()
        return GrantRequest(asking.act, asking.categories, asking.recipient, asking.purpose, null, until, asking.how, asking.language)
    }

    suspend fun grants(participant: String) = asked { it.grants(participant) }
    /** Exactly the words that the yes will name; nothing is stored. */
    suspend fun wordsOf(participant: String, asking: Asking) = asked { it.grantWords(participant, request(it, asking)) }
    suspend fun grant(participant: String, asking: Asking) = asked { it.giveGrant(participant, request(it, asking)) }
    suspend fun withdraw(participant: String, takenBack: TakenBack?) =
        asked { it.withdraw(participant, takenBack ?: everythingTakenBack(HowGiven.SPOKEN)).isFileClosed }
    suspend fun recipients() = asked { it.recipients() }
    suspend fun addRecipient(name: String, shareClass: ShareClass) = asked { it.addRecipient(name, shareClass) }
    /** On the recipient's phone: the offer that a sender scans, and the six words that both compare. */
    suspend fun showOffer(name: String) = asked { store -> store.showOffer(name).use { PairingText(it.text().useAndWipe { bytes -> String(bytes) }, it.words()) } }
    /** Pairs with a recipient who stands there. Null: the words differed, and nothing is stored. */
    suspend fun pair(name: String, kind: ShareClass, offer: String, compare: suspend (List<String>) -> Boolean) =
        asked { it.pairWith(name, kind, offer.toByteArray(), compare) }
    /** What would leave under a yes to share, and for whom; nothing is written. */
    suspend fun sharePlan(participant: String, grant: String) = asked { it.sharePlan(participant, grant, emptyList()) }
    /** Seals what the yes covers for its one recipient. */
    suspend fun share(participant: String, grant: String) = asked { store -> store.shareAfter(participant, grant) { true }!!.bytes }
    /** What a packet that was handed over holds: facts, each with its value. Null: it is something else than facts. */
    suspend fun openPacket(packet: ByteArray): Reply<List<Fact>?> = asked { (it.openPacket(packet) as? OpenedPacket.Facts)?.shared?.facts }
    suspend fun keepShared(packet: ByteArray, participant: String) = asked { it.keepShared(packet, participant) }
    suspend fun writeFact(participant: String, grant: String, fact: Fact) =
        asked { store -> store.vault(participant, grant).use { it.write(listOf(fact)) } }
    /** The fields in which a fact of this category can stand. */
    fun fieldsOf(category: GatedCategory): List<FactField> = FactField.entries.filter { categoryOfFact(it) == category }

    /** Whether somebody chose a word that is asked for before what is held about them is shown. */
    suspend fun hasWord(participant: String) = asked { it.participant(participant).recognitionWord != null }

    /**
     * Everything that is held about somebody, for their own eyes and ears: in [language], or in their own. [word] is the
     * recognition word as they said it, where they chose one; another one opens nothing.
     */
    suspend fun hold(participant: String, word: String? = null, language: Language? = null) = asked { store ->
        store.holdOnMe(participant, word).use { page ->
            val shown = language ?: page.language()
            Held(shown, page.title(shown), page.sections(shown), page.text(shown))
        }
    }

    // --- complaints and the board ---

    suspend fun boardStatus() = asked { it.boardStatus() }
    /** Seals a complaint and gives the code that its author keeps, to be shown once. */
    suspend fun complain(draft: ComplaintDraft) = asked { it.complain(draft).use { code -> code.text().useAndWipe { bytes -> String(bytes) } } }
    /** The code of a complaint, as its author typed it, looked up in the bulletins that this phone has. The code is wiped. */
    suspend fun lookUp(code: ByteArray): Reply<ReceiptStatus?> = asked { store ->
        code.useAndWipe { org.satchel.core.ReceiptCode.read(it) }.use { receipt ->
            val bulletins = store.bulletins()
            try {
                bulletins.asReversed().map { it.lookUp(receipt) }.firstOrNull { it.progress != null }
            } finally {
                bulletins.forEach { it.close() }
            }
        }
    }
    suspend fun setUpBoard() = asked { store ->
        val keys = store.boardSetUp()
        BoardKeysText(KEYS_TEXT.encodeToString(keys.receiving + keys.signing), keys.words)
    }

    /** Puts a board's keys into the charter: what its phone showed. Gives the words to be compared with those on that phone. */
    suspend fun nameBoard(text: String): Reply<List<String>> {
        val keys = runCatching { KEYS_TEXT_BACK.decode(text.trim()) }.getOrNull()
        if (keys?.size != RECEIVING_BYTES + SIGNING_BYTES) return Reply.Failed(Fault(Fault.Kind.INPUT, "board_keys", "correct_input"))
        return asked {
            it.changeCharter(CharterChange(boardKey = keys.copyOfRange(0, RECEIVING_BYTES), boardSigning = keys.copyOfRange(RECEIVING_BYTES, keys.size)))
            it.boardStatus().words.orEmpty()
        }
    }
    suspend fun boardBook() = asked { it.boardBook() }
    suspend fun boardRead(id: String) = asked { it.boardRead(id) }
    suspend fun boardAnswer(id: String, text: String) = asked { it.boardAnswer(id, text) }
    suspend fun boardClose(id: String) = asked { it.boardClose(id) }
    suspend fun boardPublish() = asked { it.boardPublish(BULLETIN_DAYS) ; Unit }

    // --- people and phones ---

    suspend fun team() = asked { it.team() }
    suspend fun prepareRemoval(device: String) = asked { store -> store.prepareRemoval(device).let { Removal(it.details(), it) } }
    suspend fun confirmRemoval(removal: Removal) = answer { removal.plan.use { it.confirm() } }
    suspend fun invite(role: Role, address: String) = asked { Invitation(it.invite(role, address), null, null) }
    suspend fun inviteByCode(role: Role) = asked { store -> store.inviteByCode(role).let { Invitation(null, it.code().useAndWipe { code -> String(code) }, it) } }

    /** Takes in whoever calls over [carrier]; [agree] asks whether both phones show the same words. Null: they do not. */
    suspend fun host(invitation: Invitation, carrier: Carrier, agree: suspend (List<String>) -> Boolean) = asked { store ->
        carrier.use {
            invitation.typed?.let { typed -> carrier.send(typed.answerHello(carrier.receive())) }
            val answered = store.answerKnock(carrier.receive())
            carrier.send(answered.answer)
            answered.host.use { host ->
                if (!agree(host.words())) return@asked false
                host.introduced(carrier.receive())
                carrier.send(host.welcome())
                host.thanked(carrier.receive())
            }
            true
        }
    }

    /** Joins over [carrier] with what a QR code held, or with words that were typed. False: the check words differed. */
    suspend fun join(scanned: String?, typed: String?, carrier: Carrier, name: String, passphrase: ByteArray, agree: suspend (List<String>) -> Boolean) = answer {
        val number = nextNotebook()
        carrier.use {
            val joining: Joining = if (scanned != null) joinTeam(scanned) else {
                val code = joinByCode(typed.orEmpty().trim().toByteArray())
                carrier.send(code.hello())
                code.replied(carrier.receive())
            }
            joining.use {
                carrier.send(joining.knock())
                joining.answered(carrier.receive())
                if (!agree(joining.words())) return@answer false
                carrier.send(joining.introduce())
                val joined = passphrase.useAndWipe { joining.welcomed(carrier.receive(), dir(number).path, it, name, cost, protector) }
                carrier.send(joined.thanks)
                adopt(number, joined.unlocked)
            }
            true
        }
    }

    // --- sync ---

    suspend fun waiting(): Reply<Int> = asked { it.waiting().unsent.toInt() }
    suspend fun setRelay(url: String, mailbox: String) = asked { it.setRelay(url, mailbox) }
    /** [byHand]: over any network, because somebody pressed a button. */
    suspend fun exchange(byHand: Boolean) = asked { it.exchangeWithRelay(byHand = byHand) }
    /** Meets a colleague's phone over a connection that the platform made (Bluetooth, Wi-Fi): the host-carried session. */
    suspend fun meet(input: java.io.InputStream, output: java.io.OutputStream, dials: Boolean) =
        asked { (if (dials) it.dial() else it.listen()).runOver(input, output) }
    /** Meets phones on the local network while it is collected: the count of records that each meeting brought. */
    fun meetNearby(): Flow<UInt?> = (unlocked?.meetNearby() ?: kotlinx.coroutines.flow.emptyFlow())
        .map { event -> (event as? NearbyEvent.Met)?.report?.rowsApplied }

    private class Protector(private val keystore: Keystore) : DaylessKeyProtector() {
        private fun <T> asked(call: () -> T): T = try {
            call()
        } catch (error: java.security.GeneralSecurityException) {
            throw KeyProtectorException.Refused()
        }
        override fun create() = asked { keystore.create() }
        override fun wrap(alias: ByteArray, plain: ByteArray) = asked { keystore.wrap(alias, plain) }
        override fun unwrap(alias: ByteArray, wrapped: ByteArray) = asked { keystore.unwrap(alias, wrapped) } ?: throw KeyProtectorException.Missing()
        override fun destroy(alias: ByteArray) = asked { keystore.destroy(alias) }
        // Android's keystore gives no key away, but counts no attempts for us: a PIN alone must not open a store
        override fun isHardwareBound() = false
    }

    private companion object {
        const val MOST_NOTEBOOKS = 8
        val BULLETIN_DAYS: UShort = 30u
        // X-Wing and Ed25519 public keys
        const val RECEIVING_BYTES = 1216
        const val SIGNING_BYTES = 32
        val KEYS_TEXT: java.util.Base64.Encoder = java.util.Base64.getUrlEncoder().withoutPadding()
        val KEYS_TEXT_BACK: java.util.Base64.Decoder = java.util.Base64.getUrlDecoder()

        /** Bytes that the library borrows: it takes them only from outside the Java heap. */
        fun direct(bytes: ByteArray): java.nio.ByteBuffer = java.nio.ByteBuffer.allocateDirect(bytes.size).put(bytes).apply { flip() }

        fun fault(error: FfiException): Fault = when (error) {
            is FfiException.Locked -> Fault(Fault.Kind.LOCKED, error.code, error.remedy)
            is FfiException.WrongPassphrase -> Fault(Fault.Kind.WRONG_PASSPHRASE, error.code, error.remedy)
            is FfiException.TooSoon -> Fault(Fault.Kind.TOO_SOON, error.code, error.remedy, error.seconds.toLong())
            is FfiException.NotFound -> Fault(Fault.Kind.NOT_FOUND, error.code, error.remedy)
            is FfiException.InvalidInput -> Fault(Fault.Kind.INPUT, error.code, error.remedy, 0, error.field, error.findings)
            is FfiException.NoConsent -> Fault(Fault.Kind.NO_CONSENT, error.code, error.remedy)
            is FfiException.Refused -> Fault(Fault.Kind.REFUSED, error.code, error.remedy)
            is FfiException.Storage -> Fault(Fault.Kind.STORAGE, error.code, error.remedy)
            is FfiException.Sync -> Fault(Fault.Kind.SYNC, error.code, error.remedy)
            is FfiException.Internal -> Fault(Fault.Kind.INTERNAL, error.code, error.remedy)
        }
    }
}
