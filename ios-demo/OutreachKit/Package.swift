// swift-tools-version:6.0
// The app without its screens. It knows neither UIKit nor SwiftUI, so `scripts/test-ios` runs its tests on Linux too.
import PackageDescription

// On a Mac the package that scripts/package-xcframework makes; scripts/test-ios names the one that it laid out.
let core = Context.environment["SATCHEL_CORE"] ?? "../../target/packages/SatchelCore"
let identity = String(core.split(separator: "/").last ?? "SatchelCore")

let package = Package(
    name: "OutreachKit",
    platforms: [.iOS(.v16), .macOS(.v13)],
    products: [.library(name: "OutreachKit", targets: ["OutreachKit"])],
    dependencies: [.package(path: core)],
    targets: [
        .target(name: "OutreachKit", dependencies: [.product(name: "SatchelCore", package: identity)]),
        .testTarget(name: "OutreachKitTests", dependencies: ["OutreachKit"]),
    ]
)
