import CoreImage.CIFilterBuiltins
import SwiftUI
import UIKit

/// A QR code, dark on white in both themes: cameras read nothing else well.
struct Qr: View {
    let text: String
    let said: String

    var body: some View {
        if let picture {
            Image(uiImage: picture)
                .interpolation(.none)
                .resizable()
                .scaledToFit()
                .padding(Style.gap)
                .background(Color.white)
                .frame(maxWidth: 340)
                .accessibilityLabel(said)
        }
    }

    private var picture: UIImage? {
        let filter = CIFilter.qrCodeGenerator()
        filter.message = Data(text.utf8)
        filter.correctionLevel = "M"
        guard let image = filter.outputImage, let drawn = CIContext().createCGImage(image, from: image.extent) else { return nil }
        return UIImage(cgImage: drawn)
    }
}
