//! An exchange with an honest relay over a network that loses, doubles and replays.

use super::Dice;
use crate::team::{Hub, Phone};
use satchel_core::store::{RelayAnswer, RelayError, RelayReport};
use satchel_wire::frame::Endpoint;
use std::sync::PoisonError;

/// What a network does to an exchange.
#[derive(Debug, Clone, Copy, Default)]
pub struct Network {
    /// Of 100 requests, how many never arrive.
    pub lost_requests: usize,
    /// Of 100 answers, how many never arrive.
    pub lost_answers: usize,
    /// Of 100 requests, how many arrive twice; the phone hears either answer.
    pub doubled: usize,
    /// Of 100 requests, how many are preceded by one that somebody recorded earlier.
    pub replayed: usize,
}

fn ask(hub: &Hub, endpoint: Endpoint, request: &[u8]) -> RelayAnswer {
    match hub.relay.answer(endpoint, request) {
        Ok(body) => RelayAnswer::Ok(body),
        Err(problem) => RelayAnswer::Problem { code: problem.code, relay_time: problem.relay_time },
    }
}

/// One exchange; `Ok(None)` when the network broke it off. Errors: the exchange's own.
pub fn exchange_over(hub: &Hub, phone: &Phone, dice: &mut Dice, network: Network) -> Result<Option<RelayReport>, RelayError> {
    let mut link = phone.unlocked.relay_exchange()?;
    while let Some((endpoint, request)) = link.next_request()? {
        if dice.chance(network.lost_requests) {
            return Ok(None);
        }
        if dice.chance(network.replayed) {
            let recorded = {
                let traffic = hub.traffic.lock().unwrap_or_else(PoisonError::into_inner);
                let at = dice.below(traffic.len());
                traffic.get(at).map(|(endpoint, request, _)| (*endpoint, request.clone()))
            };
            if let Some((endpoint, request)) = recorded {
                ask(hub, endpoint, &request);
            }
        }
        let mut answer = ask(hub, endpoint, &request);
        if dice.chance(network.doubled) {
            let second = ask(hub, endpoint, &request);
            if dice.chance(50) {
                answer = second;
            }
        }
        if let RelayAnswer::Ok(body) = &answer {
            let mut traffic = hub.traffic.lock().unwrap_or_else(PoisonError::into_inner);
            // enough to replay from; a run would otherwise keep everything that ever passed
            if traffic.len() >= 64 {
                let at = dice.below(64);
                traffic.swap_remove(at);
            }
            traffic.push((endpoint, request, body.clone()));
        }
        if dice.chance(network.lost_answers) {
            return Ok(None);
        }
        link.receive(&answer)?;
    }
    Ok(Some(link.report().clone()))
}
