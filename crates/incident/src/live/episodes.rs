//! From alarms to episodes with a life.
//!
//! Alarms of one signal at one time are one episode, unless localisation finds a further scope that has an alarm of its
//! own. An episode is *suspected* when an alarm is raised, *confirmed* when the promised test agrees, *mitigated* when
//! the mirror test of its leading alarm leans towards the ordinary rate, *recovered* when that is over, *reopened* when
//! another is raised before it is closed, and *closed* when it has been over for long enough. A suspicion whose alarms
//! are withdrawn is closed at once. The leading alarm is the one with most hits too many, of those that the scope names
//! if there are any; alarms of small cells, which take long to see that it is over, linger and mean nothing more.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::alarms::{AlarmLog, Ending, LoggedAlarm};
use super::amounts::Amounts;
use super::locate::{Located, Search, cell_scope};
use super::picture::{Picture, Seen};
use super::scope::{Coded, Scope};
use crate::cube::{Cube, Sampled, Symbols};
use crate::detector::{By, Settings, Signal};
use crate::episode::amount::{Alike, Cut};
use crate::episode::{Event, State};
use crate::localise::RatioSettings;
use crate::policy::Policy;

/// A state that an episode came into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The minute at whose start this was clear.
    pub at: u32,
    /// The state.
    pub state: State,
    /// Attempts in its scope by then.
    pub attempts: u64,
    /// Hits among them.
    pub hits: u64,
}

/// An episode as it was seen live.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LiveEpisode {
    /// Its number, in the order in which episodes were opened.
    pub number: u32,
    /// The signal that is raised.
    pub signal: String,
    /// The minute in which it seems to have begun.
    pub since: u32,
    /// The minute since which it seems to be over.
    pub ended: Option<u32>,
    /// Its payments.
    pub scope: Scope,
    /// Its life.
    pub steps: Vec<Step>,
    /// Hits that the ordinary rate would have given, by the alarm with most of them.
    pub expected: f64,
    /// Attempts that these are of.
    pub expected_of: u64,
    /// Keys of its alarms, all that it ever had.
    pub alarms: Vec<String>,
    /// What localisation says of it.
    pub words: Option<(Vec<String>, Vec<String>)>,
    /// What its payments show.
    pub picture: Picture,
    amounts: Amounts,
    /// Counts so far, and the last minute in them.
    base: Seen,
    counted_to: u32,
    /// When its scope was last looked for.
    located_at: u32,
    /// Keys of the alarms that stood then.
    located_by: Vec<String>,
}

impl LiveEpisode {
    /// Where it stands.
    #[must_use]
    pub fn state(&self) -> State {
        self.steps.last().map_or(State::Suspected, |step| step.state)
    }

    /// The minute at whose start it was opened.
    #[must_use]
    pub fn opened_at(&self) -> u32 {
        self.steps.first().map_or(self.since, |step| step.at)
    }

    /// Its scope, with the amount that divides its payments from others like them, when one does.
    #[must_use]
    pub fn told_scope(&self) -> Scope {
        let mut scope = self.scope.clone();
        if let Some(cut) = self.cut() {
            let amount = u64::try_from(cut.amount_minor).ok();
            scope.amount = Some(if cut.below { (None, amount) } else { (amount, None) });
        }
        scope
    }

    /// The amount that divides its payments from others like them; none when the scope says amounts by itself.
    #[must_use]
    pub const fn cut(&self) -> Option<&Cut> {
        self.amounts.cut.as_ref()
    }

    /// Payments like its own in city, entry mode and PIN, by amount.
    #[must_use]
    pub const fn alike(&self) -> &Alike {
        &self.amounts.alike
    }

    /// Attempts and hits in its scope so far, with the amount of the hits.
    #[must_use]
    pub const fn seen(&self) -> Seen {
        self.picture.seen
    }

    fn is_open(&self) -> bool {
        !matches!(self.state(), State::Closed | State::Merged)
    }

    fn happen(&mut self, at: u32, event: Event) {
        if let Ok(state) = self.state().on(event) {
            let seen = self.picture.seen;
            self.steps.push(Step { at, state, attempts: seen.attempts(), hits: seen.hits() });
        }
    }
}

/// What a pass looks at.
pub(super) struct Around<'a> {
    pub(super) settings: &'a Settings,
    pub(super) search: &'a RatioSettings,
    pub(super) cube: &'a Cube,
    pub(super) symbols: &'a Symbols,
    pub(super) alarms: &'a AlarmLog,
    pub(super) policy: &'a Policy,
    /// The minute that is over.
    pub(super) minute: u32,
    /// Minutes before it changed.
    pub(super) again: bool,
}

impl Around<'_> {
    /// When this is clear.
    const fn at(&self) -> u32 {
        self.minute + 1
    }
}

/// All episodes that are not forgotten.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Episodes {
    opened: u32,
    all: Vec<LiveEpisode>,
}

impl Episodes {
    pub(super) fn all(&self) -> &[LiveEpisode] {
        &self.all
    }

    /// Takes one more minute in.
    pub(super) fn pass(&mut self, around: &Around<'_>) {
        let lingers = |key: &String| around.alarms.all().iter().any(|alarm| alarm.stands() && alarm.key() == *key);
        self.all.retain(|episode| {
            let just_closed = episode.steps.last().is_some_and(|last| last.at > around.minute);
            episode.is_open() || just_closed || episode.alarms.iter().any(lingers)
        });
        for signal in around.settings.signals.iter().filter(|signal| signal.episode.is_some()) {
            self.pass_signal(signal, around);
        }
        // A scope that no alarm stands for opens nothing.
        self.all.retain(|episode| !episode.steps.is_empty());
    }

    fn pass_signal(&mut self, signal: &Signal, around: &Around<'_>) {
        let fresh = |alarm: &&LoggedAlarm| !self.lingers(alarm);
        let raised: Vec<&LoggedAlarm> = around.alarms.standing(&signal.id).filter(fresh).collect();
        if !raised.is_empty() && self.must_locate(signal, &raised, around) {
            self.locate(signal, &raised, around);
        }
        let attached = self.attach(signal, &raised);
        for episode in self.all.iter_mut().filter(|it| it.signal == signal.id && it.is_open()) {
            let own: Vec<&LoggedAlarm> = attached.get(&episode.number).cloned().unwrap_or_default();
            episode.count(signal, around);
            episode.live(&own, around);
        }
    }

    /// Whether an alarm is left over from an episode that is over.
    fn lingers(&self, alarm: &LoggedAlarm) -> bool {
        let key = alarm.key();
        let over =
            self.all.iter().filter(|it| it.signal == alarm.signal && !it.steps.is_empty() && !it.state().is_live());
        over.filter(|it| it.alarms.contains(&key))
            .any(|it| it.steps.last().is_some_and(|last| last.at >= alarm.raised_at))
    }

    /// A scope is looked for when there is no episode yet, when other alarms stand than the last time, and now and then.
    fn must_locate(&self, signal: &Signal, raised: &[&LoggedAlarm], around: &Around<'_>) -> bool {
        let mut live = self.all.iter().filter(|it| it.signal == signal.id && it.state().is_live());
        let keys = keys(raised);
        let located = live.by_ref().max_by_key(|it| it.located_at);
        located.is_none_or(|it| {
            it.located_by != keys || around.minute >= it.located_at + around.settings.live.locate_minutes
        })
    }

    fn locate(&mut self, signal: &Signal, raised: &[&LoggedAlarm], around: &Around<'_>) {
        let search = Search {
            settings: around.settings,
            ratio: around.search,
            cube: around.cube,
            symbols: around.symbols,
            until: around.at(),
        };
        let held = around.cube.span().0;
        let begun = raised.iter().map(|alarm| alarm.since).min().unwrap_or(around.minute);
        let known = self.all.iter().any(|it| it.signal == signal.id && it.state().is_live());
        // Of trouble older than the cube only its name is known, and that stays.
        if known && begun <= held {
            let of_signal = self.all.iter_mut().filter(|it| it.signal == signal.id && it.state().is_live());
            for episode in of_signal {
                (episode.located_at, episode.located_by) = (around.minute, keys(raised));
            }
            return;
        }
        let Located { scopes, words } = search.locate(signal, raised);
        let mut taken = Vec::new();
        for (rank, scope) in scopes.into_iter().enumerate() {
            let place = self.of_scope(signal, &scope, rank == 0, &taken).unwrap_or_else(|| self.open(signal, begun));
            taken.push(place);
            let Some(episode) = self.all.get_mut(place) else { continue };
            (episode.located_at, episode.located_by) = (around.minute, keys(raised));
            episode.words.clone_from(&words);
            if episode.scope != scope || episode.picture.map.is_empty() {
                episode.since = episode.since.min(begun);
                episode.scope = scope;
                episode.base = Seen::default();
                episode.picture.moments.clear();
            }
        }
        self.merge(signal, around);
    }

    /// Which episode a scope belongs to: one that it meets; the first scope goes on with whichever there is.
    fn of_scope(&self, signal: &Signal, scope: &Scope, first: bool, taken: &[usize]) -> Option<usize> {
        let open = || {
            let of_signal =
                |(place, it): &(usize, &LiveEpisode)| it.signal == signal.id && it.is_open() && !taken.contains(place);
            self.all.iter().enumerate().filter(of_signal)
        };
        let meets = open().find(|(_, it)| it.scope == *scope || it.scope.meets(scope));
        let goes_on = || open().find(|(_, it)| first && it.state().is_live());
        let comes_back = || open().find(|(_, it)| first && it.scope.agrees(scope));
        meets.or_else(goes_on).or_else(comes_back).map(|(place, _)| place)
    }

    fn open(&mut self, signal: &Signal, since: u32) -> usize {
        self.opened += 1;
        self.all.push(LiveEpisode {
            number: self.opened,
            signal: signal.id.clone(),
            since,
            ended: None,
            scope: Scope::default(),
            steps: Vec::new(),
            expected: 0.0,
            expected_of: 0,
            alarms: Vec::new(),
            words: None,
            amounts: Amounts::default(),
            picture: Picture::default(),
            base: Seen::default(),
            counted_to: 0,
            located_at: 0,
            located_by: Vec::new(),
        });
        self.all.len() - 1
    }

    /// Two that turn out to be about the same payments are one.
    fn merge(&mut self, signal: &Signal, around: &Around<'_>) {
        let mut kept: Vec<Scope> = Vec::new();
        for episode in self.all.iter_mut().filter(|it| it.signal == signal.id && it.is_open()) {
            if kept.contains(&episode.scope) && episode.state().is_live() && !episode.steps.is_empty() {
                episode.happen(around.at(), Event::Merge);
            } else {
                kept.push(episode.scope.clone());
            }
        }
    }

    /// To which episode each alarm belongs: one whose scope names its value, else the first that is live.
    fn attach<'a>(&self, signal: &Signal, raised: &[&'a LoggedAlarm]) -> BTreeMap<u32, Vec<&'a LoggedAlarm>> {
        let open = || self.all.iter().filter(|it| it.signal == signal.id && it.is_open());
        let first = open().find(|it| it.steps.is_empty() || it.state().is_live()).or_else(|| open().next());
        let mut attached: BTreeMap<u32, Vec<&LoggedAlarm>> = BTreeMap::new();
        for alarm in raised {
            let cell = cell_scope(alarm);
            let named = open().find(|it| it.scope.meets(&cell));
            if let Some(episode) = named.or(first) {
                attached.entry(episode.number).or_default().push(alarm);
            }
        }
        attached
    }
}

fn keys(raised: &[&LoggedAlarm]) -> Vec<String> {
    let mut keys: Vec<String> = raised.iter().map(|alarm| alarm.key()).collect();
    keys.sort();
    keys
}

impl LiveEpisode {
    /// Counts its payments: of the newest minute, or all that are held when its scope is new.
    fn count(&mut self, signal: &Signal, around: &Around<'_>) {
        let Some((of, hits)) = signal.columns() else { return };
        // After it is over nothing more belongs to it.
        if !self.steps.is_empty() && !self.state().is_live() {
            return;
        }
        let all_held = self.since >= around.cube.span().0;
        let is_new = self.base == Seen::default() || (around.again && all_held);
        if is_new {
            self.base = Seen::default();
            self.picture.moments.clear();
        }
        let held = self.since.max(around.cube.span().0);
        let fresh = if is_new { held } else { self.counted_to + 1 };
        let whole = is_new || self.located_at == around.minute;
        let first = if whole { held.min(fresh) } else { fresh };
        self.counted_to = around.minute;
        let minutes: Vec<(u32, Vec<Sampled>)> =
            (first..=around.minute).map(|minute| (minute, around.cube.sampled(minute, minute + 1, of, hits))).collect();
        let coded = self.scope.coded(around.symbols);
        for (minute, sampled) in minutes.iter().filter(|(minute, _)| *minute >= fresh) {
            self.base.add(sampled, &coded);
            self.picture.go_on(*minute, sampled, &coded, around);
        }
        self.picture.seen = self.base;
        if whole {
            self.picture.draw(around, &minutes, &coded, &signal.locate);
        }
        let divided = around.policy.families.iter().any(|it| Some(it.family) == signal.episode && it.amount_cut);
        if divided && self.scope.amount.is_none() {
            let from = if is_new || (whole && all_held) { first } else { fresh };
            self.divide(&minutes, from, &coded, around);
        } else {
            self.amounts = Amounts::default();
        }
    }

    /// Looks for the amount that divides it, with the payments from a minute on: anew where that is the first.
    fn divide(&mut self, minutes: &[(u32, Vec<Sampled>)], from: u32, coded: &Coded, around: &Around<'_>) {
        let (most, cut) = (around.settings.live.cut_payments, &around.policy.cut);
        let a_minute = most / around.settings.cube.minutes.max(1) as usize;
        if from <= self.since.max(around.cube.span().0) {
            self.amounts.begin(minutes.iter().map(|(_, sampled)| sampled.as_slice()), coded, cut);
        }
        for (_, sampled) in minutes.iter().filter(|(minute, _)| *minute >= from) {
            self.amounts.add(sampled, a_minute, most);
        }
        if self.located_at == around.minute {
            self.amounts.look(cut);
        }
    }

    /// What its alarms mean for its life.
    fn live(&mut self, own: &[&LoggedAlarm], around: &Around<'_>) {
        let at = around.at();
        for key in keys(own) {
            if !self.alarms.contains(&key) {
                self.alarms.push(key);
            }
        }
        if own.is_empty() {
            if !self.steps.is_empty() {
                self.rest(around);
            }
            return;
        }
        if self.state() == State::Recovered {
            self.happen(at, Event::Relapse);
        }
        let leader = self.leader(around.alarms);
        if let Some(leader) = leader {
            (self.expected, self.expected_of) = (leader.expected, leader.attempts);
        }
        if leader.is_some_and(|leader| !leader.stands()) {
            return self.rest(around);
        }
        if self.steps.is_empty() {
            let seen = self.picture.seen;
            self.steps.push(Step { at, state: State::Suspected, attempts: seen.attempts(), hits: seen.hits() });
        }
        self.ended = None;
        if matches!(self.state(), State::Suspected | State::Reopened) && own.iter().any(|it| it.by == By::Promised) {
            self.happen(at, Event::Confirm);
        }
        let eased = leader.is_some_and(|leader| leader.eased);
        match self.state() {
            State::Mitigated if !eased => self.happen(at, Event::Worsen),
            State::Suspected | State::Confirmed | State::Reopened if eased => self.happen(at, Event::Ease),
            _ => {}
        }
    }

    /// The one of its alarms, since it began or came back, with most hits too many.
    fn leader<'a>(&self, alarms: &'a AlarmLog) -> Option<&'a LoggedAlarm> {
        let back = self.steps.iter().rev().find(|step| step.state == State::Reopened).map_or(0, |step| step.at);
        let own = || {
            let alarms = alarms.all().iter().filter(|it| it.signal == self.signal);
            alarms.filter(|it| it.raised_at >= back && self.alarms.contains(&it.key()))
        };
        let most = |one: &&LoggedAlarm, other: &&LoggedAlarm| one.excess().total_cmp(&other.excess());
        own().filter(|it| cell_scope(it).meets(&self.scope)).max_by(most).or_else(|| own().max_by(most))
    }

    /// Its alarms are over.
    fn rest(&mut self, around: &Around<'_>) {
        let at = around.at();
        let ended = |alarm: &&LoggedAlarm| alarm.ended.is_some() && self.alarms.contains(&alarm.key());
        let over: Vec<&LoggedAlarm> = around.alarms.all().iter().filter(ended).collect();
        if self.state().is_live() {
            let withdrawn = over.iter().all(|it| it.ended.is_some_and(|ended| ended.how == Ending::Withdrawn));
            self.ended = over.iter().filter_map(|it| it.ended).map(|ended| ended.since).max().or(Some(at));
            let suspected = self.state() == State::Suspected;
            self.happen(at, if withdrawn && suspected { Event::Close } else { Event::Recover });
        } else if self.state() == State::Recovered {
            let since = self.steps.last().map_or(at, |last| last.at);
            if at >= since + around.policy.life.closed_after_seconds / 60 {
                self.happen(at, Event::Close);
            }
        }
    }
}
