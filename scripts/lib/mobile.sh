# How the library for phones is built, beside the profile `mobile` of Cargo.toml: source it after bindings.sh.
# shellcheck shell=bash

# The library alone, as the one kind that is asked for: with `lib` among the kinds cargo leaves link-time optimisation out.
# mobile_build KIND: the arguments for cargo; KIND is `cdylib` or `staticlib`.
mobile_build() { MOBILE_BUILD=(rustc --locked --profile mobile -p satchel-ffi --lib --crate-type "$1"); }

# For linkers that fold what is the same (lld): code whose address nobody compares.
MOBILE_FOLD="-C link-arg=-Wl,--icf=safe"
# Relocations packed: as Android reads them from 6.0 on, and as glibc 2.36 does.
MOBILE_PACK_ANDROID="-C link-arg=-Wl,--pack-dyn-relocs=android"
MOBILE_PACK_LINUX="-C link-arg=-Wl,-z,pack-relative-relocs"
