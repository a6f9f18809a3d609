# Shared by the scripts of this repository: source it, do not run it.
# shellcheck shell=bash disable=SC2034
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
TOOLS=${SATCHEL_TOOLS:-${HOME:?}/.cache/satchel-tools}
SWIFT_ROOT=$TOOLS/swift
# install-tools writes one line per thing it could not install; test prints them.
SKIPPED=$TOOLS/skipped.txt

# A login shell has this on PATH; CI and cron often do not.
if ! command -v cargo >/dev/null && [ -x "$HOME/.cargo/bin/cargo" ]; then
  PATH=$HOME/.cargo/bin:$PATH
fi

# install-tools builds cargo's own tools here.
PATH=$PATH:$TOOLS/cargo/bin

say() { printf '==> %s\n' "$*"; }
warn() { printf '\n!!! %s\n\n' "$*" >&2; }
die() { printf '\n!!! %s\n\n' "$*" >&2; exit 1; }
in_ci() { [ "${CI:-}" = true ]; }
is_root() { [ "$(id -u)" = 0 ]; }

# What is missing for a part, as one line; nothing if the part can run.

missing_for_rust() {
  command -v cargo >/dev/null || { echo "cargo: install Rust 1.95 or newer with rustup"; return; }
  command -v cc >/dev/null || echo "a C compiler: run scripts/install-tools as root"
}

# The team log is compared with a second implementation, which is in Python (standard library only).
missing_for_reference() {
  python3 -c 'import sys; sys.exit(sys.version_info < (3, 9))' 2>/dev/null ||
    echo "Python, 3.9 or newer: run scripts/install-tools as root"
}

missing_for_licences() {
  cargo deny --version >/dev/null 2>&1 || echo "cargo-deny: run scripts/install-tools, or \`cargo install cargo-deny --locked\`"
}

# Folder of PostgreSQL's server programs; nothing if there are none.
postgres_programs() {
  local folder
  for folder in $(echo "$PATH" | tr : ' ') $(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -rV); do
    if [ -x "$folder/initdb" ] && [ -x "$folder/postgres" ]; then echo "$folder"; return; fi
  done
}

# The relay's tests start a server of their own.
missing_for_postgres() {
  if [ -z "$(postgres_programs)" ]; then
    echo "PostgreSQL's server, 13 or newer: run scripts/install-tools as root"
  elif is_root && { ! command -v setpriv >/dev/null || ! id postgres >/dev/null 2>&1; }; then
    echo "setpriv and the user postgres, as the server does not run as root: run scripts/install-tools"
  fi
}

java_major() { java -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p' | head -n 1; }

missing_for_kotlin() {
  local major
  major=$(java_major || true)
  if [ "${major:-0}" -lt 17 ]; then
    echo "a JDK, 17 or newer: run scripts/install-tools as root"
  elif ! command -v mvn >/dev/null; then
    echo "Maven: run scripts/install-tools as root"
  fi
}

# True if `swift` is Swift 6 or newer (another `swift` exists: an object storage client).
host_has_swift() {
  swift --version 2>/dev/null </dev/null | grep -Eq 'Swift version ([6-9]|[1-9][0-9])\.'
}

# True if the folder holds the Swift that install-tools of this revision puts there.
swift_root_ready() { [ "$(cat "$SWIFT_ROOT/.satchel-ready" 2>/dev/null)" = "$SWIFT_RECIPE" ]; }
# Change this word whenever what goes into the folder changes.
SWIFT_RECIPE=trixie-swiftlang-1

missing_for_swift() {
  host_has_swift && return
  if ! swift_root_ready; then
    echo "Swift: put Swift 6 on PATH, or run scripts/install-tools as root on Debian"
  elif ! is_root; then
    echo "Swift is installed in $SWIFT_ROOT, which only root can enter: run as root, or put Swift 6 on PATH"
  fi
}

# in_swift_root [--bind DIR]... -- COMMAND...
# Runs COMMAND in the Swift folder, with DIRs at the same absolute paths.
#
# All mounts are made in a mount namespace of their own. The kernel drops them when the last process
# in it ends, however it ends: nothing is left mounted, not even after SIGKILL, and deleting the folder
# cannot reach through a mount. A trap could promise neither.
in_swift_root() {
  # shellcheck disable=SC2016 # expanded by the inner shell
  unshare --mount bash -euc '
    root=$1; shift
    mount -t proc proc "$root/proc"
    mount --rbind /dev "$root/dev"
    while [ "$1" = --bind ]; do
      mkdir -p "$root$2"
      mount --rbind "$2" "$root$2"
      shift 2
    done
    [ "$1" = -- ]; shift
    exec chroot "$root" env -i HOME=/root LANG=C.UTF-8 PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
      DEBIAN_FRONTEND=noninteractive "$@"
  ' in_swift_root "${SWIFT_ENTER:-$SWIFT_ROOT}" "$@"
}
