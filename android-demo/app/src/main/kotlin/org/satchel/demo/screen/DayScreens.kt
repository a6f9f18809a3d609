package org.satchel.demo.screen

import org.satchel.demo.R
import org.satchel.demo.model.*
import org.satchel.demo.repository.Demand
import org.satchel.demo.repository.EncounterKind
import org.satchel.demo.repository.Outcome
import org.satchel.demo.repository.Resource
import org.satchel.demo.repository.ResourceCategory

internal fun Screens.today(model: TodayModel) = page(R.string.today, hasBack = false) {
    val now = model.state.value
    text(words(R.string.encounters_today, now.encounters))
    val met = if (now.notInTouch) words(R.string.met_never) else context.daysAgo(R.string.met_today, R.string.met_days, now.lastContact ?: 0)
    text(if (now.waiting > 0) words(R.string.waiting, now.waiting) + "\n" + met else met, quiet = true)
    if (now.promised.isNotEmpty()) {
        heading(words(R.string.promised))
        now.promised.forEach { promise ->
            card(promise.what, listOfNotNull(promise.who).joinToString(), context.until(promise.inDays))
                .with(row(small(words(R.string.done), "done.${promise.id}") { model.done(promise) }))
        }
    }
    if (now.supplies.isNotEmpty()) {
        heading(words(R.string.tally_title))
        flow(
            now.supplies.map { (resource, counted) ->
                small("${resource.name}  +1  ($counted)", "tally.${resource.name}", words(R.string.tally_said, resource.name, counted)) { model.tally(resource) }
            },
        )
    }
    heading(words(R.string.find))
    flow(
        small(words(R.string.people), "people", action = model::people),
        small(words(R.string.find), "find", action = model::find),
        small(words(R.string.follow_ups), "follow_ups", action = model::followUps),
        small(words(R.string.team), "team", action = model::team),
        small(words(R.string.sync), "sync", action = model::sync),
        small(words(R.string.complain), "complain", action = model::complain),
        small(words(R.string.settings), "settings", action = model::settings),
    )
    if (now.isBoard) flow(small(words(R.string.inbox), "inbox", action = model::inbox))
    secondary(R.string.lock, "lock", model::lock)
    if (!now.isBoard) primary(R.string.new_encounter, "new_encounter", action = model::newEncounter)
}

internal fun Screens.encounter(model: EncounterModel) = page(R.string.new_encounter) {
    val now = model.state.value
    if (now.undone) {
        text(words(R.string.undone))
        primary(R.string.done, "close", action = model::done)
        return@page
    }
    if (now.saved != null) {
        text(words(R.string.saved))
        secondary(R.string.undo, "undo", model::undo)
        if (now.participant != null) secondary(R.string.wrong_person, "wrong_person", model::wrongPerson)
        primary(R.string.done, "close", action = model::done)
        return@page
    }
    flow(EncounterKind.entries.map { kind -> choice(context.wordFor("kind", kind), "kind.$kind", kind == now.kind) { model.kind(kind) } })
    heading(words(R.string.who))
    if (now.choosing) {
        flow(
            listOf(choice(words(R.string.nobody_named), "who.nobody", now.participant == null) { model.who(null) }) +
                now.people.map { line -> choice(line.alias ?: words(R.string.no_alias), "who.${line.alias}", line.id == now.participant) { model.who(line.id) } },
        )
    } else {
        val alias = now.people.firstOrNull { it.id == now.participant }?.alias
        val name = if (now.participant == null) words(R.string.nobody_named) else alias ?: words(R.string.no_alias)
        button(name, "who", "${words(R.string.who)}: $name", model::choose)
    }
    heading(words(R.string.offered))
    flow(now.supplies.map { resource -> choice(resource.name, "offer.${resource.name}", now.offers.any { it.resource.id == resource.id }) { model.offer(resource) } })
    now.offers.forEach { offer ->
        val name = offer.resource.name
        val isRefusal = offer.outcome == Outcome.DECLINED || offer.outcome == Outcome.NOT_NOW
        val views = mutableListOf<android.view.View>(
            row(
                small("−", "less.$name", words(R.string.less, name)) { model.quantity(offer.resource, offer.quantity - 1) },
                small("+", "more.$name", words(R.string.more, name)) { model.quantity(offer.resource, offer.quantity + 1) },
            ),
            row(*Outcome.entries.map { outcome -> choice(context.wordFor("outcome", outcome), "outcome.$name.$outcome", outcome == offer.outcome) { model.outcome(offer.resource, outcome) } }.toTypedArray()),
        )
        if (isRefusal) {
            views += label(words(R.string.refusal_gone), style.smallSize, style.quiet)
            if (now.participant != null) {
                views += row(choice(words(R.string.keep_refusal), "keep.$name", offer.keepRefusal) { model.keepRefusal(offer.resource, !offer.keepRefusal) })
            }
        }
        card("$name × ${offer.quantity}").with(*views.toTypedArray())
    }
    guarded(R.string.note, "note", model.note, lines = 2, underGrant = if (now.participant != null) model::recordUnderGrant else null)
    primary(R.string.save, "save", action = model::save)
}

internal fun Screens.find(model: FindModel) = page(R.string.find) {
    val now = model.state.value
    field(R.string.find_hint, "find_text", now.text) { if (it != model.state.value.text) model.type(it) }
    flow(
        listOf(choice(words(R.string.open_now), "open_now", now.openNow) { model.openNow(!now.openNow) }) +
            ResourceCategory.entries.map { category -> choice(context.wordFor("cat", category), "cat.$category", category == now.category) { model.category(category) } },
    )
    heading(words(R.string.without))
    flow(Demand.entries.map { demand -> choice(context.wordFor("demand", demand), "without.$demand", demand in now.without) { model.without(demand) } })
    heading(words(R.string.find))
    if (now.found.isEmpty()) text(words(R.string.nothing_found))
    now.found.forEach { resource ->
        val lines = if (now.open == resource.id) details(resource) else listOf(context.wordFor("cat", resource.category), demands(resource))
        card(resource.name, *lines.toTypedArray()).apply {
            tag = "found.${resource.name}"
            isClickable = true
            setOnClickListener { model.open(resource) }
        }
    }
}

private fun Page.demands(resource: Resource): String =
    if (resource.demands.isEmpty()) words(R.string.demands_none) else words(R.string.demands, resource.demands.joinToString { context.wordFor("demand", it) })

private fun Page.details(resource: Resource): List<String> = listOfNotNull(
    context.wordFor("cat", resource.category),
    resource.provider,
    resource.description,
    demands(resource),
    resource.hours,
    resource.eligibility,
    resource.cost,
    resource.languages.joinToString(),
    resource.phone,
    resource.address,
    resource.passesToPolice().takeIf { it }?.let { words(R.string.shares_police) },
    resource.passesToHmis().takeIf { it }?.let { words(R.string.shares_hmis) },
    if (resource.faithOrRescue == true) words(R.string.faith) else null,
)

private fun Resource.passesToPolice() = sharesDataWith.any { it.name == "POLICE" }
private fun Resource.passesToHmis() = sharesDataWith.any { it.name == "HMIS" }

internal fun Screens.followUps(model: FollowUpsModel) = page(R.string.follow_ups) {
    val now = model.state.value
    if (now.promised.isEmpty()) text(words(R.string.nothing_promised))
    now.promised.forEach { promise ->
        card(promise.what, promise.who?.let { words(R.string.for_whom, it) }.orEmpty(), context.until(promise.inDays)).with(
            row(
                small(words(R.string.done), "done.${promise.what}") { model.done(promise) },
                small(words(R.string.dropped), "dropped.${promise.what}") { model.dropped(promise) },
            ),
        )
    }
}
