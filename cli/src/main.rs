//! placeholder

#[allow(dead_code, unused_imports, reason = "used by the catalogue command, which is written later")]
mod hsds;

fn main() {}
