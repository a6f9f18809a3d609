//! What is held on somebody, for them to see and take away, and a receipt for a yes.

use crate::charter_page::CharterSection;
use crate::error::{FfiError, call};
use crate::unlocked::Unlocked;
use satchel_core::consent::Language;
use satchel_core::consent::holding::Holding;
use satchel_core::consent::receipt::ReceiptForm;
use satchel_wire::ids::RecordId;
use std::sync::Arc;

/// Longest name or address of an agency that a receipt carries (bytes).
const AGENCY_MAX_BYTES: usize = 200;

/// Which form a receipt has.
#[uniffi::remote(Enum)]
pub enum ReceiptForm {
    /// Kantara Consent Receipt 1.1, whose fields ISO/IEC TS 27560:2023 took over.
    Kantara,
    /// HL7 FHIR R4 `Consent`.
    Fhir,
}

/// Everything that this phone holds on one participant, at the moment of asking. Nothing of it is stored anew.
///
/// Give it to them as they want it: shown, read aloud, printed, or as a file where they say. A copy that lies on this phone
/// in the clear is what a search finds first: overwrite what you made, and share the file to nowhere by yourself.
#[derive(uniffi::Object)]
pub struct HeldPage(Holding);

#[uniffi::export]
impl HeldPage {
    /// Their language, as far as there are words in it: what to show first.
    pub fn language(&self) -> Language {
        self.0.language
    }

    /// Its title.
    pub fn title(&self, language: Language) -> String {
        self.0.page(language).title.to_owned()
    }

    /// Its sections. `own_words` are theirs, as they stand.
    pub fn sections(&self, language: Language) -> Vec<CharterSection> {
        self.0.page(language).sections.iter().map(CharterSection::of).collect()
    }

    /// As text, one sentence a line.
    pub fn text(&self, language: Language) -> String {
        self.0.page(language).to_text()
    }

    /// As one HTML document that loads nothing from elsewhere.
    pub fn html(&self, language: Language) -> String {
        self.0.page(language).to_html()
    }
}

fn bounded(field: &str, text: &str) -> Result<(), FfiError> {
    let code = if text.trim().is_empty() { "text_empty" } else { "text_too_long" };
    if text.trim().is_empty() || text.len() > AGENCY_MAX_BYTES { Err(FfiError::field(field.to_owned(), code)) } else { Ok(()) }
}

#[uniffi::export]
impl Unlocked {
    /// Everything that this phone holds about a participant, for them: which facts, why, until when, who can open them, what
    /// they said yes to, what was given to whom, what was taken back. Never other people, nor the recognition word.
    ///
    /// `word` is the recognition word as they said it, and has to be theirs where the file has one; case, accents and
    /// spaces do not matter. Who forgot theirs and is known to the worker is given another first, with `edit_participant`.
    /// Errors: [`FfiError::InvalidInput`] with `recognition_word` (ask for it, or ask again); [`FfiError::NotFound`].
    #[uniffi::method(default(word = None))]
    pub fn hold_on_me(&self, participant: RecordId, word: Option<String>) -> Result<Arc<HeldPage>, FfiError> {
        call(|| {
            let file = self.core().participant(participant)?;
            if file.recognition_word.is_some() && !word.is_some_and(|said| file.is_recognised_by(&said)) {
                return Err(FfiError::field("word".to_owned(), "recognition_word"));
            }
            Ok(Arc::new(HeldPage(self.core().hold_on_me(participant)?)))
        })
    }

    /// A receipt for a yes that counts today, as JSON, for the participant who asks for it; never offer it by yourself.
    ///
    /// It names nobody, carries no id of this store, and is kept nowhere. `agency` and `policy`, at most 200 bytes each, are
    /// how the agency is called and where its charter can be read; no store says so. Errors: [`FfiError::NotFound`],
    /// [`FfiError::NoConsent`] with how the yes stands, [`FfiError::InvalidInput`] for the two texts.
    pub fn grant_receipt(
        &self,
        participant: RecordId,
        grant: RecordId,
        agency: &str,
        policy: &str,
        form: ReceiptForm,
    ) -> Result<String, FfiError> {
        call(|| {
            bounded("agency", agency)?;
            bounded("policy", policy)?;
            Ok(self.core().grant_receipt(participant, grant, agency, policy, form)?)
        })
    }
}
