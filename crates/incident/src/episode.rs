//! An episode as an object: its states, what may happen to it, and what its payments show.

pub mod amount;
pub mod hypotheses;
pub mod life;
pub mod picture;
pub mod replay;
pub mod unproven;

use onus_model::Text;
use serde::{Deserialize, Serialize};

/// Where an episode stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The evidence is enough to look, not enough to act.
    Suspected,
    /// The evidence is enough to act.
    Confirmed,
    /// It fails clearly less than at its worst.
    Mitigated,
    /// The ordinary rate is back.
    Recovered,
    /// Recovered for long enough.
    Closed,
    /// Part of another episode.
    Merged,
    /// It began again after it had recovered.
    Reopened,
}

/// Something that happens to an episode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// The evidence reached what confirms.
    Confirm,
    /// Recent payments speak for less failures.
    Ease,
    /// Recent payments speak for failures again, before it had recovered.
    Worsen,
    /// Recent payments speak for the ordinary rate.
    Recover,
    /// Recent payments speak for failures again, after it had recovered.
    Relapse,
    /// Recovered for long enough; or a suspicion that no longer stands.
    Close,
    /// Found to be part of another episode.
    Merge,
}

/// An event that a state does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an episode that is {} does not take {event:?}; it takes {:?}", .state.as_str(), .state.takes())]
pub struct Refused {
    /// The state.
    pub state: State,
    /// The event.
    pub event: Event,
}

impl State {
    /// All states, in order of life.
    pub const ALL: [State; 7] = [
        Self::Suspected,
        Self::Confirmed,
        Self::Mitigated,
        Self::Recovered,
        Self::Closed,
        Self::Merged,
        Self::Reopened,
    ];

    /// The state after an event.
    ///
    /// # Errors
    /// When this state does not take the event.
    pub const fn on(self, event: Event) -> Result<State, Refused> {
        use Event::{Close, Confirm, Ease, Merge, Recover, Relapse, Worsen};
        use State::{Closed, Confirmed, Merged, Mitigated, Recovered, Reopened, Suspected};
        match (self, event) {
            (Suspected | Reopened, Confirm) | (Mitigated, Worsen) => Ok(Confirmed),
            (Suspected | Confirmed | Reopened, Ease) => Ok(Mitigated),
            (Suspected | Confirmed | Mitigated | Reopened, Recover) => Ok(Recovered),
            (Recovered | Closed, Relapse) => Ok(Reopened),
            (Suspected | Recovered, Close) => Ok(Closed),
            (Suspected | Confirmed | Mitigated | Recovered | Reopened, Merge) => Ok(Merged),
            _ => Err(Refused { state: self, event }),
        }
    }

    /// Events that this state takes.
    #[must_use]
    pub fn takes(self) -> Vec<Event> {
        use Event::{Close, Confirm, Ease, Merge, Recover, Relapse, Worsen};
        let all = [Confirm, Ease, Worsen, Recover, Relapse, Close, Merge];
        all.into_iter().filter(|event| self.on(*event).is_ok()).collect()
    }

    /// Whether payments still fail because of it.
    #[must_use]
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Suspected | Self::Confirmed | Self::Mitigated | Self::Reopened)
    }

    /// The name in exports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Suspected => "suspected",
            Self::Confirmed => "confirmed",
            Self::Mitigated => "mitigated",
            Self::Recovered => "recovered",
            Self::Closed => "closed",
            Self::Merged => "merged",
            Self::Reopened => "reopened",
        }
    }

    /// The name for people.
    #[must_use]
    pub fn title(self) -> Text {
        let (zh, en) = match self {
            Self::Suspected => ("疑似", "suspected"),
            Self::Confirmed => ("已确认", "confirmed"),
            Self::Mitigated => ("已缓解", "mitigated"),
            Self::Recovered => ("已恢复", "recovered"),
            Self::Closed => ("已关闭", "closed"),
            Self::Merged => ("已并入其他事件", "merged"),
            Self::Reopened => ("再次发生", "reopened"),
        };
        Text { zh: zh.to_owned(), en: en.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_and_what_it_takes() {
        let table: Vec<String> = State::ALL
            .into_iter()
            .map(|state| {
                let takes = state
                    .takes()
                    .into_iter()
                    .map(|event| format!("{event:?}>{}", state.on(event).map_or("", State::as_str)));
                format!("{}: {}", state.as_str(), takes.collect::<Vec<_>>().join(" "))
            })
            .collect();
        assert_eq!(
            table,
            [
                "suspected: Confirm>confirmed Ease>mitigated Recover>recovered Close>closed Merge>merged",
                "confirmed: Ease>mitigated Recover>recovered Merge>merged",
                "mitigated: Worsen>confirmed Recover>recovered Merge>merged",
                "recovered: Relapse>reopened Close>closed Merge>merged",
                "closed: Relapse>reopened",
                "merged: ",
                "reopened: Confirm>confirmed Ease>mitigated Recover>recovered Merge>merged",
            ]
        );
        let refused = State::Merged.on(Event::Relapse).unwrap_err();
        assert_eq!(refused.to_string(), "an episode that is merged does not take Relapse; it takes []");
    }
}
