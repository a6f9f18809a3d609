package org.satchel.core

import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.conflate
import kotlinx.coroutines.flow.flowOn
import kotlinx.coroutines.flow.map

/** Where it stands in the text: for `substring` and for spans. */
val Finding.range: IntRange get() = startUtf16.toInt() until endUtf16.toInt()

/** Where it stands in the text: for `substring` and for spans. */
val Suggestion.range: IntRange get() = startUtf16.toInt() until endUtf16.toInt()

/** What is to be marked in a field while somebody types: [findings] stop a save, [suggestions] stop nothing. */
data class GuardNotice(val findings: List<Finding>, val suggestions: List<Suggestion>)

/** What the guard says to a text; [alias] is the name of the participant that it is about. */
fun guardNotice(text: String, alias: String? = null): GuardNotice = GuardNotice(screen(text, alias), suggest(text))

/** What the guard says to each text of a field, off the collector's thread; of texts typed meanwhile only the newest. */
fun Flow<String>.guarded(alias: String? = null): Flow<GuardNotice> =
    conflate().map { guardNotice(it, alias) }.flowOn(Dispatchers.Default)
