//! The closed lists of the catalogue, and how an answer can be known or unknown.

use minicbor::{Decode, Encode};
use serde::Serialize;
use std::collections::BTreeMap;

/// Declares an enum whose variants have a stable name and a stable CBOR index.
macro_rules! closed_list {
    ($(#[$list:meta])* $name:ident { $($(#[$item:meta])* $index:literal $variant:ident = $text:literal,)+ }) => {
        $(#[$list])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize)]
        #[cbor(index_only)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$item])* #[n($index)] $variant,)+ }

        impl $name {
            /// Every member, in the order of the encoding.
            pub const ALL: &'static [$name] = &[$($name::$variant,)+];

            /// The stable snake-case name, as used at a terminal and in JSON.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $($name::$variant => $text,)+ }
            }

            /// The member with this exact [`name`](Self::name), if there is one.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($text => Some($name::$variant),)+ _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.name())
            }
        }
    };
}

closed_list! {
    /// What kind of help a resource gives.
    Category {
        /// Shelter, rooms, rent help, housing search.
        0 Housing = "housing",
        /// Care for children while an adult is elsewhere.
        1 Childcare = "childcare",
        /// Medical, dental, mental health and treatment services.
        2 HealthCare = "health_care",
        /// Benefits, cash help and work.
        3 Income = "income",
        /// Lawyers, record clearing, know-your-rights help.
        4 LegalAid = "legal_aid",
        /// Meals and groceries.
        5 Food = "food",
        /// Syringes, naloxone, condoms, test strips and other supplies.
        6 SaferUseSupplies = "safer_use_supplies",
        /// Places to be without an appointment: day centres, showers, laundry.
        7 DropIn = "drop_in",
        /// Rides, tickets and passes.
        8 Transport = "transport",
        /// Anything else.
        9 Other = "other",
    }
}

closed_list! {
    /// What a provider demands before it helps.
    Demand {
        /// An identity document.
        0 Id = "id",
        /// Being sober, abstinent or tested.
        1 Abstinence = "abstinence",
        /// Contact with, or a report or referral from, police, courts or probation.
        2 PoliceContact = "police_contact",
        /// A fixed address or proof of residence.
        3 Address = "address",
        /// A referral from somebody else.
        4 Referral = "referral",
        /// A particular citizenship or immigration status.
        5 ImmigrationStatus = "immigration_status",
    }
}

closed_list! {
    /// Who a provider passes a person's data to.
    Recipient {
        /// The Homeless Management Information System shared by agencies.
        0 Hmis = "hmis",
        /// Police or another law-enforcement body.
        1 Police = "police",
    }
}

closed_list! {
    /// Who or what a provider turns away.
    Excluded {
        /// Couples and partners.
        0 Partners = "partners",
        /// Animals other than required service animals.
        1 Pets = "pets",
        /// Transgender women.
        2 TransWomen = "trans_women",
        /// People who are currently using drugs or alcohol.
        3 ActiveUse = "active_use",
    }
}

/// Answers over a closed list: each member is a known yes, a known no, or unknown.
///
/// Unknown is not no: a provider that never wrote whether it asks for an ID may well ask for one.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, Serialize)]
#[cbor(transparent)]
#[serde(transparent)]
pub struct Known<K: Ord>(#[n(0)] BTreeMap<K, bool>);

impl<K: Ord> Default for Known<K> {
    fn default() -> Self {
        Known(BTreeMap::new())
    }
}

impl<K: Ord + Copy> Known<K> {
    /// The answer for `key`, or `None` when it is unknown.
    #[must_use]
    pub fn answer(&self, key: K) -> Option<bool> {
        self.0.get(&key).copied()
    }

    /// Records a known answer, replacing an earlier one.
    pub fn record(&mut self, key: K, answer: bool) {
        self.0.insert(key, answer);
    }

    /// The members known to be so, in list order.
    pub fn yes(&self) -> impl Iterator<Item = K> + '_ {
        self.0.iter().filter_map(|(key, answer)| answer.then_some(*key))
    }

    /// The members known not to be so, in list order.
    pub fn no(&self) -> impl Iterator<Item = K> + '_ {
        self.0.iter().filter_map(|(key, answer)| (!answer).then_some(*key))
    }

    /// Whether nothing at all is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<K: Ord> FromIterator<(K, bool)> for Known<K> {
    fn from_iter<I: IntoIterator<Item = (K, bool)>>(answers: I) -> Self {
        Known(answers.into_iter().collect())
    }
}
