package org.satchel.demo.screen

import android.Manifest
import android.annotation.SuppressLint
import android.app.Activity
import android.content.Intent
import android.content.pm.PackageManager
import android.graphics.ImageFormat
import android.graphics.SurfaceTexture
import android.hardware.camera2.CameraCaptureSession
import android.hardware.camera2.CameraCharacteristics
import android.hardware.camera2.CameraDevice
import android.hardware.camera2.CameraManager
import android.hardware.camera2.CaptureRequest
import android.media.ImageReader
import android.os.Bundle
import android.os.Handler
import android.os.HandlerThread
import android.view.Surface
import android.view.TextureView
import android.view.WindowManager

/** Reads one QR code with the camera and gives its text back. Pictures never leave memory. Not run on a phone yet. */
class ScanActivity : Activity() {
    private lateinit var preview: TextureView
    private val thread = HandlerThread("scan")
    private lateinit var handler: Handler
    private var camera: CameraDevice? = null
    private var reader: ImageReader? = null

    override fun onCreate(saved: Bundle?) {
        super.onCreate(null)
        window.setFlags(WindowManager.LayoutParams.FLAG_SECURE, WindowManager.LayoutParams.FLAG_SECURE)
        preview = TextureView(this)
        setContentView(preview)
        thread.start()
        handler = Handler(thread.looper)
        preview.surfaceTextureListener = object : TextureView.SurfaceTextureListener {
            override fun onSurfaceTextureAvailable(surface: SurfaceTexture, width: Int, height: Int) = begin()
            override fun onSurfaceTextureSizeChanged(surface: SurfaceTexture, width: Int, height: Int) = Unit
            override fun onSurfaceTextureDestroyed(surface: SurfaceTexture) = true
            override fun onSurfaceTextureUpdated(surface: SurfaceTexture) = Unit
        }
    }

    private fun begin() {
        if (checkSelfPermission(Manifest.permission.CAMERA) == PackageManager.PERMISSION_GRANTED) open()
        else requestPermissions(arrayOf(Manifest.permission.CAMERA), 0)
    }

    override fun onRequestPermissionsResult(request: Int, permissions: Array<out String>, results: IntArray) {
        // without the camera there is the typed code
        if (results.firstOrNull() == PackageManager.PERMISSION_GRANTED) open() else finish()
    }

    @SuppressLint("MissingPermission")
    private fun open() {
        val manager = getSystemService(CameraManager::class.java) ?: return finish()
        val id = manager.cameraIdList.firstOrNull {
            manager.getCameraCharacteristics(it).get(CameraCharacteristics.LENS_FACING) == CameraCharacteristics.LENS_FACING_BACK
        } ?: manager.cameraIdList.firstOrNull() ?: return finish()
        val images = ImageReader.newInstance(WIDTH, HEIGHT, ImageFormat.YUV_420_888, 2)
        reader = images
        images.setOnImageAvailableListener({ source -> source.acquireLatestImage()?.use(::look) }, handler)
        manager.openCamera(
            id,
            object : CameraDevice.StateCallback() {
                override fun onOpened(device: CameraDevice) {
                    camera = device
                    show(device, images)
                }
                override fun onDisconnected(device: CameraDevice) = finish()
                override fun onError(device: CameraDevice, error: Int) = finish()
            },
            handler,
        )
    }

    @Suppress("DEPRECATION") // its successor needs 28
    private fun show(device: CameraDevice, images: ImageReader) {
        val texture = preview.surfaceTexture ?: return finish()
        texture.setDefaultBufferSize(WIDTH, HEIGHT)
        val surfaces = listOf(Surface(texture), images.surface)
        device.createCaptureSession(
            surfaces,
            object : CameraCaptureSession.StateCallback() {
                override fun onConfigured(session: CameraCaptureSession) {
                    val request = device.createCaptureRequest(CameraDevice.TEMPLATE_PREVIEW).apply {
                        surfaces.forEach(::addTarget)
                        set(CaptureRequest.CONTROL_AF_MODE, CaptureRequest.CONTROL_AF_MODE_CONTINUOUS_PICTURE)
                    }
                    session.setRepeatingRequest(request.build(), null, handler)
                }
                override fun onConfigureFailed(session: CameraCaptureSession) = finish()
            },
            handler,
        )
    }

    private fun look(image: android.media.Image) {
        val plane = image.planes.first()
        val grey = ByteArray(plane.buffer.remaining()).also { plane.buffer.get(it) }
        // the last row may be short
        val text = readQr(grey.copyOf(plane.rowStride * image.height), plane.rowStride, image.width, image.height) ?: return
        runOnUiThread {
            setResult(RESULT_OK, Intent().putExtra(TEXT, text))
            finish()
        }
    }

    override fun onStop() {
        super.onStop()
        camera?.close()
        reader?.close()
        thread.quitSafely()
        if (!isFinishing) finish()
    }

    companion object {
        const val TEXT = "text"
        private const val WIDTH = 1280
        private const val HEIGHT = 720
    }
}
