package org.satchel.demo.screen

import org.satchel.demo.R
import org.satchel.demo.model.*
import org.satchel.demo.repository.ConsentAct
import org.satchel.demo.repository.GatedCategory
import org.satchel.demo.repository.HowGiven
import org.satchel.demo.repository.Language
import org.satchel.demo.repository.Purpose
import org.satchel.demo.repository.ReferralStatus
import org.satchel.demo.repository.ShareClass
import org.satchel.demo.repository.FollowUpState

internal fun Screens.people(model: PeopleModel) = page(R.string.people) {
    val now = model.state.value
    field(R.string.filter_people, "filter", now.filter) { if (it != model.state.value.filter) model.filter(it) }
    if (now.people.isEmpty()) text(words(R.string.no_people))
    now.people.forEach { line ->
        val name = line.participant.alias ?: words(R.string.no_alias)
        val last = context.daysAgo(R.string.last_today, R.string.last_days, line.daysAgo)
        button(if (line.participant.closed) "$name\n${words(R.string.closed)}" else "$name\n$last", "person.$name") { model.open(line.participant) }
    }
    primary(R.string.new_person, "new_person", action = model::new)
}

internal fun Screens.newPerson(model: NewPersonModel) = page(R.string.new_person) {
    text(words(R.string.yes_text))
    text(words(R.string.no_text), quiet = true)
    flow(HowGiven.entries.map { how -> choice(context.wordFor("how", how), "how.$how", how == model.state.value.how) { model.how(how) } })
    guarded(R.string.alias, "alias", model.alias)
    guarded(R.string.pronouns, "pronouns", model.pronouns)
    guarded(R.string.goal, "goal", model.goal)
    guarded(R.string.contact, "contact", model.contact)
    primary(R.string.said_yes, "said_yes", action = model::theySaidYes)
}

internal fun Screens.person(model: PersonModel) = page(model.state.value.file?.alias ?: context().getString(R.string.no_alias)) {
    val now = model.state.value
    val file = now.file ?: return@page
    if (now.withdrawing) {
        warning(words(R.string.withdraw_text))
        secondary(R.string.keep, "keep") { model.withdraw(false) }
        primary(R.string.withdraw_confirm, "withdraw_confirm", alarm = true, action = model::withdrawAll)
        return@page
    }
    file.conflicts.forEach { conflict ->
        warning(words(R.string.conflict, model.valuesOf(conflict).joinToString(" / ")))
        text(words(R.string.conflict_who), quiet = true)
        flow(model.valuesOf(conflict).map { value -> small(words(R.string.pick, value), "pick.$value") { model.pick(conflict, value) } })
    }
    if (file.closed) text(words(R.string.closed))
    listOfNotNull(file.pronouns, file.contact).forEach { text(it) }
    if (file.goals.isNotEmpty()) {
        heading(words(R.string.goals))
        file.goals.forEachIndexed { at, goal -> text("${at + 1}. $goal") }
    }
    text(words(R.string.encounters, now.encounters.size), quiet = true)
    now.promised.filter { it.state == FollowUpState.OPEN }.forEach { card(it.what.orEmpty(), words(R.string.promised)) }
    guarded(R.string.promise_new, "promise", model.promise)
    flow(small(words(R.string.promise_week), "promise_week") { model.promise(7) })
    heading(words(R.string.self_referral))
    now.referrals.forEach { line ->
        val name = now.resources.firstOrNull { it.id == line.to }?.name.orEmpty()
        card(name).with(row(*ReferralStatus.entries.map { status -> choice(context.wordFor("ref", status), "ref.$name.$status", status == line.status) { model.referral(line, status) } }.toTypedArray()))
    }
    if (now.choosing) flow(now.resources.map { resource -> small(resource.name, "refer.${resource.name}") { model.refer(resource) } })
    else flow(small(words(R.string.self_referral), "refer") { model.chooseReferral(true) })
    heading(words(R.string.permissions))
    now.grants.filter { it.live.isNotEmpty() }.forEach { line ->
        card(line.live.joinToString { context.wordFor("gated", it) }, line.grant?.let { context.wordFor("purpose", it.purpose) }.orEmpty())
            .with(
                row(
                    *listOfNotNull(
                        small(words(R.string.share), "share.${line.live.first()}") { model.share(line) }.takeIf { line.grant?.act == ConsentAct.SHARE },
                        small(words(R.string.withdraw_one), "withdraw.${line.live.first()}") { model.withdrawGrant(line) },
                    ).toTypedArray(),
                ),
            )
    }
    flow(
        small(words(R.string.ask_consent), "ask", action = model::ask),
        small(words(R.string.hold), "hold", action = model::hold),
        small(words(R.string.edit), "edit", action = model::edit),
        small(words(R.string.take), "take", action = model::take),
        small(words(if (file.closed) R.string.reopen_file else R.string.close_file), "close_file") { model.close(!file.closed) },
        small(words(R.string.withdraw_all), "withdraw_all") { model.withdraw(true) },
    )
    primary(R.string.new_encounter, "new_encounter", action = model::encounter)
}

internal fun Screens.edit(model: EditModel) = page(R.string.edit) {
    val now = model.state.value
    guarded(R.string.alias, "alias", model.alias)
    guarded(R.string.pronouns, "pronouns", model.pronouns)
    guarded(R.string.contact, "contact", model.contact)
    guarded(R.string.recognition_word, "word", model.word)
    heading(words(R.string.goals))
    now.goals.forEachIndexed { at, goal ->
        card("${at + 1}. $goal").with(
            row(
                small("↑", "up.$at", words(R.string.goal_up, goal)) { model.up(at) },
                small("×", "remove.$at", words(R.string.goal_remove, goal)) { model.remove(at) },
            ),
        )
    }
    guarded(R.string.goal, "goal", model.goal)
    flow(small(words(R.string.goal_add), "goal_add", action = model::add))
    primary(R.string.save, "save", action = model::save)
}

internal fun Screens.ask(model: AskModel) = page(R.string.ask_consent) {
    val now = model.state.value
    val consent = now.words
    if (consent != null) {
        heading(words(R.string.words_title))
        text(consent.text)
        flow(
            small(words(R.string.read_aloud), "read_aloud", action = model::readAloud),
            small(words(R.string.in_english), "in_english") { model.words(Language.ENGLISH) },
            small(words(R.string.in_spanish), "in_spanish") { model.words(Language.SPANISH) },
        )
        text(words(R.string.no_text), quiet = true)
        secondary(R.string.said_no, "said_no", model::no)
        primary(R.string.said_yes, "said_yes", action = model::yes)
        return@page
    }
    flow(ConsentAct.entries.map { act -> choice(context.wordFor("act", act), "act.$act", act == now.act) { model.act(act) } })
    heading(words(R.string.about_what))
    flow(GatedCategory.entries.map { category -> choice(context.wordFor("gated", category), "gated.$category", category == now.category) { model.category(category) } })
    if (now.act == ConsentAct.RECORD) {
        field(R.string.value, "value", now.value) { if (it != model.state.value.value) model.value(it) }
    } else {
        heading(words(R.string.to_whom))
        flow(now.recipients.map { line -> choice(line.name.orEmpty(), "recipient.${line.name}", line.id == now.recipient) { model.recipient(line.id) } })
        guarded(R.string.recipient_new, "recipient", model.recipientName)
        flow(small(words(R.string.recipient_add), "recipient_add") { model.addRecipient(ShareClass.SERVICE) })
    }
    heading(words(R.string.what_for))
    flow(Purpose.entries.map { purpose -> choice(context.wordFor("purpose", purpose), "purpose.$purpose", purpose == now.purpose) { model.purpose(purpose) } })
    heading(words(R.string.how_long))
    flow(listOf(7, 30, 90).map { days -> choice("$days", "days.$days", days == now.days) { model.days(days) } })
    primary(R.string.show_words, "show_words") { model.words() }
}

/** In the participant's language, whatever the phone's is. */
internal fun Screens.hold(model: HoldModel): Page {
    val now = model.state.value
    val held = now.held ?: return page(R.string.hold) {
        if (!now.asksWord) return@page
        text(words(R.string.hold_word))
        field(R.string.hold_word_field, "word", model.word) { model.word = it }
        primary(R.string.hold_word_ok, "recognised", action = model::said)
    }
    return page(held.title, wordsIn = context().inLanguage(held.language.code())) {
        held.sections.forEach { section ->
            heading(section.heading)
            section.lines.forEach { text(it) }
            section.ownWords.forEach { card(it) }
        }
        flow(
            small(words(R.string.in_english), "in_english") { model.language(Language.ENGLISH) },
            small(words(R.string.in_spanish), "in_spanish") { model.language(Language.SPANISH) },
        )
        primary(R.string.read_aloud, "read_aloud", action = model::readAloud)
    }
}
