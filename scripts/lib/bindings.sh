# Builds the library and its Kotlin or Swift bindings: source it after common.sh.
# shellcheck shell=bash

# The one selection of packages and features that all scripts build.
WORKSPACE=(--workspace --features satchel-ffi/bindgen)

# Where cargo puts things: a setting of the user's may have moved it.
cargo_target() {
  cargo metadata --manifest-path "$ROOT/Cargo.toml" --format-version 1 --no-deps |
    sed 's/.*"target_directory":"\([^"]*\)".*/\1/'
}

library_name() {
  case $(uname -s) in
    Darwin) echo libsatchel_ffi.dylib ;;
    *) echo libsatchel_ffi.so ;;
  esac
}

# build_bindings LANGUAGE
# Sets TARGET (cargo's), LIBRARY_DIR (holds the library and the relay that tests start) and BINDINGS (holds the generated sources).
#
# The whole workspace with all targets, and not `-p satchel-ffi`: cargo then settles on the same
# features of every dependency as for the tests of the workspace and reuses what those built.
# With `-p` it would build nearly every dependency a second time.
build_bindings() {
  local language=$1 fresh
  TARGET=$(cargo_target)
  LIBRARY_DIR=$TARGET/debug
  BINDINGS=$TARGET/bindings/$language
  fresh=$TARGET/bindings/$language.fresh

  say "Building the library"
  (cd "$ROOT" && cargo build --locked "${WORKSPACE[@]}" --all-targets)

  say "Generating the $language bindings"
  rm -rf "$fresh"
  (cd "$ROOT" && "$LIBRARY_DIR/uniffi-bindgen" generate --no-format \
    --language "$language" --out-dir "$fresh" "$LIBRARY_DIR/$(library_name)")
  replace_changed "$fresh" "$BINDINGS"
  rm -rf "$fresh"
}

# lay_out_swift
# After `build_bindings swift`: the Swift package, whole, its own files and the generated ones side by side. Sets SWIFT_PACKAGE.
lay_out_swift() {
  local fresh=$TARGET/swift/package.fresh
  SWIFT_PACKAGE=$TARGET/swift/package
  rm -rf "$fresh"
  mkdir -p "$fresh"
  cp -R "$ROOT/ffi/swift/." "$fresh"
  mkdir -p "$fresh/Sources/SatchelCore" "$fresh/Sources/SatchelCoreFFI/include"
  cp "$BINDINGS/SatchelCore.swift" "$fresh/Sources/SatchelCore/"
  cp "$BINDINGS/SatchelCoreFFI.h" "$fresh/Sources/SatchelCoreFFI/include/"
  cp "$BINDINGS/SatchelCoreFFI.modulemap" "$fresh/Sources/SatchelCoreFFI/include/module.modulemap"
  replace_changed "$fresh" "$SWIFT_PACKAGE"
  rm -rf "$fresh"
}

# check_exports LIBRARY
# Dies if a library offers anything to the process that it is loaded into but what uniffi made. Looked at on Linux.
check_exports() {
  [ "$(uname -s)" = Linux ] || return 0
  local symbols others
  symbols=$(nm --dynamic --defined-only "$1" | awk '{print $3}')
  others=$(grep -vE '^(uniffi_satchel_ffi_|ffi_satchel_ffi_|UNIFFI_META_)' <<<"$symbols" || true)
  # what finds nothing could have looked at nothing
  grep -q '^uniffi_satchel_ffi_fn_func_library_version$' <<<"$symbols" || die "$1 exports no calls"
  [ -z "$others" ] || die "$1 exports more than its calls: $others"
  say "$(wc -l <<<"$symbols" | tr -d ' ') symbols exported, all of them uniffi's"
}

# replace_changed FROM TO
# Makes TO hold the same files as FROM. Files with the same bytes keep their times, so that the
# compilers see what really changed.
replace_changed() {
  local from=$1 to=$2 file
  mkdir -p "$to"
  (cd "$to" && find . -type f) | while IFS= read -r file; do
    [ -e "$from/$file" ] || rm "$to/$file"
  done
  (cd "$from" && find . -type f) | while IFS= read -r file; do
    cmp -s "$from/$file" "$to/$file" && continue
    mkdir -p "$(dirname "$to/$file")"
    cp "$from/$file" "$to/$file"
  done
}
