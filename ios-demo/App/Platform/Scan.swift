import AVFoundation
import OutreachKit
import SwiftUI
import UIKit

/// The camera's page: gives the text of the first QR code it sees, or none where somebody goes back. Keeps no picture.
struct Scan: View {
    let words: Words
    let done: @MainActor (String?) -> Void
    @State private var isAllowed = true

    var body: some View {
        VStack(spacing: Style.gap) {
            if isAllowed {
                Camera(read: done).ignoresSafeArea(edges: .top)
                Text(words("scan_help")).font(.body).foregroundColor(Style.text)
            } else {
                Spacer()
                Text(words("scan_off")).font(.body).foregroundColor(Style.text).padding(Style.side)
                Spacer()
            }
            Button(action: { done(nil) }) { Text(words("back")).font(.body.bold()) }
                .buttonStyle(Surface(fill: Style.primary, text: Style.onPrimary, height: Style.primaryHeight, isWide: true))
                .padding(Style.side)
        }
        .background(Style.page.ignoresSafeArea())
        .task { isAllowed = await AVCaptureDevice.requestAccess(for: .video) }
    }
}

private struct Camera: UIViewControllerRepresentable {
    let read: @MainActor (String?) -> Void

    func makeUIViewController(context: Context) -> CameraController { CameraController(read) }
    func updateUIViewController(_ controller: CameraController, context: Context) {}
}

private final class CameraController: UIViewController, AVCaptureMetadataOutputObjectsDelegate {
    private let read: @MainActor (String?) -> Void
    private let session = AVCaptureSession()
    private let queue = DispatchQueue(label: "camera")
    private lazy var preview = AVCaptureVideoPreviewLayer(session: session)

    init(_ read: @escaping @MainActor (String?) -> Void) {
        self.read = read
        super.init(nibName: nil, bundle: nil)
    }

    required init?(coder: NSCoder) { nil }

    override func viewDidLoad() {
        super.viewDidLoad()
        guard let camera = AVCaptureDevice.default(for: .video), let input = try? AVCaptureDeviceInput(device: camera), session.canAddInput(input)
        else { return }
        session.addInput(input)
        let output = AVCaptureMetadataOutput()
        guard session.canAddOutput(output) else { return }
        session.addOutput(output)
        output.setMetadataObjectsDelegate(self, queue: .main)
        output.metadataObjectTypes = [.qr]
        preview.videoGravity = .resizeAspectFill
        view.layer.addSublayer(preview)
    }

    override func viewDidLayoutSubviews() {
        super.viewDidLayoutSubviews()
        preview.frame = view.bounds
    }

    override func viewWillAppear(_ animated: Bool) {
        super.viewWillAppear(animated)
        // it blocks until the camera runs
        nonisolated(unsafe) let session = session
        queue.async { session.startRunning() }
    }

    override func viewDidDisappear(_ animated: Bool) {
        super.viewDidDisappear(animated)
        nonisolated(unsafe) let session = session
        queue.async { session.stopRunning() }
    }

    nonisolated func metadataOutput(
        _ output: AVCaptureMetadataOutput, didOutput objects: [AVMetadataObject], from connection: AVCaptureConnection
    ) {
        guard let text = objects.compactMap({ ($0 as? AVMetadataMachineReadableCodeObject)?.stringValue }).first else { return }
        // the delegate was asked for on the main queue
        MainActor.assumeIsolated { read(text) }
    }
}
