//! The seam between the simulator and the engine: what the core does not offer as one call.

use super::shelf::Known;
use satchel_core::crypto::VerifyingKey;
use satchel_core::team::operation::Action;
use satchel_core::team::settlement::{Settlement, settle};
use satchel_core::team::{Frontier, Keyring, Role, TeamState};
use satchel_wire::ShiftDay;
use satchel_wire::ids::{DeviceId, OperationId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What the log amounted to at a head that a body names.
pub fn state_at(keyring: &mut Keyring, head: &[u8; 16]) -> Option<Arc<TeamState>> {
    keyring.dangerous_log().state_at(head)
}

/// Devices that a keyring knows to be without access to records, those whose admission is void included.
pub fn banned(keyring: &Keyring) -> BTreeSet<DeviceId> {
    let state = keyring.log().state();
    let has_no_access = |device: &DeviceId| !state.device_role(*device).is_some_and(Role::reads_records);
    let mut banned: BTreeSet<DeviceId> = state.devices.keys().copied().filter(has_no_access).collect();
    let admissions = keyring.log().operations().filter_map(|operation| match operation.action() {
        Action::Admit { device, .. } => Some((operation.id(), device)),
        _ => None,
    });
    let stands: BTreeSet<_> = state.devices.values().map(|device| device.admitted).collect();
    for (_, device) in admissions.filter(|(id, _)| !stands.contains(id)) {
        let id = VerifyingKey::from_bytes(&device.signing).expect("a key that was accepted").device_id();
        if has_no_access(&id) {
            banned.insert(id);
        }
    }
    banned
}

/// The newest frontier of each device.
pub fn frontiers(keyring: &Keyring) -> BTreeMap<DeviceId, Frontier> {
    keyring.frontiers().iter().filter_map(|(device, known)| Some((*device, Frontier::from_bytes(&known.frontier).ok()?))).collect()
}

/// Whether nothing was heard of a device for longer than the charter's absence limit.
pub fn is_silent(keyring: &Keyring, device: &DeviceId, day: ShiftDay) -> bool {
    let state = keyring.log().state();
    let limit = state.charter.as_ref().map_or(21, |charter| charter.absence_limit_days);
    let heard = keyring.frontier_of(device).map(|frontier| frontier.content().day);
    let admitted = state.devices.get(device).and_then(|known| keyring.log().operation(&known.admitted)).map(|operation| operation.day());
    heard.or(admitted).is_some_and(|heard| heard.plus(limit) < day)
}

/// What one phone's receipt for an erasure says.
pub fn receipt(phone: &mut super::world::Phone, operation: &OperationId, day: ShiftDay) -> Option<Settlement> {
    let devices = phone.keyring.log().state().devices.keys();
    let own = phone.keyring.device();
    let silent = devices.filter(|device| **device != own && is_silent(&phone.keyring, device, day)).copied().collect();
    let known = Known { frontiers: frontiers(&phone.keyring), silent };
    settle(&phone.env, phone.keyring.dangerous_log(), operation, None, &known)
}
