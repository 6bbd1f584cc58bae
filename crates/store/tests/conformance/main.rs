//! One suite for both stores: the cases are generic functions, the macro only lists them.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as tests do")]

mod append_only;
mod detection;
mod diversions;
mod domain;
mod dual_control;
mod expectations;
mod fixture;
mod group_commit;
mod lifetime;
mod lists;
mod resolutions;
mod transactions;

use onus_store::{Store, testing};

/// A store under test and how to open it again.
struct Db {
    store: Store,
    location: String,
}

macro_rules! conformance {
    ($($module:ident :: $case:ident,)+) => {
        mod sqlite {
            $(
                #[test]
                fn $case() {
                    let db = super::testing::sqlite();
                    super::$module::$case(&super::Db { store: db.store.clone(), location: db.location.clone() });
                }
            )+
        }

        /// All cases in one test, because each test process would start a cluster of its own.
        #[test]
        fn postgres() {
            let cases: &[(&str, fn(&Db))] = &[$((stringify!($case), $module::$case)),+];
            for (name, case) in cases {
                println!("postgres::{name}");
                let db = testing::postgres();
                case(&Db { store: db.store, location: db.location });
            }
        }
    };
}

conformance![
    transactions::values_of_every_kind_come_back,
    transactions::wrong_reads_and_wrong_counts_are_explained,
    transactions::parameters_are_found_by_number,
    transactions::an_insert_can_be_repeated,
    transactions::a_refused_closure_leaves_nothing,
    transactions::a_failed_statement_spoils_the_transaction,
    transactions::a_savepoint_undoes_only_itself,
    transactions::conflicts_are_handled_row_by_row,
    transactions::failures_have_the_same_names,
    transactions::ten_thousand_rows_at_once,
    transactions::rows_are_streamed,
    transactions::a_read_sees_one_moment_and_cannot_write,
    transactions::no_increment_is_lost,
    append_only::rows_are_never_changed_or_deleted,
    group_commit::a_write_is_durable_when_it_returns,
    group_commit::a_failing_write_spoils_no_other,
    lifetime::opening_again_changes_nothing,
    lifetime::a_changed_migration_is_refused,
    lifetime::text_is_ordered_by_code_point,
    lifetime::a_killed_process_leaves_what_it_committed,
    lists::every_list_keeps_to_its_scope,
    lists::a_cycle_of_agents_ends,
    lists::pages_have_no_gaps_and_no_repeats,
    lists::payments_are_filtered,
    lists::terminals_and_cases_are_filtered,
    detection::alarms_are_listed_replaced_and_forgotten,
    detection::minutes_of_workers_are_replaced_and_forgotten,
    detection::only_one_goes_on_from_a_state,
    detection::live_episodes_outlast_a_judgement,
    detection::places_have_the_category_of_their_merchant,
    diversions::breaks_are_grouped_within_the_scope,
    diversions::what_a_group_counts_is_what_its_list_shows,
    diversions::a_terminal_with_two_registrations_has_no_known_version,
    resolutions::where_a_resolution_stands_is_read_back,
    resolutions::breaks_are_filtered_and_summed,
    resolutions::only_changed_facts_are_found,
    resolutions::a_step_is_taken_once,
    dual_control::decisions_stand_where_their_last_step_led,
    dual_control::facts_stay_with_their_revision,
    dual_control::a_duty_waits_for_its_limit,
    expectations::expectations_keep_to_their_scope,
    expectations::what_comes_late_keeps_its_age,
    domain::a_payment_comes_with_everything,
    domain::a_payment_outside_the_scope_is_not_there,
    domain::sums_of_overview_agents_and_cases,
    domain::the_evidence_log_is_read_back,
    domain::files_are_numbered_and_judged,
    domain::sessions_end,
    domain::tenants_and_settings,
    domain::a_gateway_says_how_it_stands,
    domain::what_a_new_judgement_no_longer_sees_is_removed,
];
