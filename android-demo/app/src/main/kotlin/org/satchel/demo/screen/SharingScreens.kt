package org.satchel.demo.screen

import org.satchel.demo.R
import org.satchel.demo.model.*
import org.satchel.demo.repository.ShareClass

internal fun Screens.offer(model: OfferModel) = page(R.string.offer) {
    val offer = model.state.value.offer
    if (offer != null) {
        code(offer.text, R.string.offer_said)
        text(words(R.string.compare))
        card(offer.words.joinToString("\n"))
        return@page
    }
    text(words(R.string.offer_text))
    guarded(R.string.offer_name, "name", model.name)
    primary(R.string.offer_show, "offer", action = model::offer)
}

internal fun Screens.pair(model: PairModel, scan: (() -> Unit)?) = page(R.string.pair) {
    val now = model.state.value
    if (now.words.isNotEmpty()) {
        compare(now.words, model::agree)
        return@page
    }
    if (now.differed) warning(words(R.string.differed))
    text(words(R.string.pair_text))
    guarded(R.string.recipient_new, "name", model.name)
    flow(ShareClass.entries.map { kind -> choice(context.wordFor("class", kind), "class.$kind", kind == now.kind) { model.kind(kind) } })
    if (scan != null) button(words(R.string.scan), "scan", action = scan)
    field(R.string.scanned_text, "scanned", now.scanned) { if (it != model.state.value.scanned) model.scanned(it) }
    primary(R.string.pair_do, "pair", action = model::pair)
}

internal fun Screens.share(model: ShareModel) = page(R.string.share) {
    val now = model.state.value
    val plan = now.plan ?: return@page
    if (now.isGiven) {
        text(words(R.string.share_given))
        primary(R.string.done, "close", action = model::done)
        return@page
    }
    text(words(R.string.share_to, plan.name.orEmpty(), context.wordFor("purpose", plan.purpose), plan.until))
    heading(words(R.string.share_leaves))
    plan.fields.forEach { card(context.wordFor("fact", it)) }
    if (now.address != null) text(words(R.string.listening_at, now.address))
    else primary(R.string.share_give, "give", action = model::give)
}

internal fun Screens.take(model: TakeModel) = page(R.string.take) {
    val facts = model.state.value.facts
    if (facts != null) {
        facts.forEach { card(context.wordFor("fact", it.field), it.value) }
        primary(R.string.take_keep, "take_keep", action = model::keep)
        return@page
    }
    text(words(R.string.take_text))
    field(R.string.address, "address", model.address) { model.address = it }
    primary(R.string.take_do, "take", action = model::take)
}
