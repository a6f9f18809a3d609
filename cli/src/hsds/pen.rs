//! Text of a directory made safe and short enough for the catalogue.

use super::report::{Place, Report, WarningCode};
use satchel_core::catalogue::{clean_line, clean_text, limits};

/// The text, unless there is none.
pub fn some(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

/// Text without markup: tags removed, block tags as line breaks, the common entities decoded.
pub fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        let is_tag = after.get(1..).is_some_and(|tag| tag.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '!'));
        match after.find('>').filter(|_| is_tag) {
            Some(end) => {
                let tag = after.get(1..end).unwrap_or_default().trim_start_matches('/').to_ascii_lowercase();
                let block = ["p", "br", "li", "ul", "ol", "div", "h", "tr"].iter().any(|name| tag.starts_with(name));
                out.push(if block { '\n' } else { ' ' });
                rest = after.get(end + 1..).unwrap_or_default();
            }
            None => {
                out.push('<');
                rest = after.get(1..).unwrap_or_default();
            }
        }
    }
    out.push_str(rest);
    if out.contains('&') {
        for (entity, c) in [("&nbsp;", " "), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")] {
            out = out.replace(entity, c);
        }
    }
    out
}

/// Writes cleaned, bounded text and notes what was cut.
pub struct Pen<'a> {
    /// The row the text comes from.
    pub place: Place,
    /// Where cuts are noted.
    pub report: &'a mut Report,
}

impl Pen<'_> {
    /// Notes something about the row.
    pub fn warn(&mut self, code: WarningCode) {
        self.report.warn(Some(self.place), code);
    }

    /// One clean line.
    pub fn line(&mut self, text: &str, max_bytes: usize) -> String {
        let (text, cut) = clean_line(text, max_bytes);
        if cut {
            self.warn(WarningCode::TextTruncated);
        }
        text
    }

    /// Joins paragraphs, leaving out empty and repeated ones.
    pub fn paragraphs(&mut self, texts: &[String], max_bytes: usize) -> String {
        let mut kept: Vec<&str> = Vec::new();
        for text in texts.iter().map(|text| text.trim()) {
            if !text.is_empty() && !kept.contains(&text) {
                kept.push(text);
            }
        }
        let (text, cut) = clean_text(&kept.join("\n"), max_bytes);
        if cut {
            self.warn(WarningCode::TextTruncated);
        }
        text
    }

    /// A web address that is safe to open, or nothing: half an address leads somewhere else.
    pub fn url(&mut self, text: &str) -> Option<String> {
        let (url, cut) = clean_line(text, limits::URL_BYTES);
        let lower = url.to_ascii_lowercase();
        let scheme = match lower.split_once(':') {
            None => true,
            Some((scheme, _)) => matches!(scheme, "http" | "https") || scheme.contains('.'),
        };
        if cut || !scheme || url.contains([' ', '"', '<', '>']) {
            self.warn(WarningCode::UrlDropped);
            return None;
        }
        some(url)
    }
}
