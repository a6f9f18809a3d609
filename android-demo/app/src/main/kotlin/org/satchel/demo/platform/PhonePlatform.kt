package org.satchel.demo.platform

import android.app.Notification
import android.app.NotificationChannel
import android.app.NotificationManager
import android.app.PendingIntent
import android.app.job.JobInfo
import android.app.job.JobScheduler
import android.content.ComponentName
import android.content.Context
import android.content.Intent
import android.net.ConnectivityManager
import android.os.SystemClock
import android.provider.Settings
import android.speech.tts.TextToSpeech
import java.io.DataInputStream
import java.io.DataOutputStream
import java.io.IOException
import java.io.InputStream
import java.io.OutputStream
import java.net.Inet4Address
import java.net.InetSocketAddress
import java.net.ServerSocket
import java.net.Socket
import java.util.Locale
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext
import org.satchel.demo.R
import org.satchel.demo.model.Moment
import org.satchel.demo.model.Platform
import org.satchel.demo.repository.Carrier
import org.satchel.demo.repository.ResourceCategory

/** Whole messages over the two streams of a connection: four bytes of length, then so many bytes. */
class StreamCarrier(input: InputStream, output: OutputStream, private val connection: AutoCloseable) : Carrier {
    private val input = DataInputStream(input)
    private val output = DataOutputStream(output)

    override fun send(message: ByteArray) {
        output.writeInt(message.size)
        output.write(message)
        output.flush()
    }

    override fun receive(): ByteArray {
        val length = input.readInt()
        // bounded before anything is allocated: whoever is on this network may have connected
        if (length !in 0..MESSAGE_BYTES) throw IOException("message too long")
        return ByteArray(length).also { input.readFully(it) }
    }

    override fun close() = connection.close()

    private companion object {
        const val MESSAGE_BYTES = 4 * 1024 * 1024
    }
}

/** Two phones on one Wi-Fi, one dialling the other. */
object LocalNetwork {
    private const val PATIENCE_MILLIS = 10 * 60 * 1000
    private const val DIAL_MILLIS = 10_000

    suspend fun accept(host: String, listening: (String) -> Unit): Carrier? = withContext(Dispatchers.IO) {
        try {
            ServerSocket(0).use { server ->
                server.soTimeout = PATIENCE_MILLIS
                listening("$host:${server.localPort}")
                carrier(server.accept())
            }
        } catch (_: IOException) {
            null
        }
    }

    suspend fun dial(address: String): Carrier? = withContext(Dispatchers.IO) {
        val port = address.substringAfterLast(':').toIntOrNull() ?: return@withContext null
        try {
            carrier(Socket().apply { connect(InetSocketAddress(address.substringBeforeLast(':'), port), DIAL_MILLIS) })
        } catch (_: IOException) {
            null
        } catch (_: IllegalArgumentException) {
            null
        }
    }

    private fun carrier(socket: Socket): Carrier {
        socket.soTimeout = PATIENCE_MILLIS
        return StreamCarrier(socket.getInputStream(), socket.getOutputStream(), socket)
    }
}

/** What only a phone can do for the models. */
class PhonePlatform(private val context: Context) : Platform {
    private var voice: TextToSpeech? = null

    override suspend fun accept(listening: (String) -> Unit): Carrier? = LocalNetwork.accept(ownAddress() ?: return null, listening)

    override suspend fun dial(address: String): Carrier? = LocalNetwork.dial(address)

    private fun ownAddress(): String? {
        val manager = context.getSystemService(ConnectivityManager::class.java) ?: return null
        val links = manager.activeNetwork?.let(manager::getLinkProperties)?.linkAddresses.orEmpty()
        return links.map { it.address }.firstOrNull { it is Inet4Address && !it.isLoopbackAddress }?.hostAddress
    }

    override fun starters(): List<Pair<String, ResourceCategory>> = listOf(
        R.string.supply_naloxone to ResourceCategory.SAFER_USE_SUPPLIES,
        R.string.supply_use_kit to ResourceCategory.SAFER_USE_SUPPLIES,
        R.string.supply_water to ResourceCategory.FOOD,
        R.string.supply_socks to ResourceCategory.OTHER,
        R.string.supply_hygiene to ResourceCategory.HEALTH_CARE,
        R.string.supply_ride to ResourceCategory.TRANSPORT,
    ).map { (name, category) -> context.getString(name) to category }

    override fun timeZone(): String = java.time.ZoneId.systemDefault().id

    override fun language(): String = if (context.resources.configuration.locales[0].language == "es") "es" else "en"

    /** A button to lock with, and nothing of what is inside: not a name, not a number. */
    override fun openedOrLocked(isOpen: Boolean) {
        val manager = context.getSystemService(NotificationManager::class.java) ?: return
        val jobs = context.getSystemService(JobScheduler::class.java) ?: return
        if (!isOpen) {
            manager.cancel(NOTICE)
            jobs.cancel(SyncJob.ID)
            return
        }
        manager.createNotificationChannel(NotificationChannel(CHANNEL, context.getString(R.string.notice_channel), NotificationManager.IMPORTANCE_LOW))
        val lock = PendingIntent.getBroadcast(context, 0, Intent(context, LockReceiver::class.java), PendingIntent.FLAG_IMMUTABLE)
        val notice = Notification.Builder(context, CHANNEL)
            .setSmallIcon(R.drawable.icon)
            .setContentTitle(context.getString(R.string.notice_open))
            .setVisibility(Notification.VISIBILITY_SECRET)
            .setOngoing(true)
            .addAction(Notification.Action.Builder(null, context.getString(R.string.lock), lock).build())
            .build()
        manager.notify(NOTICE, notice)
        jobs.schedule(
            JobInfo.Builder(SyncJob.ID, ComponentName(context, SyncJob::class.java))
                .setRequiredNetworkType(JobInfo.NETWORK_TYPE_ANY)
                .setPeriodic(SyncJob.PERIOD_MILLIS)
                .build(),
        )
    }

    override fun readAloud(text: String, language: String) {
        stopReading()
        voice = TextToSpeech(context) { status -> voice?.takeIf { status == TextToSpeech.SUCCESS }?.read(text, language) }
    }

    /** Only with a voice that stays on this phone: one of the network would send somebody's file to its maker. */
    private fun TextToSpeech.read(text: String, language: String) {
        val own = voices.orEmpty().filter { it.locale.language == Locale(language).language && !it.isNetworkConnectionRequired }
        val chosen = own.maxByOrNull { it.quality } ?: return
        if (setVoice(chosen) != TextToSpeech.SUCCESS) return
        // the engine takes so much at once and no more; a page is read in its lines
        val most = TextToSpeech.getMaxSpeechInputLength()
        text.lines().filter { it.isNotBlank() }.flatMap { it.chunked(most) }.forEachIndexed { at, line ->
            speak(line, if (at == 0) TextToSpeech.QUEUE_FLUSH else TextToSpeech.QUEUE_ADD, null, "line$at")
        }
    }

    override fun moment() = Moment(Settings.Global.getInt(context.contentResolver, Settings.Global.BOOT_COUNT, -1), SystemClock.elapsedRealtime())

    override fun stopReading() {
        voice?.stop()
        voice?.shutdown()
        voice = null
    }

    companion object {
        const val CHANNEL = "state"
        const val NOTICE = 1
    }
}
