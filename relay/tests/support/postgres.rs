//! A PostgreSQL server of the test's own, in a temporary folder, reached through a socket in it.
//!
//! It is found on `PATH` or where Debian puts it. Without one the tests that need it say that they are left out; with
//! `CI=true` they fail. It ends when this process ends, however that happens.

#![allow(clippy::print_stderr, reason = "what is left out has to be said")]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;

/// A running server.
pub struct Postgres {
    pub folder: PathBuf,
    programs: PathBuf,
    pid: u32,
    // the shell around the server reads from it: when it closes, the server ends and the folder goes
    _alive: ChildStdin,
    shell: Child,
}

fn programs() -> Option<PathBuf> {
    let mut folders: Vec<PathBuf> = std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default();
    let mut versions: Vec<_> =
        std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|entry| entry.path().join("bin")).collect();
    versions.sort();
    folders.extend(versions.into_iter().rev());
    let found = folders.into_iter().find(|folder| folder.join("initdb").is_file() && folder.join("postgres").is_file())?;
    // a link on PATH may lead to a folder that has the rest
    Some(found.join("postgres").canonicalize().ok()?.parent()?.to_path_buf())
}

fn is_root() -> bool {
    String::from_utf8(Command::new("id").arg("-u").output().unwrap().stdout).unwrap().trim() == "0"
}

/// The server refuses to run as root.
fn unprivileged(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program);
    command
}

const SERVE: &str = r#"
set -e
cd "$1"
if ! [ -e "$1/data/PG_VERSION" ]; then "$0/initdb" --no-sync --waldir="$1/log-of-writes" -A trust -U satchel -D "$1/data" >"$1/initdb.log" 2>&1; fi
"$0/postgres" -D "$1/data" -k "$1" -c listen_addresses= -c max_connections=300 $2 </dev/null >"$1/log" 2>&1 &
server=$!
until "$0/pg_isready" -q -h "$1" -U satchel -d postgres; do kill -0 $server || { cat "$1/log" >&2; exit 1; }; done
echo "$server"
read -r _ || true
kill -INT $server
wait $server || true
rm -rf "$1"
"#;

impl Postgres {
    /// Starts a server with these settings (`-c name=value`); none when there is no PostgreSQL here.
    pub fn start(settings: &str) -> Option<Self> {
        Self::start_with(settings, None)
    }

    /// The same with its data, though not its log of writes, on a disk of so many MiB; none also where this process may not
    /// mount one. The disk is gone with the server, because it exists in a namespace of its own.
    pub fn start_on_small_disk(mib: u32) -> Option<Self> {
        let may_mount = is_root()
            && Command::new("unshare")
                .args(["--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"])
                .status()
                .is_ok_and(|status| status.success());
        if !may_mount {
            eprintln!("LEFT OUT: this process may not mount a small disk");
            return None;
        }
        Self::start_with("-c fsync=off -c max_wal_size=64MB", Some(mib))
    }

    fn start_with(settings: &str, disk_mib: Option<u32>) -> Option<Self> {
        let Some(programs) = programs() else {
            let text = "PostgreSQL is not here: install Debian's `postgresql`, or run scripts/install-tools as root";
            assert!(std::env::var("CI").as_deref() != Ok("true"), "{text}");
            eprintln!("LEFT OUT: {text}");
            return None;
        };
        let folder = tempfile::Builder::new().prefix("satchel-pg").tempdir().unwrap().keep();
        if is_root() {
            assert!(Command::new("chown").arg("postgres:postgres").arg(&folder).status().unwrap().success());
        }
        let mut command = match disk_mib {
            None => unprivileged(Path::new("/bin/sh")),
            Some(mib) => {
                let mount = format!(
                    "mkdir {0}/data && mount -t tmpfs -o size={mib}m tmpfs {0}/data && chown postgres {0}/data && chmod 700 {0}/data && exec \"$@\"",
                    folder.display()
                );
                let mut command = Command::new("unshare");
                command.args(["--mount", "/bin/sh", "-c", &mount, "sh"]);
                command.args(["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "/bin/sh"]);
                command
            }
        };
        command.args(["-c", SERVE]).arg(&programs).arg(&folder).arg(settings);
        let mut shell = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let alive = shell.stdin.take().unwrap();
        let mut line = String::new();
        BufReader::new(shell.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let pid = line.trim().parse().expect("the server did not start");
        Some(Self { folder, programs, pid, _alive: alive, shell })
    }

    /// The one server of this process.
    pub fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<Postgres>> = OnceLock::new();
        // what survives a crash of the machine is not tested here; what survives a crash of the server is
        SHARED.get_or_init(|| Self::start("-c fsync=off")).as_ref()
    }

    /// Gives a small disk so many MiB.
    pub fn grow_disk(&self, mib: u32) {
        let pid = self.pid.to_string();
        let mut command = Command::new("nsenter");
        command.args(["--mount", "-t", &pid, "mount", "-o", &format!("remount,size={mib}m")]).arg(self.folder.join("data"));
        assert!(command.status().unwrap().success());
    }

    /// Where a database is.
    pub fn url(&self, database: &str) -> String {
        format!("host={} user=satchel dbname={database}", self.folder.display())
    }

    /// Runs statements, and returns rows as text, columns divided by `|`.
    pub fn sql(&self, database: &str, statements: &str) -> Vec<String> {
        let mut command = Command::new(self.programs.join("psql"));
        command.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", "satchel", "-d", database, "-h"]).arg(&self.folder);
        let output = command.args(["-c", statements]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
    }

    /// Makes a database unless it is there; returns its address.
    pub fn database(&self, name: &str) -> String {
        if self.sql("postgres", &format!("SELECT 1 FROM pg_database WHERE datname = '{name}'")).is_empty() {
            self.sql("postgres", &format!("CREATE DATABASE {name}"));
        }
        self.url(name)
    }

    /// Starts the server again; `mode` is one of `fast`, `immediate` (as after a crash).
    pub fn restart(&self, mode: &str) {
        let pid = std::fs::read_to_string(self.folder.join("data/postmaster.pid")).unwrap().lines().next().unwrap().to_owned();
        assert!(!pid.is_empty());
        let mut command = unprivileged(&self.programs.join("pg_ctl"));
        command.args(["restart", "-w", "-s", "-m", mode, "-l"]).arg(self.folder.join("log")).arg("-D").arg(self.folder.join("data"));
        assert!(command.stdin(Stdio::null()).status().unwrap().success());
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let mut command = unprivileged(&self.programs.join("pg_ctl"));
        command.args(["stop", "-s", "-m", "immediate", "-D"]).arg(self.folder.join("data"));
        let _ = command.status();
        let _ = self.shell.kill();
        let _ = self.shell.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
