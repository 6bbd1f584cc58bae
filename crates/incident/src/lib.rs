//! Episodes: payments that failed together, with the time and the smallest scope that explain them.
//!
//! [`detect`] takes what was tried, in time order, and a [`Policy`] (data, `packs/episodes-1`), and works family by
//! family. For a *burst* it scans the whole stream and each value of each dimension for the stretch of time in which
//! failures speak most against the ordinary rate; for a *standing* fault it looks at all the time. Within that time
//! it chooses the scope: the set of values of one dimension, or of a pair of dimensions, that describes the failures
//! in the fewest bits, values paid for. So one network link beats the two cities that sit on it, and a list of shops
//! never beats their common cause. Whoever merely sits in the scope is named in [`Found::excluded`], with the
//! matched comparison that clears them. Integers only: the same samples give the same answer everywhere.

mod burst;
mod columns;
pub mod cube;
mod detect;
pub mod detector;
pub mod episode;
mod evidence;
mod found;
mod grouped;
pub mod live;
pub mod localise;
mod policy;
mod sample;
mod scope;

#[cfg(test)]
mod streams;

pub use detect::{detect, detect_with};
pub use found::{Excluded, Found, Rate};
pub use grouped::Witness;
pub use policy::{CutPolicy, FamilyPolicy, LifePolicy, Policy, PolicyError, Shape, UnprovenPolicy, WitnessPolicy};
pub use sample::{DIMS, Dim, FailureClass, Family, Sample};
