//! `onus_fuzz::files::layout` under libFuzzer.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| onus_fuzz::files::layout(input));
