-- SQLite knows nothing of a table before `analyze`, and then takes every first column of an index for selective.
-- Here that column is the tenant, which selects nothing, so the planner is told the shape of a day of a million
-- payments once and for all. PostgreSQL gathers its own statistics.
analyze;
delete from sqlite_stat1;
insert into sqlite_stat1 (tbl, idx, stat) values
  ('files', 'sqlite_autoindex_files_1', '100 100 1'),
  ('files', 'files_seq', '100 100 1'),
  ('rejects', 'sqlite_autoindex_rejects_1', '1000 1000 50 1'),
  ('agents', 'sqlite_autoindex_agents_1', '400 400 1'),
  ('merchants', 'sqlite_autoindex_merchants_1', '30000 30000 1'),
  ('terminals', 'sqlite_autoindex_terminals_1', '50000 50000 1'),
  ('terminals', 'terminals_tid', '50000 50000 1'),
  ('terminals', 'terminals_agent', '50000 50000 100'),
  ('terminals', 'terminals_merchant', '50000 50000 2'),
  ('payments', 'sqlite_autoindex_payments_1', '1000000 1000000 1'),
  ('payments', 'payments_started', '1000000 1000000 2 1'),
  ('payments', 'payments_merchant', '1000000 1000000 40 1'),
  ('payments', 'payments_tid', '1000000 1000000 25 1'),
  ('payments', 'payments_rrn', '1000000 1000000 1'),
  ('exceptions', 'sqlite_autoindex_exceptions_1', '30000 30000 2 1'),
  ('exceptions', 'exceptions_started', '30000 30000 2 2'),
  ('exceptions', 'exceptions_kind', '30000 30000 5000 2'),
  ('exceptions', 'exceptions_cause', '30000 30000 1500 2'),
  ('exceptions', 'exceptions_agent', '30000 30000 100 2'),
  ('exceptions', 'exceptions_episode', '30000 30000 100'),
  ('exceptions', 'exceptions_entry', '30000 30000 1'),
  ('breaks', 'sqlite_autoindex_breaks_1', '10000 10000 2 1'),
  ('breaks', 'breaks_class', '10000 10000 1000 1'),
  ('tallies', 'sqlite_autoindex_tallies_1', '50000 50000 2000 5 4 2 2 1'),
  ('cases', 'sqlite_autoindex_cases_1', '30000 30000 1'),
  ('cases', 'cases_due', '30000 30000 20 1'),
  ('cases', 'cases_payment', '30000 30000 1'),
  ('obligations', 'sqlite_autoindex_obligations_1', '60000 60000 2 1'),
  ('ledger_lines', 'sqlite_autoindex_ledger_lines_1', '100000 100000 3 1'),
  ('ledger_lines', 'ledger_account', '100000 100000 5000'),
  ('log_entries', 'sqlite_autoindex_log_entries_1', '50000 50000 1'),
  ('checkpoints', 'sqlite_autoindex_checkpoints_1', '100 100 1'),
  ('audit', 'audit_at', '10000 10000 1');
analyze sqlite_schema;
