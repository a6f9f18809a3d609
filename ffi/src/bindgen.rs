//! Generates the Kotlin and Swift bindings from the built library.
//!
//! `uniffi-bindgen generate --language kotlin --out-dir DIR LIBRARY`; `scripts/test-kotlin` and
//! `scripts/test-swift` do that.

fn main() {
    uniffi::uniffi_bindgen_main();
}
