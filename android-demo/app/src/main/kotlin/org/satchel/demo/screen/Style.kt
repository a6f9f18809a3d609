package org.satchel.demo.screen

import android.content.Context
import android.content.res.Configuration
import android.graphics.Color
import android.graphics.drawable.GradientDrawable
import android.graphics.drawable.RippleDrawable
import android.content.res.ColorStateList

/** Every colour and size in one place. Contrasts are 7:1 or better for text, in both themes. */
class Style(context: Context) {
    private val density = context.resources.displayMetrics.density
    val isNight = context.resources.configuration.uiMode and Configuration.UI_MODE_NIGHT_MASK == Configuration.UI_MODE_NIGHT_YES

    val page = if (isNight) 0xFF101416.toInt() else Color.WHITE
    val card = if (isNight) 0xFF1C2326.toInt() else 0xFFF1F5F6.toInt()
    val text = if (isNight) 0xFFF0F4F5.toInt() else 0xFF12191C.toInt()
    val quiet = if (isNight) 0xFFB9C6CA.toInt() else 0xFF3E4A4F.toInt()
    val primary = if (isNight) 0xFF8FD7E4.toInt() else 0xFF0B5563.toInt()
    val onPrimary = if (isNight) 0xFF06262D.toInt() else Color.WHITE
    val alarm = if (isNight) 0xFFFFB4A8.toInt() else 0xFF8C1D18.toInt()
    val alarmCard = if (isNight) 0xFF3A1512.toInt() else 0xFFFDECEA.toInt()
    val edge = if (isNight) 0xFF8A989D.toInt() else 0xFF5B686D.toInt()

    /** The least height of what is touched most, and of anything that is touched. */
    val primaryHeight = dp(64)
    val touchHeight = dp(48)
    val gap = dp(12)
    val side = dp(20)

    val titleSize = 24f
    val bodySize = 17f
    val smallSize = 15f

    fun dp(value: Int): Int = (value * density + 0.5f).toInt()

    /** A rounded surface that shows a touch. */
    fun surface(fill: Int, edge: Int? = null): RippleDrawable {
        val shape = GradientDrawable().apply {
            cornerRadius = dp(14).toFloat()
            setColor(fill)
            if (edge != null) setStroke(dp(2), edge)
        }
        return RippleDrawable(ColorStateList.valueOf(edge(fill)), shape, null)
    }

    private fun edge(fill: Int): Int = if (fill == primary) onPrimary and 0x40FFFFFF else primary and 0x40FFFFFF
}
