//! The dice: all chance of a run, from its seed.

/// A stream of chance that repeats from a seed.
#[derive(Debug)]
pub struct Dice(blake3::OutputReader);

impl Dice {
    /// The dice of a seed.
    pub fn new(seed: u64) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("satchel tests simulator dice");
        hasher.update(&seed.to_le_bytes());
        Self(hasher.finalize_xof())
    }
    /// A number.
    pub fn roll(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }
    /// A number below `n`; 0 if `n` is 0.
    pub fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.roll() % (n.max(1) as u64)).unwrap_or(0)
    }
    /// From `low` to `high`, both included.
    pub fn between(&mut self, low: usize, high: usize) -> usize {
        low + self.below(high.saturating_sub(low) + 1)
    }
    /// True in `percent` of 100 cases.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
    /// One of several.
    pub fn pick<T: Copy>(&mut self, from: &[T]) -> Option<T> {
        if from.is_empty() { None } else { from.get(self.below(from.len())).copied() }
    }
    /// A size that is small as often as large: up to 2^`bits`.
    pub fn size(&mut self, bits: usize) -> usize {
        let bits = self.below(bits + 1);
        self.between(1, 1 << bits)
    }
}

/// A clean word that stands for a number and for no other.
pub fn word(number: usize) -> String {
    const SYLLABLES: [&str; 16] = ["ba", "be", "bi", "bo", "da", "de", "di", "do", "la", "le", "li", "lo", "ma", "me", "mi", "mo"];
    let mut text = String::from("V");
    let mut rest = number;
    for _ in 0..4 {
        text.push_str(SYLLABLES[rest % 16]);
        rest /= 16;
    }
    text
}
