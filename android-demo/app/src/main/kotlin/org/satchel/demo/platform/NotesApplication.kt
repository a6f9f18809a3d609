package org.satchel.demo.platform

import android.app.Application
import android.content.BroadcastReceiver
import android.content.Context
import android.content.Intent
import android.content.IntentFilter
import android.os.Handler
import android.os.Looper
import java.io.File
import kotlin.coroutines.CoroutineContext
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.SupervisorJob
import org.satchel.demo.model.App
import org.satchel.demo.repository.Repository

/** Runs coroutines on the framework's main thread. */
object MainThread : CoroutineDispatcher() {
    private val handler = Handler(Looper.getMainLooper())
    override fun isDispatchNeeded(context: CoroutineContext): Boolean = Looper.myLooper() != Looper.getMainLooper()
    override fun dispatch(context: CoroutineContext, block: Runnable) {
        handler.post(block)
    }
}

/** Holds the app for as long as the process lives: a rotated window finds it again. */
open class NotesApplication : Application() {
    open val main: CoroutineDispatcher get() = MainThread

    val app: App by lazy { App(repository(), PhonePlatform(this), CoroutineScope(main + SupervisorJob())) }

    /** Below the folder that no backup and no other app sees. */
    protected open fun repository() = Repository(File(noBackupFilesDir, "n"), AndroidKeystore())

    private val screenOff = object : BroadcastReceiver() {
        override fun onReceive(context: Context, intent: Intent) = app.lock()
    }

    override fun onCreate() {
        super.onCreate()
        registerReceiver(screenOff, IntentFilter(Intent.ACTION_SCREEN_OFF))
    }
}

/** The notification's button: locks without opening the app. */
class LockReceiver : BroadcastReceiver() {
    override fun onReceive(context: Context, intent: Intent) {
        (context.applicationContext as NotesApplication).app.lock()
    }
}
