package androidx.test.internal.runner.intent;
import android.content.Intent;
public final class IntentMonitorImpl implements androidx.test.runner.intent.IntentMonitor { public void signalIntent(Intent intent) {} }
