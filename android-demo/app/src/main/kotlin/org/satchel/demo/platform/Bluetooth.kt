package org.satchel.demo.platform

import android.annotation.SuppressLint
import android.bluetooth.BluetoothAdapter
import android.bluetooth.BluetoothDevice
import java.io.IOException
import java.util.UUID
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext
import org.satchel.demo.repository.Reply
import org.satchel.demo.repository.Repository
import org.satchel.demo.repository.SessionReport

/**
 * Meets a colleague's paired phone over a Bluetooth socket: the library's session, carried by the app.
 *
 * The radio's own encryption is not relied on: the session is end-to-end encrypted whatever carries it. Compiled against
 * the framework and not run: there is no radio where it was written. The caller holds BLUETOOTH_CONNECT.
 */
@SuppressLint("MissingPermission")
class Bluetooth(private val adapter: BluetoothAdapter, private val repository: Repository) {
    /** Waits for one call, at most [millis]. Null: nobody called. */
    suspend fun listen(millis: Int): Reply<SessionReport>? = withContext(Dispatchers.IO) {
        try {
            adapter.listenUsingInsecureRfcommWithServiceRecord(SERVICE_NAME, SERVICE).use { server ->
                server.accept(millis).use { repository.meet(it.inputStream, it.outputStream, dials = false) }
            }
        } catch (_: IOException) {
            null
        }
    }

    /** Calls a paired phone. Null: it did not answer. */
    suspend fun dial(phone: BluetoothDevice): Reply<SessionReport>? = withContext(Dispatchers.IO) {
        try {
            phone.createInsecureRfcommSocketToServiceRecord(SERVICE).use { socket ->
                socket.connect()
                repository.meet(socket.inputStream, socket.outputStream, dials = true)
            }
        } catch (_: IOException) {
            null
        }
    }

    private companion object {
        /** Says nothing about what it is for. */
        const val SERVICE_NAME = "sync"
        val SERVICE: UUID = UUID.fromString("5b0c2c52-7d0b-4f0e-9f0c-3f6e0f1a9b11")
    }
}
