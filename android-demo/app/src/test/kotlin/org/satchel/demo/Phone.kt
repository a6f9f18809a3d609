package org.satchel.demo

import java.io.File
import java.time.LocalDateTime
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancel
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.satchel.demo.model.App
import org.satchel.demo.model.Model
import org.satchel.demo.model.Moment
import org.satchel.demo.model.Platform
import org.satchel.demo.model.ownResource
import org.satchel.demo.platform.LocalNetwork
import org.satchel.demo.repository.Carrier
import org.satchel.demo.repository.Demand
import org.satchel.demo.repository.Effort
import org.satchel.demo.repository.Opening
import org.satchel.demo.repository.Repository
import org.satchel.demo.repository.Resource
import org.satchel.demo.repository.ResourceCategory
import org.satchel.demo.repository.Weekday

const val PASSPHRASE = "correct horse battery"

/** A platform without a phone: connections on this machine's own network. */
class TestPlatform : Platform {
    @Volatile var isOpen: Boolean? = null
    @Volatile var said: String? = null

    override suspend fun accept(listening: (String) -> Unit): Carrier? = LocalNetwork.accept("127.0.0.1", listening)
    override suspend fun dial(address: String): Carrier? = LocalNetwork.dial(address)
    var supplies = listOf("Naloxone kit" to ResourceCategory.SAFER_USE_SUPPLIES, "Socks" to ResourceCategory.OTHER)
    override fun starters() = supplies
    override fun timeZone() = "America/Los_Angeles"
    override fun language() = "en"
    override fun openedOrLocked(isOpen: Boolean) {
        this.isOpen = isOpen
    }
    override fun readAloud(text: String, language: String) {
        said = "$language:$text"
    }
    @Volatile var moment = Moment(7, 1_000)
    override fun moment() = moment
    override fun stopReading() {
        said = null
    }
}

/** A phone without its screen: the app, its models and a real store. */
class Phone(folder: File, io: CoroutineDispatcher = Dispatchers.IO, now: LocalDateTime = LocalDateTime.of(2026, 11, 23, 12, 0)) : AutoCloseable {
    val scope = CoroutineScope(Dispatchers.Default.limitedParallelism(1) + SupervisorJob())
    val platform = TestPlatform()
    val repository = Repository(folder, null, Effort.LEAST, io, { now })
    val app = App(repository, platform, scope, guardPauseMillis = 0, lookMillis = 50)

    inline fun <reified M : Model<*>> here(): M = runBlocking { withTimeout(60_000) { app.place.first { it.second is M }.second as M } }

    override fun close() {
        repository.lockNow()
        scope.cancel()
    }
}

/** Waits until what is shown fits. */
fun <S> StateFlow<S>.until(what: (S) -> Boolean): S = runBlocking {
    try {
        withTimeout(60_000) { first(what) }
    } catch (_: kotlinx.coroutines.TimeoutCancellationException) {
        throw AssertionError("never came to be; last: $value")
    }
}

fun shelter(repository: Repository): Resource = ownResource(repository.resourceId("Night shelter"), "Night shelter", ResourceCategory.HOUSING).copy(
    provider = "City",
    demands = listOf(Demand.ID, Demand.POLICE_CONTACT),
    openings = listOf(Opening(Weekday.MONDAY, 1200u, 1860u)),
    areOpeningsComplete = true,
    hours = "Mondays from 8 p.m.",
)

fun dropIn(repository: Repository): Resource = ownResource(repository.resourceId("Elm House"), "Elm House", ResourceCategory.DROP_IN).copy(
    provider = "Elm House",
    doesNotDemand = listOf(Demand.ID, Demand.POLICE_CONTACT, Demand.ABSTINENCE),
    openings = listOf(Opening(Weekday.MONDAY, 600u, 960u)),
    areOpeningsComplete = true,
    hours = "Mondays 10 to 4",
)

