package org.satchel.demo.screen

import android.graphics.Bitmap
import android.graphics.Color
import com.google.zxing.BarcodeFormat
import com.google.zxing.BinaryBitmap
import com.google.zxing.DecodeHintType
import com.google.zxing.EncodeHintType
import com.google.zxing.NotFoundException
import com.google.zxing.PlanarYUVLuminanceSource
import com.google.zxing.ReaderException
import com.google.zxing.common.HybridBinarizer
import com.google.zxing.qrcode.QRCodeReader
import com.google.zxing.qrcode.QRCodeWriter

/** A QR code of [side] pixels, dark on white in both themes: cameras read nothing else well. */
fun qr(text: String, side: Int): Bitmap {
    val matrix = QRCodeWriter().encode(text, BarcodeFormat.QR_CODE, side, side, mapOf(EncodeHintType.MARGIN to 2))
    val pixels = IntArray(side * side) { if (matrix.get(it % side, it / side)) Color.BLACK else Color.WHITE }
    return Bitmap.createBitmap(pixels, side, side, Bitmap.Config.ARGB_8888)
}

/** The text of a QR code in a grey picture, as a camera's first plane gives it; null where there is none. */
fun readQr(grey: ByteArray, rowBytes: Int, width: Int, height: Int): String? = try {
    val source = PlanarYUVLuminanceSource(grey, rowBytes, height, 0, 0, width, height, false)
    QRCodeReader().decode(BinaryBitmap(HybridBinarizer(source)), mapOf(DecodeHintType.TRY_HARDER to true)).text
} catch (_: NotFoundException) {
    null
} catch (_: ReaderException) {
    null
}
