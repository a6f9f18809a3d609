//! A table for people, JSON for programs, a picture for both.

use crate::Fail;
use crate::figures::Figure;
use crate::machine::Machine;
use serde_json::json;
use std::fmt::Write;
use std::fs;
use std::path::Path;

fn number(value: f64) -> String {
    if value.abs() >= 1_000.0 { format!("{value:.0}") } else { format!("{value:.2}") }
}

fn verdict(figure: &Figure) -> &'static str {
    match figure.is_met() {
        None => "",
        Some(true) => "met",
        Some(false) => "MISSED",
    }
}

fn table(machine: &Machine, figures: &[Figure]) -> Result<String, Fail> {
    let mut text = format!("{machine}\n\n| id | workload | measure | figure | aim | |\n|---|---|---|---:|---:|---|\n");
    for figure in figures {
        let aim = figure.aim.map(|aim| format!("≤ {} {}", number(aim), figure.unit)).unwrap_or_default();
        let Figure { id, size, what, unit, .. } = figure;
        writeln!(text, "| {id} | {size} | {what} | {} {unit} | {} | {} |", number(figure.value), aim.trim(), verdict(figure))?;
    }
    Ok(text)
}

const ROW: usize = 22;
const LEFT: usize = 430;
const SCALE: f64 = 220.0;
const WIDTH: usize = 860;

/// Every figure with an aim as a bar, the aim at one line for all.
fn picture(machine: &Machine, figures: &[Figure]) -> Result<String, Fail> {
    let aimed: Vec<(&Figure, f64)> = figures.iter().filter_map(|figure| figure.aim.map(|aim| (figure, aim))).collect();
    let height = 70 + aimed.len() * ROW;
    let aim_at = LEFT as f64 + SCALE;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"white\"/>\n\
         <text x=\"10\" y=\"18\" font-size=\"10\" fill=\"#555\">{}</text>\n\
         <text x=\"{aim_at}\" y=\"40\" text-anchor=\"middle\" fill=\"#333\">aim</text>\n",
        escaped(&machine.to_string())
    );
    for (row, (figure, aim)) in aimed.iter().enumerate() {
        let y = 50 + row * ROW;
        let length = (figure.value.max(0.0) / aim * SCALE).min(SCALE * 1.45);
        let colour = if figure.value <= *aim { "#2b8a3e" } else { "#c92a2a" };
        let label = escaped(&format!("{} {} {}", figure.id, figure.size, figure.what));
        let value = escaped(&format!("{} {} (aim {})", number(figure.value), figure.unit, number(*aim)));
        let (text_y, bar_end) = (y + 13, LEFT as f64 + length + 4.0);
        writeln!(svg, "<text x=\"{}\" y=\"{text_y}\" text-anchor=\"end\">{label}</text>", LEFT - 6)?;
        writeln!(svg, "<rect x=\"{LEFT}\" y=\"{}\" width=\"{length:.1}\" height=\"14\" fill=\"{colour}\"/>", y + 2)?;
        writeln!(svg, "<text x=\"{bar_end:.1}\" y=\"{text_y}\" font-size=\"10\">{value}</text>")?;
    }
    writeln!(svg, "<line x1=\"{aim_at}\" y1=\"44\" x2=\"{aim_at}\" y2=\"{}\" stroke=\"#333\" stroke-dasharray=\"4 3\"/>", height - 12)?;
    svg.push_str("</svg>\n");
    Ok(svg)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Prints the table, and writes it with the JSON and the picture.
pub fn write(out: &Path, machine: &Machine, figures: &[Figure]) -> Result<(), Fail> {
    fs::create_dir_all(out)?;
    let table = table(machine, figures)?;
    println!("\n{table}");
    fs::write(out.join("figures.md"), &table)?;
    fs::write(out.join("figures.json"), serde_json::to_string_pretty(&json!({ "machine": machine, "figures": figures }))?)?;
    fs::write(out.join("figures.svg"), picture(machine, figures)?)?;
    println!("written to {}", out.display());
    Ok(())
}
