//! The words the rules know, in English and Spanish, folded (lower case, no accents).
//!
//! One word may stand in several lists; the lists are merged once, at first use.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::sync::LazyLock;

use super::phrase::Hashed;

/// A set of the lists below.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tags(u32);

impl Tags {
    /// Introduces a birth date.
    pub const BIRTH: Tags = Tags(1 << 0);
    /// Introduces a justice reference; a short bare number is enough.
    pub const JUSTICE: Tags = Tags(1 << 1);
    /// Introduces a justice reference, but has an everyday meaning too.
    pub const JUSTICE_WEAK: Tags = Tags(1 << 2);
    /// Introduces an identity document's number.
    pub const DOCUMENT: Tags = Tags(1 << 3);
    /// As `DOCUMENT`, and the last four digits are enough.
    pub const SOCIAL: Tags = Tags(1 << 4);
    /// Introduces a licence plate.
    pub const PLATE: Tags = Tags(1 << 5);
    /// Speaks of phones.
    pub const PHONE: Tags = Tags(1 << 6);
    /// Names a network with account names.
    pub const NETWORK: Tags = Tags(1 << 7);
    /// Names a provider of e-mail.
    pub const MAIL: Tags = Tags(1 << 8);
    /// May stand between a word and its number.
    pub const FILLER: Tags = Tags(1 << 9);
    /// Says that a number follows ("number", "num").
    pub const MARKER: Tags = Tags(1 << 10);
    /// What is counted or measured: the number before it is a quantity.
    pub const MEASURE: Tags = Tags(1 << 11);
    /// Cannot be part of a street's name.
    pub const STOP: Tags = Tags(1 << 12);
    /// Ends an English street name.
    pub const STREET: Tags = Tags(1 << 13);
    /// Ends an English street name, but has an everyday meaning too.
    pub const STREET_WEAK: Tags = Tags(1 << 14);
    /// Begins a Spanish street name.
    pub const CALLE: Tags = Tags(1 << 15);
    /// Introduces the number of a room.
    pub const ROOM: Tags = Tags(1 << 16);
    /// Introduces the number of a flat; short numbers count.
    pub const FLAT: Tags = Tags(1 << 17);
    /// Says where someone stays.
    pub const STAYS: Tags = Tags(1 << 18);
    /// A month; the value is 1 to 12.
    pub const MONTH: Tags = Tags(1 << 19);
    /// A number word; the value is 0 to 99.
    pub const NUMBER: Tags = Tags(1 << 20);
    /// An ordinal; the value is 1 to 31.
    pub const ORDINAL: Tags = Tags(1 << 22);
    /// Introduces a day written as two numbers.
    pub const DAY: Tags = Tags(1 << 23);
    /// A separator spoken aloud ("dash").
    pub const DASH: Tags = Tags(1 << 24);
    /// The number after it is a line, a route or a size.
    pub const ROUTE: Tags = Tags(1 << 25);
    /// Capitals that are no plate.
    pub const ACRONYM: Tags = Tags(1 << 26);
    /// Introduces a latitude or longitude.
    pub const POSITION: Tags = Tags(1 << 27);
    /// A place that workers write after an @ sign.
    pub const VENUE: Tags = Tags(1 << 28);
    /// The number after it is an officer's or a car's, not a case's.
    pub const OFFICER: Tags = Tags(1 << 29);

    /// Whether any of the given lists holds the word.
    pub(super) const fn any(self, of: Tags) -> bool {
        self.0 & of.0 != 0
    }

    /// Both sets together.
    pub(super) const fn or(self, other: Tags) -> Tags {
        Tags(self.0 | other.0)
    }
}

/// What the lists say about one word.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Entry {
    pub tags: Tags,
    /// Of months, number words and ordinals.
    pub value: u8,
}

/// Looks a folded word up.
pub(super) fn look_up(word: &[u8]) -> Entry {
    if word.len() > LONGEST_BYTES {
        return Entry::default();
    }
    WORDS.get(word).copied().unwrap_or_default()
}

const LONGEST_BYTES: usize = 16;

/// The words are ours, so a plain hash will do.
type Words = HashMap<&'static [u8], Entry, BuildHasherDefault<Hashed>>;

static WORDS: LazyLock<Words> = LazyLock::new(|| {
    let mut words = Words::default();
    for (tags, list) in LISTS {
        for word in list.split_ascii_whitespace() {
            let entry = words.entry(word.as_bytes()).or_default();
            entry.tags = entry.tags.or(*tags);
        }
    }
    for (tags, list) in VALUES {
        for (value, names) in (0u8..).zip(list.split('|')) {
            for word in names.split_ascii_whitespace() {
                let entry = words.entry(word.as_bytes()).or_default();
                entry.tags = entry.tags.or(*tags);
                entry.value = value;
            }
        }
    }
    for (index, names) in (2u8..).zip(TENS) {
        for word in names.split_ascii_whitespace() {
            let entry = words.entry(word.as_bytes()).or_default();
            entry.tags = entry.tags.or(Tags::NUMBER);
            entry.value = index * 10;
        }
    }
    words
});

const LISTS: &[(Tags, &str)] = &[
    (
        Tags::BIRTH,
        "dob yob born birth birthday birthdate bday birthdays nacido nacida nacio naci nacimiento \
         cumpleanos cumple fdn nac dobs",
    ),
    (Tags::JUSTICE, "badge unit cad docket inmate unidad patrulla cruiser squad expediente bkg pfn cdcr"),
    (
        Tags::JUSTICE_WEAK,
        "case caso incident incidente warrant arresto arrest citation cite report reporte ticket \
         officer oficial deputy agente trooper detective causa folio recluso preso bond fianza \
         parole probation orden summons complaint denuncia carpeta booking placa placas bookng incidnt warant cas \
         sheriff ofc",
    ),
    (Tags::OFFICER, "badge unit unidad patrulla cruiser squad officer oficial deputy agente trooper detective sheriff ofc placa placas"),
    (
        Tags::DOCUMENT,
        "passport pasaporte curp ine dni cedula licencia license licence dl medicaid medicare alien \
         uscis visa ead id nss rfc medi ebt calfresh mrn insurance aseguranza clave pasaporte dui nit naf imss inss issste \
         afiliacion medical beneficiary poliza policy cin matricula sss credencial itin tin",
    ),
    (Tags::SOCIAL, "ssn social itin ss seguro"),
    (Tags::PLATE, "plate plates placa placas tag tags matricula patente chapa vin plt"),
    (
        Tags::PHONE,
        "call calls txt text phone tel telephone cell cel celular mobile number numero whatsapp fax \
         llamar llama llamame llamen telefono tele movil reach ph marcar contact contacto nmbr \
         phne cellphone wsp llamale llamarle marcale marcarle hablale llamenle fone numba nmber nber celu sel fon digits",
    ),
    (
        Tags::NETWORK,
        "ig insta instagram facebook fb snapchat snap tiktok whatsapp telegram kik discord twitter venmo \
         cashapp messenger face wickr threads bluesky tinder grindr onlyfans",
    ),
    (Tags::MAIL, "gmail hotmail yahoo outlook icloud protonmail proton aol live msn ymail"),
    (
        Tags::FILLER,
        "is was the of de del la el es era fue on in en his her their hers su sus mi my s date fecha \
         with ending ends end starts starting partial it que that y con security \
         license state card and que policial policia police court corte booking dia day lo \
         con termina empieza consular elector mexicano mexicana salvadoreno hondureno guatemalteco vigente vencido vencida \
         expired old new nuevo nueva electoral read reads said arrest arresto investigacion cal judicial penal",
    ),
    (Tags::MARKER, "number num numero nbr nmbr nr id"),
    (
        Tags::MEASURE,
        "mg ml mcg kg g lb lbs oz min mins minute minutes hr hrs hour hours h day days week weeks wk \
         wks month months year years yr yrs yo old night nights am pm people ppl person persons kit \
         kits pack packs box boxes case cases bottle bottles water waters pair pairs bed beds block \
         blocks mile miles bag bags dose doses unit units time times x blanket blankets sock socks \
         tent tents meal meals snack snacks can cans cup cups test tests strip strips syringe syringes \
         needle needles point points pill pills tablet tablets sleeve sleeves pipe pipes condom condoms \
         friend friends kid kids dog dogs cat cats bedroom bedrooms feet ft percent dollar dollars \
         bucks step steps more other others extra left of coffee coffees sandwich sandwiches burrito \
         burritos narcan naloxone naloxona hygiene tarp tarps jacket jackets shirt shirts shoe shoes \
         ponchos poncho granola gloves hats hat pants wipes pads tampons visits visit tokens token \
         passes pass rides ride stops stop folks men women guys neighbors batteries chargers charger \
         in cm inch inches degrees th st nd rd spray sprays vials vial patches appts referrals flyers \
         dias dia semana semanas mes meses ano anos hora horas minuto minutos noche noches personas \
         persona caja cajas botella botellas agua aguas pares par cama camas cuadra cuadras bolsa \
         bolsas dosis veces vez cobija cobijas calcetines comida comidas perro perros amigo amigos \
         ninos nino hijos hijas jeringas jeringa condones prueba pruebas tiras tira peso pesos dolares \
         mas cafe tacos tamales paquetes paquete lonches lonche gente hombres mujeres de lugares",
    ),
    (
        Tags::STOP,
        "of from in on the to at and or for with by near gave met saw needs need wants want came went \
         is was are has had who that this each per them they he she his her us we i about after before \
         between around over under some any all got get took takes is new more free hot cold w if so \
         but not no then when while still also just asked asks said says up out down off into \
         y o u con en a por para desde hasta que hace dio dimos vio vimos es son fue era hay todo toda \
         todos esta estan sin como cuando donde pero ya muy casi unos unas dormian durmiendo llegaron \
         llego pidio necesita necesitan quiere quieren llevamos entregamos",
    ),
    (
        Tags::STREET,
        "st street str ave avenue blvd boulevard rd road ln lane hwy highway pkwy parkway ter terrace \
         cir circle aly alley expy aven stret",
    ),
    (Tags::STREET_WEAK, "dr drive way ct court pl place sq square loop trail trl plaza row walk pike"),
    (
        Tags::CALLE,
        "calle av ave avda avenida blvd bulevar boulevard calzada carrera cra callejon carretera \
         privada prolongacion paseo camino cll",
    ),
    (Tags::ROOM, "room rm habitacion hab cuarto suite ste"),
    (Tags::FLAT, "apt apartment apto depto departamento aptmt"),
    (
        Tags::STAYS,
        "address addr lives staying stays stay live vive viven direccion domicilio queda quedando \
         sleeps duerme",
    ),
    (
        Tags::DAY,
        "monday tuesday wednesday thursday friday saturday sunday mon tue tues wed thu thur thurs fri \
         lunes martes miercoles jueves viernes sabado domingo on el dia date fecha court corte appt appointment cita since desde until hasta del audiencia \
         hearing due",
    ),
    (Tags::DASH, "dash guion hyphen dot punto space espacio"),
    (
        Tags::ROUTE,
        "bus route line ruta linea train tren exit hwy freeway camion size sizes sz talla tallas muni \
         bart trolley track pier gate channel step",
    ),
    (
        Tags::ACRONYM,
        "ssi hud usd wic ebt sro mat doc cpr hiv ssa dmv iop ged tba hsa pos er vip std sti hcv \
         ssdi ptsd llc ymca ihss dss dhs dpw mta may jan feb mar apr jun jul aug sep oct nov dec \
         mon tue wed thu fri sat sun lun mie jue vie sab dom the and for gave got met saw day bus",
    ),
    (Tags::POSITION, "lat latitude latitud long longitude longitud lon lng gps coords coordenadas"),
    (
        Tags::VENUE,
        "shelter clinic park library van office home work church hospital dropin drop the mission \
         beach camp night noon er site river bridge motel station mcdonalds kitchen pantry center \
         centre corner plaza albergue clinica parque biblioteca iglesia casa trabajo noche least all",
    ),
];

/// Words with a value: their place between the bars is the value.
const VALUES: &[(Tags, &str)] = &[
    (
        Tags::MONTH,
        "|january jan enero ene janury|february feb febrero febreo febuary feburary|march mar marzo\
         |april apr abril abr|may mayo|june jun junio|july jul julio|august aug agosto agozto\
         |september sept sep septiembre septienbre setember setiembre|october oct octubre otubre|november nov noviembre nobiembre novienbre novembre\
         |december dec diciembre dic dicienbre decembre",
    ),
    (
        Tags::NUMBER,
        "zero oh cero|one uno|two dos|three tres|four cuatro|five fiv cinco|six seis|seven siete\
         |eight ocho|nine nueve|ten diez|eleven once|twelve doce|thirteen trece|fourteen catorce\
         |fifteen quince|sixteen dieciseis|seventeen diecisiete|eighteen dieciocho\
         |nineteen diecinueve|veinte|veintiuno|veintidos|veintitres|veinticuatro|veinticinco\
         |veintiseis|veintisiete|veintiocho|veintinueve",
    ),
    (
        Tags::ORDINAL,
        "|first primero|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth\
         |thirteenth|fourteenth|fifteenth|sixteenth|seventeenth|eighteenth|nineteenth|twentieth\
         ||||||||||thirtieth",
    ),
];

/// Tens from twenty to ninety.
const TENS: [&str; 8] = [
    "twenty",
    "thirty treinta",
    "forty fourty cuarenta",
    "fifty cincuenta",
    "sixty sesenta",
    "seventy setenta",
    "eighty ochenta",
    "ninety noventa",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_folded_and_short_enough_to_be_found() {
        for word in WORDS.keys() {
            assert!(word.iter().all(u8::is_ascii_lowercase));
            assert!(word.len() <= LONGEST_BYTES);
        }
    }

    #[test]
    fn values_stand_in_their_place() {
        for (word, value) in [("mayo", 5), ("dic", 12), ("nine", 9), ("quince", 15), ("thirty", 30)] {
            assert_eq!(look_up(word.as_bytes()).value, value, "{word}");
        }
        assert!(look_up(b"placa").tags.any(Tags::PLATE) && look_up(b"placa").tags.any(Tags::JUSTICE_WEAK));
        assert!(!look_up(b"zebra").tags.any(Tags(u32::MAX)));
    }
}
