//! Which combination of attributes explains the failure?
//!
//! Two kinds of data: failures of attempts with their history ([`localise_failures`]), and a measure with its forecast
//! ([`localise_measure`], the form of the public research sets). In both, every row adds a few numbers, elements of
//! every combination of dimensions add up their rows (`lattice`), and the sums give the log likelihood ratio of the
//! element against "nothing special here". The element worth most, its name paid for, is taken away with its rows,
//! and so on until nothing is worth its name (`cover`, and `screen` for failures); so nothing at all is an answer too.
//!
//! Unlike the rest of the crate this module calculates with floating point numbers: likelihoods are logarithms. It
//! proposes scopes and never decides about money, and the order of sums is fixed, so that the same table gives the
//! same answer on every machine that follows IEEE 754 and has the same logarithm.

mod answer;
mod baseline;
mod cover;
mod cut;
mod explain;
mod lattice;
mod measure;
mod null;
mod ratio;
mod screen;
mod settings;
mod share;
mod stray;
mod table;

pub use answer::{Alternative, Answer, Everywhere, Figures, Finding, Is, Other, Part};
pub use baseline::Counts;
pub use cut::{Point, bins};
pub use explain::{Words, explanation, scope_text};
pub use measure::{Measures, localise_measure};
pub use settings::{MeasureSettings, RatioSettings, Settings, SettingsError};
pub use share::{Failures, localise_failures, most_striking_minute};
pub use table::{Dictionary, Dimension, Table};
