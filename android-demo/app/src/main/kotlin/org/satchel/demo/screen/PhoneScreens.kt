package org.satchel.demo.screen

import android.widget.ImageView
import android.widget.LinearLayout
import org.satchel.demo.R
import org.satchel.demo.model.*
import org.satchel.demo.repository.ComplaintCategory
import org.satchel.demo.repository.Role
import org.satchel.demo.repository.Standing

internal fun Screens.welcome(model: WelcomeModel) = page(R.string.app_name, hasBack = false) {
    text(words(R.string.welcome_text))
    secondary(R.string.join_team, "join", model::join)
    primary(R.string.create_team, "create", action = model::create)
}

internal fun Screens.create(model: CreateModel) = page(R.string.create_team) {
    val paper = model.state.value.paper
    if (paper.isNotEmpty()) {
        sheet(paper)
        secondary(R.string.paper_later, "paper_later", model::paperLater)
        primary(R.string.paper_done, "paper_done", action = model::paperWritten)
        return@page
    }
    field(R.string.your_name, "name", model.name) { model.name = it }
    val first = passphrase(R.string.passphrase, "passphrase")
    text(words(R.string.passphrase_hint), quiet = true)
    val again = passphrase(R.string.passphrase_again, "passphrase_again")
    primary(R.string.create_team, "create") { model.create(first.takeBytes(), again.takeBytes()) }
}

private fun Page.sheet(paper: List<String>) {
    heading(words(R.string.paper_title))
    text(words(R.string.paper_text))
    card(paper.mapIndexed { at, word -> "${at + 1}\u00A0$word" }.joinToString("   "))
}

internal fun Screens.paper(model: PaperModel) = page(R.string.paper_kept) {
    val paper = model.state.value.words
    if (paper.isEmpty()) return@page
    sheet(paper)
    secondary(R.string.paper_later, "paper_later", model::later)
    primary(R.string.paper_done, "paper_done", action = model::written)
}

internal fun Screens.join(model: JoinModel, scan: (() -> Unit)?) = page(R.string.join_team) {
    val now = model.state.value
    if (now.words.isNotEmpty()) {
        compare(now.words, model::agree)
        return@page
    }
    if (now.refused) warning(words(R.string.differed))
    if (now.typing) {
        field(R.string.code, "code", model.code) { model.code = it }
        field(R.string.address, "address", model.address) { model.address = it }
        flow(small(words(R.string.use_qr), "use_qr") { model.type(false) })
    } else {
        if (scan != null) button(words(R.string.scan), "scan", action = scan)
        field(R.string.scanned_text, "scanned", model.scanned) { model.scanned = it }
        flow(small(words(R.string.type_code), "type_code") { model.type(true) })
    }
    field(R.string.your_name, "name", model.name) { model.name = it }
    val passphrase = passphrase(R.string.passphrase, "passphrase")
    text(words(R.string.passphrase_hint), quiet = true)
    primary(R.string.join, "join") { model.join(passphrase.takeBytes()) }
}

internal fun Page.compare(check: List<String>, agree: (Boolean) -> Unit) {
    heading(words(R.string.compare))
    card(check.joinToString("\n"))
    text(words(R.string.compare_hint), quiet = true)
    secondary(R.string.different, "different") { agree(false) }
    primary(R.string.same, "same") { agree(true) }
}

internal fun Screens.unlock(model: UnlockModel) = page(context().getString(R.string.notebook, model.state.value.notebook), hasBack = false) {
    val now = model.state.value
    val passphrase = passphrase(R.string.passphrase, "passphrase")
    val others = now.notebooks.filter { it != now.notebook }
    if (others.isNotEmpty()) heading(words(R.string.other_notebook))
    if (others.isNotEmpty()) flow(others.map { number -> small(words(R.string.notebook, number), "notebook.$number") { model.choose(number) } })
    flow(small(words(R.string.add_notebook), "add_notebook", action = model::add))
    primary(R.string.unlock, "unlock") { model.unlock(passphrase.takeBytes()) }
}

internal fun Screens.team(model: TeamModel) = page(R.string.team) {
    val now = model.state.value
    if (now.isPaperKept) button(words(R.string.paper_kept), "paper", action = model::paper)
    now.phones.forEach { phone ->
        val line = phone.device
        val heard = when {
            line.isSelf -> words(R.string.this_phone)
            phone.heardDaysAgo == null -> words(R.string.heard_never)
            else -> context.daysAgo(R.string.heard_today, R.string.heard_days, phone.heardDaysAgo)
        }
        val card = card(line.name ?: words(R.string.no_alias), context.wordFor("role", line.role), heard, if (line.standing == Standing.SUSPENDED) words(R.string.suspended) else "")
        if (!line.isSelf && now.maySteward) card.with(row(small(words(R.string.remove_phone), "remove.${line.name}") { model.remove(phone) }))
    }
    if (now.maySteward && !now.hasBoard) button(words(R.string.name_board), "name_board", action = model::nameBoard)
    button(words(R.string.pair), "pair", action = model::pair)
    button(words(R.string.offer), "offer", action = model::offer)
    if (now.maySteward) primary(R.string.invite, "invite", action = model::invite)
}

internal fun Screens.remove(model: RemoveModel) = page(context().getString(R.string.remove_title, model.state.value.removal?.details?.name.orEmpty())) {
    val details = model.state.value.removal?.details ?: return@page
    if (details.isLastOfMember) text(words(R.string.remove_last))
    if (details.changesKeys) text(words(R.string.remove_keys))
    text(words(R.string.remove_kept, details.accepted.toInt()), quiet = true)
    secondary(R.string.keep, "keep", model::keep)
    primary(R.string.remove_confirm, "remove_confirm", alarm = true, action = model::confirm)
}

internal fun Screens.invite(model: InviteModel) = page(R.string.invite) {
    val now = model.state.value
    when (now.step) {
        InviteModel.Step.CHOOSE -> {
            if (now.differed) warning(words(R.string.differed))
            heading(words(R.string.invite_as))
            flow(Role.entries.map { role -> choice(context.wordFor("role", role), "role.$role", role == now.role) { model.role(role) } })
            secondary(R.string.invite_code, "invite_code") { model.invite(true) }
            primary(R.string.invite_qr, "invite_qr") { model.invite(false) }
        }
        InviteModel.Step.SHOW -> {
            text(words(R.string.invite_show))
            now.qr?.let { code(it, R.string.invite_qr_said) }
            now.code?.let {
                heading(words(R.string.invite_read))
                card(it)
            }
            text(words(R.string.listening_at, now.address), quiet = true)
        }
        InviteModel.Step.COMPARE -> compare(now.words, model::agree)
        InviteModel.Step.DONE -> {
            text(words(R.string.invite_done))
            primary(R.string.done, "close", action = model::done)
        }
    }
}

internal fun Page.code(text: String, said: Int) {
    val side = minOf(context.resources.displayMetrics.widthPixels - 2 * style.side, style.dp(340))
    body.addView(
        ImageView(context).apply {
            setImageBitmap(qr(text, side))
            contentDescription = words(said)
        },
        LinearLayout.LayoutParams(side, side).apply { topMargin = style.gap },
    )
}

internal fun Screens.nameBoard(model: NameBoardModel, scan: (() -> Unit)?) = page(R.string.name_board) {
    val now = model.state.value
    if (now.words.isNotEmpty()) {
        text(words(R.string.name_board_words))
        card(now.words.joinToString(" "))
        primary(R.string.done, "close", action = model::done)
        return@page
    }
    text(words(R.string.name_board_text))
    if (scan != null) button(words(R.string.scan), "scan", action = scan)
    field(R.string.scanned_text, "scanned", now.scanned) { if (it != model.state.value.scanned) model.scanned(it) }
    primary(R.string.name_board_do, "name_board", action = model::name)
}

internal fun Screens.sync(model: SyncModel) = page(R.string.sync) {
    val now = model.state.value
    text(words(R.string.waiting, now.waiting))
    val ago = now.lastContactDaysAgo
    text(if (ago == null) words(R.string.met_never) else context.daysAgo(R.string.met_today, R.string.met_days, ago))
    if (now.isLooking) text(words(R.string.looking, now.met, now.brought))
    now.requests?.let { text(words(R.string.relay_done, now.brought)) }
    field(R.string.relay, "relay", model.relay) { model.relay = it }
    field(R.string.mailbox, "mailbox", model.mailbox) { model.mailbox = it }
    flow(small(words(R.string.relay_set), "relay_set", action = model::setRelay), small(words(R.string.relay_exchange), "relay_exchange", action = model::exchange))
    primary(if (now.isLooking) R.string.stop_looking else R.string.look_nearby, "look") { model.look(!now.isLooking) }
}

internal fun Screens.settings(model: SettingsModel) = page(R.string.settings) {
    button(words(R.string.team), "team", action = model::team)
    if (model.state.value.changed) text(words(R.string.passphrase_changed))
    val passphrase = passphrase(R.string.new_passphrase, "new_passphrase")
    flow(small(words(R.string.change_passphrase), "change_passphrase") { model.changePassphrase(passphrase.takeBytes()) })
    button(words(R.string.switch_member), "switch", action = model::lock)
    button(words(R.string.add_notebook), "add_notebook", action = model::addNotebook)
    button(words(R.string.erase), "erase", action = model::erase)
    primary(R.string.lock, "lock", action = model::lock)
}

internal fun Screens.erase(model: EraseModel) = page(R.string.erase) {
    heading(words(R.string.erase_title))
    warning(words(R.string.erase_text))
    if (model.state.value.keysStay) warning(words(R.string.erase_keys_stay))
    secondary(R.string.keep, "keep", model::keep)
    if (model.state.value.isSure) primary(R.string.erase_confirm, "erase_confirm", alarm = true, action = model::erase)
    else primary(R.string.erase_sure, "erase_sure", alarm = true, action = model::sure)
}

internal fun Screens.complain(model: ComplainModel) = page(R.string.complain) {
    val now = model.state.value
    if (now.code != null) {
        heading(words(R.string.complain_code))
        card(now.code)
        primary(R.string.complain_done, "complain_done", action = model::done)
        return@page
    }
    if (!now.isOffered) {
        text(words(R.string.complain_none))
        return@page
    }
    if (now.looking) {
        val answer = now.answer
        if (answer != null) {
            heading(answer.progress?.let { context.wordFor("progress", it) } ?: words(R.string.complain_unknown))
            answer.answer?.let { card(it) }
        }
        val code = passphrase(R.string.complain_code_field, "receipt")
        secondary(R.string.back, "look_end") { model.look(false) }
        primary(R.string.complain_look, "look_up") { model.lookUp(code.takeBytes()) }
        return@page
    }
    text(words(R.string.complain_text))
    if (now.overdue) warning(words(R.string.complain_overdue))
    flow(ComplaintCategory.entries.map { category -> choice(context.wordFor("about", category), "about.$category", category == now.category) { model.category(category) } })
    field(R.string.complain_words, "complaint", model.text, lines = 4) { model.text = it }
    secondary(R.string.complain_look, "look") { model.look(true) }
    primary(R.string.complain_send, "complain_send", action = model::send)
}

internal fun Screens.inbox(model: InboxModel) = page(R.string.inbox) {
    val now = model.state.value
    val read = now.read
    if (read != null) {
        heading(context.wordFor("about", read.second.category))
        text(read.second.text)
        field(R.string.inbox_answer, "answer", model.answer, lines = 3) { model.answer = it }
        flow(small(words(R.string.inbox_close), "inbox_close", action = model::close))
        primary(R.string.inbox_send, "inbox_send", action = model::answer)
        return@page
    }
    if (!now.isSetUp) {
        primary(R.string.inbox_setup, "inbox_setup", action = model::setUp)
        return@page
    }
    text(words(R.string.inbox_words))
    card(now.words.joinToString(" "))
    if (now.keys != null) {
        text(words(R.string.inbox_keys))
        code(now.keys, R.string.inbox_keys_said)
        primary(R.string.inbox_keys_named, "inbox_keys_named", action = model::load)
        return@page
    }
    val lines = now.book?.lines.orEmpty()
    if (lines.isEmpty()) text(words(R.string.inbox_none))
    lines.forEach { line ->
        card(words(R.string.inbox_line, context.wordFor("about", line.category), line.arrived), context.wordFor("progress", line.progress))
            .with(row(small(words(R.string.inbox_read), "read.${line.id}") { model.read(line) }))
    }
    primary(R.string.inbox_publish, "publish", action = model::publish)
}
