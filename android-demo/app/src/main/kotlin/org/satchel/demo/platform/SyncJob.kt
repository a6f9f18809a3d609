package org.satchel.demo.platform

import android.app.job.JobParameters
import android.app.job.JobService
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.cancel
import kotlinx.coroutines.launch

/** Exchanges with the relay now and then while the notebook is open. A locked one has no keys, and the job does nothing. */
class SyncJob : JobService() {
    private var scope: CoroutineScope? = null

    override fun onStartJob(job: JobParameters): Boolean {
        val application = application as NotesApplication
        val repository = application.app.repository
        if (!repository.isUnlocked()) return false
        scope = CoroutineScope(application.main + Job()).also {
            it.launch {
                // a relay that is not set or not reached is no fault here: the sync page shows how it stands
                repository.exchange(byHand = false)
                jobFinished(job, false)
            }
        }
        return true
    }

    override fun onStopJob(job: JobParameters): Boolean {
        scope?.cancel()
        return true
    }

    companion object {
        const val ID = 1
        const val PERIOD_MILLIS = 30L * 60 * 1000
    }
}
