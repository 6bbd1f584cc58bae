//! The guide's examples are read as the gateway reads them.

#![allow(clippy::expect_used, reason = "a test may")]

use serde::Deserialize;

use crate::detect::{DetectConfig, Detectors};
use crate::follow::{FollowPolicy, Meaning};
use crate::gate::{GateRule, GateRules};

const GUIDE: &str = include_str!("../../../docs/guides/gateway.md");

/// The parts of a configuration that the domain defines.
#[derive(Deserialize)]
struct Parts {
    #[serde(default)]
    gate: Vec<GateRule>,
    #[serde(default)]
    follow: FollowPolicy,
    #[serde(default)]
    detect: DetectConfig,
}

fn examples() -> Vec<Parts> {
    let blocks = GUIDE.split("```toml\n").skip(1).map(|block| block.split("```").next().unwrap_or_default());
    blocks.map(|block| toml::from_str(block).expect("an example of the guide")).collect()
}

#[test]
fn examples_can_be_used() {
    let examples = examples();
    assert_eq!(examples.len(), 3);
    let first = GUIDE.split("```toml\n").nth(1).and_then(|block| block.split("```").next()).expect("an example");
    crate::Config::from_toml(first).expect("a whole configuration");
    for example in &examples {
        GateRules::new(&example.gate).expect("rules");
        Detectors::new(example.detect.clone(), example.follow.host_timeout_ms).expect("thresholds");
    }
    assert_eq!(examples[0].gate.len(), 5);
    assert_eq!((examples[1].follow.ask_again, examples[1].follow.meaning(*b"12")), (true, Meaning::Refused));
    assert_eq!(examples[2].detect.pin_count, 8);
}

#[test]
fn the_guide_names_every_state_alarm_and_key_with_its_default() {
    let missing = |names: Vec<String>| -> Vec<String> {
        names.into_iter().filter(|name| !GUIDE.contains(&format!("`{name}`"))).collect()
    };
    let states = crate::follow::State::ALL.iter().map(|state| state.as_str().to_owned()).collect();
    assert_eq!(missing(states), [""; 0]);
    let alarms = crate::detect::AlarmKind::ALL.iter().map(|kind| kind.as_str().to_owned()).collect();
    assert_eq!(missing(alarms), [""; 0]);
    let follow = serde_json::to_value(FollowPolicy::default()).expect("a policy");
    let detect = serde_json::to_value(DetectConfig::default()).expect("thresholds");
    for (key, value) in follow.as_object().into_iter().chain(detect.as_object()).flatten() {
        let name = format!("`{key}`");
        let mut lines = GUIDE.lines().filter(|line| line.contains(&name));
        let stated = lines.any(|line| value.is_array() || line.contains(&value.to_string()));
        assert!(stated, "the guide does not state {key} with its default {value}");
    }
}
