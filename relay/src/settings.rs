//! The operator's configuration: a file, and the environment over it.
//!
//! Every key of the file has an environment variable, `SATCHEL_RELAY_` and the key in capitals. A key that does not exist
//! is refused in both, because a limit that was misspelt is a limit that is not there.

use crate::config::{self, Config};
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::PathBuf;

/// What environment variables begin with.
pub const PREFIX: &str = "SATCHEL_RELAY_";

/// Why a configuration is refused; it names a key or a line, and repeats no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// Not TOML, an unknown key, or a value of the wrong type, near this line. Remedy: compare with the example.
    #[error("the configuration is wrong near line {line}")]
    File {
        /// Line, from 1.
        line: usize,
    },
    /// This environment variable names no key, or its value has the wrong type. Remedy: compare with the example.
    #[error("the environment variable {name} names no setting, or its value does not fit")]
    Environment {
        /// Name of the variable.
        name: String,
    },
    /// A value outside its bounds. Remedy: see the example for the bounds.
    #[error("{key} is out of bounds")]
    OutOfBounds {
        /// The key.
        key: &'static str,
    },
}

/// Every setting.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Folder of the SQLite storage; made if missing.
    pub data: Option<PathBuf>,
    /// Address of a PostgreSQL database, instead of a folder.
    pub postgres: Option<String>,
    /// Address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Certificate chain in PEM; with `tls_key` the relay speaks TLS itself.
    pub tls_certificate: Option<PathBuf>,
    /// Private key in PEM.
    pub tls_key: Option<PathBuf>,
    /// Address for `/metrics` and the status page; none without it.
    pub operator_listen: Option<SocketAddr>,
    /// Room for a new mailbox (bytes).
    pub quota_bytes: u64,
    /// A mailbox whose last row came longer ago is listed by `doctor` as abandoned (days).
    pub abandoned_after_days: u16,
    /// An abandoned mailbox is closed by the relay after so many more days; 0 never does (days).
    pub close_abandoned_after_days: u16,
    /// See [`Config::absence_limit_days`].
    pub absence_limit_days: u16,
    /// See [`Config::burst_count`].
    pub burst_count: u32,
    /// See [`Config::rate_per_second`].
    pub rate_per_second: u32,
    /// See [`Config::connections_count`].
    pub connections_count: usize,
    /// See [`Config::day_rows_count`].
    pub day_rows_count: usize,
    /// See [`Config::head_timeout_seconds`].
    pub head_timeout_seconds: u64,
    /// See [`Config::body_silence_seconds`].
    pub body_silence_seconds: u64,
    /// See [`Config::wait_seconds`].
    pub wait_seconds: u16,
    /// See [`Config::listing_count`].
    pub listing_count: usize,
}

impl Default for Settings {
    fn default() -> Self {
        let Config {
            absence_limit_days,
            burst_count,
            rate_per_second,
            connections_count,
            day_rows_count,
            head_timeout_seconds,
            body_silence_seconds,
            wait_seconds,
            listing_count,
        } = Config::default();
        Self {
            data: None,
            postgres: None,
            listen: SocketAddr::from(([127, 0, 0, 1], 8787)),
            tls_certificate: None,
            tls_key: None,
            operator_listen: None,
            quota_bytes: config::QUOTA_DEFAULT_BYTES,
            abandoned_after_days: config::ABANDONED_AFTER_DEFAULT_DAYS,
            close_abandoned_after_days: 0,
            absence_limit_days,
            burst_count,
            rate_per_second,
            connections_count,
            day_rows_count,
            head_timeout_seconds,
            body_silence_seconds,
            wait_seconds,
            listing_count,
        }
    }
}

impl Settings {
    /// Reads a file's text and puts the environment over it.
    pub fn read(text: &str, environment: impl IntoIterator<Item = (String, String)>) -> Result<Self, SettingsError> {
        let wrong = |error: &toml::de::Error| {
            let at = error.span().map_or(0, |span| span.start.min(text.len()));
            SettingsError::File { line: text[..at].matches('\n').count() + 1 }
        };
        // by itself first: what is wrong in the file then has a line
        toml::from_str::<Self>(text).map_err(|error| wrong(&error))?;
        let mut table: toml::Table = toml::from_str(text).map_err(|error| wrong(&error))?;
        for (name, value) in environment {
            let Some(key) = name.strip_prefix(PREFIX) else { continue };
            let value = match (value.parse(), value.parse()) {
                (Ok(number), _) => toml::Value::Integer(number),
                (_, Ok(truth)) => toml::Value::Boolean(truth),
                _ => toml::Value::String(value),
            };
            table.insert(key.to_lowercase(), value);
            let so_far: Result<Self, _> = table.clone().try_into();
            so_far.map_err(|_| SettingsError::Environment { name })?;
        }
        let settings: Self = table.try_into().map_err(|error| wrong(&error))?;
        settings.check()?;
        Ok(settings)
    }

    fn check(&self) -> Result<(), SettingsError> {
        let bounds = [
            ("burst_count", self.burst_count > 0),
            ("rate_per_second", self.rate_per_second > 0),
            ("connections_count", self.connections_count > 0),
            ("day_rows_count", (1..=config::DAY_ROWS_MAX_COUNT).contains(&self.day_rows_count)),
            ("head_timeout_seconds", self.head_timeout_seconds > 0),
            ("body_silence_seconds", self.body_silence_seconds > 0),
            ("listing_count", (1..=satchel_wire::limits::LISTING_MAX_COUNT).contains(&self.listing_count)),
            ("absence_limit_days", self.absence_limit_days > 0),
            ("data", self.data.is_none() || self.postgres.is_none()),
            ("tls_key", self.tls_certificate.is_some() == self.tls_key.is_some()),
        ];
        bounds.into_iter().find(|(_, holds)| !holds).map_or(Ok(()), |(key, _)| Err(SettingsError::OutOfBounds { key }))
    }

    /// The part that the server itself needs.
    pub const fn config(&self) -> Config {
        Config {
            absence_limit_days: self.absence_limit_days,
            burst_count: self.burst_count,
            rate_per_second: self.rate_per_second,
            connections_count: self.connections_count,
            day_rows_count: self.day_rows_count,
            head_timeout_seconds: self.head_timeout_seconds,
            body_silence_seconds: self.body_silence_seconds,
            wait_seconds: self.wait_seconds,
            listing_count: self.listing_count,
        }
    }
}

/// The configuration file with every setting, commented, at its default.
pub const EXAMPLE: &str = include_str!("../deploy/relay.toml");

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn none() -> Vec<(String, String)> {
        Vec::new()
    }
    fn set(name: &str, value: &str) -> Vec<(String, String)> {
        vec![(name.to_owned(), value.to_owned())]
    }

    #[test]
    fn the_example_is_the_default_and_names_every_setting() {
        assert_eq!(Settings::read(EXAMPLE, none()).unwrap(), Settings::default());
        // with the comment signs before its settings taken away
        let all: String = EXAMPLE
            .lines()
            .map(|line| line.strip_prefix("#").filter(|rest| !rest.starts_with(' ')).unwrap_or(line))
            .fold(String::new(), |text, line| text + line + "\n");
        let table: toml::Table = toml::from_str(&all).unwrap();
        let default = format!("{:?}", Settings::default());
        let fields: Vec<&str> =
            default.trim_start_matches("Settings {").split(", ").filter_map(|field| field.split(':').next()).map(str::trim).collect();
        assert!(fields.len() > 15);
        for field in &fields {
            assert!(table.contains_key(*field), "{field} is not in the example");
        }
        assert_eq!(table.len(), fields.len());
        // values that a default has are the default's
        let mut without: toml::Table = table;
        for key in ["data", "postgres", "tls_certificate", "tls_key", "operator_listen"] {
            without.remove(key);
        }
        assert_eq!(Settings::try_from_table(without), Settings::default());
    }

    impl Settings {
        fn try_from_table(table: toml::Table) -> Self {
            table.try_into().unwrap()
        }
    }

    #[test]
    fn the_environment_goes_over_the_file() {
        let text = "burst_count = 5\nlisten = '127.0.0.1:1'\n";
        assert_eq!(Settings::read(text, none()).unwrap().burst_count, 5);
        assert_eq!(Settings::read(text, set("SATCHEL_RELAY_BURST_COUNT", "7")).unwrap().burst_count, 7);
        assert_eq!(Settings::read("", set("SATCHEL_RELAY_POSTGRES", "host=/x")).unwrap().postgres.as_deref(), Some("host=/x"));
        assert_eq!(Settings::read("", set("PATH", "/bin")).unwrap(), Settings::default());
    }

    #[test]
    fn what_is_misspelt_or_out_of_bounds_is_refused() {
        assert_eq!(Settings::read("\nburst = 5", none()), Err(SettingsError::File { line: 2 }));
        assert_eq!(Settings::read("burst_count = 'many'", none()), Err(SettingsError::File { line: 1 }));
        let name = "SATCHEL_RELAY_BURST".to_owned();
        assert_eq!(Settings::read("", set(&name, "7")), Err(SettingsError::Environment { name }));
        assert_eq!(Settings::read("burst_count = 0", none()), Err(SettingsError::OutOfBounds { key: "burst_count" }));
        assert_eq!(Settings::read("day_rows_count = 999999999", none()), Err(SettingsError::OutOfBounds { key: "day_rows_count" }));
        assert_eq!(Settings::read("data = 'x'\npostgres = 'y'", none()), Err(SettingsError::OutOfBounds { key: "data" }));
        assert_eq!(Settings::read("tls_key = 'x'", none()), Err(SettingsError::OutOfBounds { key: "tls_key" }));
    }
}
