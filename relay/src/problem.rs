//! Refusals as RFC 9457 problem details.
//!
//! A problem says which of a closed list of things went wrong and never repeats anything of the request.

use satchel_wire::frame::{FrameError, ProblemCode};

/// Content type of a problem (RFC 9457, section 3).
pub const PROBLEM_CONTENT_TYPE: &str = "application/problem+json";

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Problem {
    /// Which problem; decides status and type.
    pub code: ProblemCode,
    /// The relay's Unix time (seconds), with [`ProblemCode::ClockSkew`] only.
    pub relay_time: Option<u64>,
    /// When to try again (seconds from now), with [`ProblemCode::RateLimited`] only.
    pub retry_after: Option<u64>,
}

#[derive(serde::Serialize)]
struct Details {
    r#type: String,
    title: &'static str,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    relay_time: Option<u64>,
}

/// What a problem is, in words.
pub const fn title(code: ProblemCode) -> &'static str {
    match code {
        ProblemCode::Malformed => "Not a frame of this path",
        ProblemCode::TooLarge => "Larger than this relay takes",
        ProblemCode::Refused => "No such mailbox, or not by its key",
        ProblemCode::ClockSkew => "The request's time is too far from the relay's",
        ProblemCode::Replayed => "The same request was seen before",
        ProblemCode::NotNewest => "Another announcement is newer",
        ProblemCode::Superseded => "Already claimed, or a newer generation of keys is in force",
        ProblemCode::QuotaExceeded => "The mailbox is full",
        ProblemCode::RateLimited => "Too many requests",
        ProblemCode::StorageFull => "The relay's disk refuses writes",
        ProblemCode::Internal => "The relay failed inside",
    }
}

impl Problem {
    /// A problem without particulars.
    pub const fn new(code: ProblemCode) -> Self {
        Self { code, relay_time: None, retry_after: None }
    }
    /// The request's time lies outside the window around `relay_time` (Unix seconds).
    pub const fn clock_skew(relay_time: u64) -> Self {
        Self { code: ProblemCode::ClockSkew, relay_time: Some(relay_time), retry_after: None }
    }
    /// Too many requests; `seconds` until one more is taken.
    pub const fn rate_limited(seconds: u64) -> Self {
        Self { code: ProblemCode::RateLimited, relay_time: None, retry_after: Some(seconds) }
    }
    /// The JSON of the answer's body.
    pub fn to_json(&self) -> Vec<u8> {
        let details = Details {
            r#type: format!("urn:satchel:problem:{}", self.code.as_str()),
            title: title(self.code),
            status: self.code.status(),
            relay_time: self.relay_time,
        };
        // four plain fields always serialise
        serde_json::to_vec(&details).unwrap_or_default()
    }
}

impl From<ProblemCode> for Problem {
    fn from(code: ProblemCode) -> Self {
        Self::new(code)
    }
}

impl From<FrameError> for Problem {
    fn from(error: FrameError) -> Self {
        Self::new(match error {
            FrameError::TooMany => ProblemCode::TooLarge,
            FrameError::Malformed | FrameError::Lane | FrameError::Order => ProblemCode::Malformed,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_code_becomes_problem_details() {
        for code in ProblemCode::ALL {
            let value: serde_json::Value = serde_json::from_slice(&Problem::new(code).to_json()).unwrap();
            let kind = value["type"].as_str().unwrap().strip_prefix("urn:satchel:problem:").unwrap();
            assert_eq!(ProblemCode::from_code(kind), Some(code));
            assert_eq!(value["status"], code.status());
            assert!(value.get("relay_time").is_none());
        }
        let value: serde_json::Value = serde_json::from_slice(&Problem::clock_skew(17).to_json()).unwrap();
        assert_eq!(value["relay_time"], 17);
    }
}
