// Stands for the one file of App that draws with Core Image.
import SwiftUI

struct Qr: Leaf {
    let text: String
    let said: String
}
