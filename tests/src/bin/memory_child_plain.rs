//! The same as `memory_child` with the ordinary allocator: the positive control.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    satchel_tests::memory::run(std::path::Path::new(&std::env::args_os().nth(1).ok_or("a folder")?))
}
