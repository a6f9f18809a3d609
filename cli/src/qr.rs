//! A QR code on the screen (ISO/IEC 18004), for what is scanned from phone to phone.

use crate::failure::Failure;
use qrcode::{Color, EcLevel, QrCode};

/// Light modules around the code, without which no camera finds it (count).
const QUIET_COUNT: usize = 4;
/// Black on white, whatever the terminal's colours are.
const COLOURS: &str = "\x1b[38;5;16;48;5;231m";
const PLAIN: &str = "\x1b[0m";

/// A picture of a text in half blocks, two rows of modules in each line. Errors: [`Failure::Check`] for a text of more than 4,296 characters.
pub fn picture(text: &str) -> Result<String, Failure> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L).map_err(|_| Failure::Check("too_long_for_a_picture"))?;
    let (modules, width) = (code.to_colors(), code.width());
    let size = width + 2 * QUIET_COUNT;
    let is_dark = |x: usize, y: usize| {
        let inside = |at: usize| at.checked_sub(QUIET_COUNT).filter(|at| *at < width);
        inside(x).zip(inside(y)).is_some_and(|(x, y)| modules.get(y * width + x) == Some(&Color::Dark))
    };
    let mut picture = String::new();
    for y in (0..size).step_by(2) {
        picture.push_str(COLOURS);
        picture.extend((0..size).map(|x| match (is_dark(x, y), is_dark(x, y + 1)) {
            (true, true) => '\u{2588}',
            (true, false) => '\u{2580}',
            (false, true) => '\u{2584}',
            (false, false) => ' ',
        }));
        picture.push_str(PLAIN);
        picture.push('\n');
    }
    Ok(picture)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// What another program sees in a picture, four dots a module.
    fn scan(picture: &str) -> Option<String> {
        let rows: Vec<Vec<char>> = picture.lines().map(|line| line.replace(COLOURS, "").replace(PLAIN, "").chars().collect()).collect();
        let dark = |x: usize, y: usize| match rows.get(y / 2).and_then(|row| row.get(x)) {
            Some('\u{2588}') => true,
            Some('\u{2580}') => y.is_multiple_of(2),
            Some('\u{2584}') => !y.is_multiple_of(2),
            _ => false,
        };
        let mut image =
            rqrr::PreparedImage::prepare_from_greyscale(
                rows.first()?.len() * 4,
                rows.len() * 8,
                |x, y| {
                    if dark(x / 4, y / 4) { 0 } else { 255 }
                },
            );
        image.detect_grids().first()?.decode().ok().map(|(_, text)| text)
    }

    #[test]
    fn another_program_reads_the_picture() {
        let offer = format!("SATCHELSHARE1:{}", "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".repeat(63).get(..2_004).unwrap());
        for text in ["SATCHEL1:ABCDEFG", &offer] {
            let picture = picture(text).unwrap();
            assert_eq!(scan(&picture).as_deref(), Some(text));
            let widest = picture.lines().map(|line| line.replace(COLOURS, "").replace(PLAIN, "").chars().count()).max().unwrap();
            assert!(widest <= 133, "{widest}");
        }
        // control: with the finder patterns painted over nothing is found
        let gone = picture("SATCHEL1:ABCDEFG").unwrap().lines().skip(6).collect::<Vec<_>>().join("\n");
        assert_eq!(scan(&gone), None);
        assert!(picture(&"A".repeat(4_297)).is_err() && picture(&"A".repeat(4_296)).is_ok());
    }
}
