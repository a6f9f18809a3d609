// swift-tools-version:6.0
// The generated Swift bindings and their tests. `scripts/test-swift` lays this package out beside the
// generated files, in cargo's target, and tests it there: nothing generated is kept here.
import PackageDescription

let package = Package(
    name: "SatchelCore",
    products: [
        .library(name: "SatchelCore", targets: ["SatchelCore"])
    ],
    targets: [
        // The C header and module map that uniffi generates for the library.
        .target(
            name: "SatchelCoreFFI",
            linkerSettings: [.linkedLibrary("satchel_ffi")]
        ),
        .target(
            name: "SatchelCore",
            dependencies: ["SatchelCoreFFI"],
            // The generated code crashes the Swift 6.0 compiler in Swift 6 mode as soon as it holds an
            // async callback. What uses this module can be in either mode; the tests are in the later one.
            swiftSettings: [.swiftLanguageMode(.v5)]
        ),
        // A phone that scripts/test-three tells what to do.
        .executableTarget(
            name: "ThreePhone",
            dependencies: ["SatchelCore"],
            swiftSettings: [.swiftLanguageMode(.v5)]
        ),
        .testTarget(
            name: "SatchelCoreTests",
            dependencies: ["SatchelCore"]
        ),
    ]
)
