//! Works on a store and then looks for what it left in its own memory; freed memory is wiped, as in the shipped programs.

use std::alloc::System;

#[global_allocator]
static WIPING: zeroizing_alloc::ZeroAlloc<System> = zeroizing_alloc::ZeroAlloc(System);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    satchel_tests::memory::run(std::path::Path::new(&std::env::args_os().nth(1).ok_or("a folder")?))
}
