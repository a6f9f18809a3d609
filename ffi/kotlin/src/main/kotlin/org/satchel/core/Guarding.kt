package org.satchel.core

import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.delay
import kotlinx.coroutines.withContext

/**
 * Removes a device, a lost phone say, in two steps: [confirm] shows a person what it means and answers whether to go on.
 *
 * Returns the operation, or null when the person said no; then nothing has happened. Throws [FfiException.NotFound] for
 * a device that is unknown or removed, [FfiException.Refused] for this device or without the right.
 */
suspend fun Unlocked.removeDevice(device: String, confirm: suspend (RemovalDetails) -> Boolean): String? {
    val plan = withContext(Dispatchers.IO) { prepareRemoval(device) }
    return plan.use { if (confirm(it.details())) withContext(Dispatchers.IO) { it.confirm() } else null }
}

/**
 * Locks the store by itself once no handle was used for [idle], and returns when it is locked.
 *
 * For a scope that lives as long as the app. Cancelling it leaves the limit: every call still looks at it first.
 * Call `lock` at screen-off: a clock that stands still is not noticed here.
 */
suspend fun Store.lockWhenIdle(idle: Duration, look: Duration = 1.seconds) {
    lockAfter(idle.inWholeSeconds.toULong())
    while (!withContext(Dispatchers.IO) { lockIfIdle() }) delay(look)
}

/** A [KeyProtector] for a platform that keeps no day outside the store: Android without a trusted place for it. */
abstract class DaylessKeyProtector : KeyProtector {
    final override fun noteDay(store: ByteArray, day: UInt): Unit = throw KeyProtectorException.Unsupported()
    final override fun highestDay(store: ByteArray): UInt? = throw KeyProtectorException.Unsupported()
}
