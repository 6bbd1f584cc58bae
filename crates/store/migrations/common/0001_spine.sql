-- One portable text for SQLite and PostgreSQL: bigint, text and blob only (blob is written bytea by the PostgreSQL runner).
-- Times are microseconds since 1970 UTC; money is minor units of the tenant's currency; shares are basis points.

create table tenants (
  id text primary key,
  name text not null,
  currency text not null,
  zone text not null
);

-- A sealed file. Its rows are observations: (file, offset, length) names one of them for ever.
create table files (
  tenant text not null,
  id text not null,                     -- SHA-256 of the file as it came, hex
  seq bigint not null,                  -- short number of the file in this store, used in payment refs
  name text not null,
  kind text not null,                   -- journal, switch, clearing-zm, clearing-csv, payout, disputes, claims, slips, notices, registry/...
  layout text not null,                 -- layout or dialect that read it, with version
  size bigint not null,
  rows_total bigint not null,
  rows_accepted bigint not null,
  rows_rejected bigint not null,
  first_at bigint,                      -- earliest and latest business time in it
  last_at bigint,
  sealed_sha256 text not null,          -- SHA-256 of the masked copy that is kept
  sealed_path text not null,            -- below the vault folder
  imported_at bigint not null,
  judged_at bigint,                     -- null: durable, but no verdict has used it yet
  primary key (tenant, id)
);
create unique index files_seq on files (tenant, seq);

create table rejects (
  tenant text not null,
  file_id text not null,
  seq bigint not null,
  line bigint,
  byte_offset bigint not null,
  length bigint not null,
  field text not null,
  code text not null,
  detail text not null,
  primary key (tenant, file_id, seq)
);

create table agents (
  tenant text not null,
  code text not null,
  parent_code text,
  level bigint not null,
  name text not null,
  city text not null,
  status text not null,
  filing_no text not null,
  filing_valid_to text not null,
  deposit_minor bigint not null,
  deposit_floor_minor bigint not null,
  recourse_share_bp bigint not null,
  primary key (tenant, code)
);

create table merchants (
  tenant text not null,
  code text not null,
  name text not null,
  mcc text not null,
  city text not null,
  agent_code text not null,
  status text not null,
  primary key (tenant, code)
);

create table terminals (
  tenant text not null,
  serial text not null,
  tid text not null,
  merchant_code text not null,
  agent_code text not null,             -- who maintains it
  city text not null,
  model text not null,
  production_batch text not null,
  app_version text not null,
  state text not null,                  -- active, suspect, quarantined, ...
  state_reason text not null,           -- JSON list of {code, zh, en}
  state_since bigint,
  payments bigint not null,
  exceptions bigint not null,
  primary key (tenant, serial)
);
create index terminals_tid on terminals (tenant, tid);
create index terminals_merchant on terminals (tenant, merchant_code);
create index terminals_agent on terminals (tenant, agent_code);

create table payments (
  tenant text not null,
  id text not null,                     -- DATE.TID.BATCH.STAN, or DATE.TID.sSEQ for one never sent
  started_at bigint not null,
  tid text not null,
  merchant_code text not null,
  agent_code text not null,
  city text not null,
  amount_minor bigint not null,
  card_type text not null,
  issuer text not null,
  pan_masked text not null,
  entry_mode text not null,
  rrn text not null,
  response_code text not null,
  outcome text not null,                -- approved, declined, unread, unknown, reversed, voided, refunded
  kinds text not null,                  -- '' or K4 or K7,K8
  refs blob not null,                   -- its observations: file seq, offset, length, leg (see crates/store)
  primary key (tenant, id)
);
create index payments_started on payments (tenant, started_at, id);
create index payments_merchant on payments (tenant, merchant_code, started_at);
create index payments_tid on payments (tenant, tid, started_at);
create index payments_rrn on payments (tenant, rrn);

-- One row a payment and kind. The whole decision (facts, findings, reasons) is the evidence entry's body.
create table exceptions (
  tenant text not null,
  payment_id text not null,
  kind text not null,
  started_at bigint not null,
  tid text not null,
  merchant_code text not null,
  agent_code text not null,
  city text not null,
  amount_minor bigint not null,
  cause text not null,
  status text not null,
  outward text not null,
  shares text not null,                 -- JSON {"agent":4000,...}
  loss_minor bigint not null,
  rule_id text not null,
  episode_id text not null,
  verdict_sha256 text not null,
  entry_index bigint not null,
  revision bigint not null,
  decided_at bigint not null,
  primary key (tenant, payment_id, kind)
);
create index exceptions_started on exceptions (tenant, started_at, payment_id);
create index exceptions_kind on exceptions (tenant, kind, started_at);
create index exceptions_cause on exceptions (tenant, cause, started_at);
create index exceptions_agent on exceptions (tenant, agent_code, started_at);
create index exceptions_episode on exceptions (tenant, episode_id);
create index exceptions_entry on exceptions (tenant, entry_index);

create table breaks (
  tenant text not null,
  payment_id text not null,
  class text not null,
  coarse text not null,
  expected text not null,
  found text not null,
  difference_minor bigint not null,
  first_party text not null,
  primary key (tenant, payment_id, class)
);
create index breaks_class on breaks (tenant, class, payment_id);

create table episodes (
  tenant text not null,
  id text not null,
  cause text not null,
  status text not null,
  benign bigint not null,
  started_at bigint not null,
  ended_at bigint,
  scope text not null,                  -- JSON {"network_link":["211"]}
  payments bigint not null,
  amount_minor bigint not null,
  title_zh text not null,
  title_en text not null,
  body text not null,                   -- JSON: signals, look-alikes excluded
  primary key (tenant, id)
);

-- Small cube for the overview: one row a (hour, agent, kind, cause, outward).
create table tallies (
  tenant text not null,
  hour_at bigint not null,
  agent_code text not null,
  city text not null,
  kind text not null,                   -- '' counts all payments of the hour
  cause text not null,
  outward text not null,
  payments bigint not null,
  amount_minor bigint not null,
  loss_minor bigint not null,
  primary key (tenant, hour_at, agent_code, city, kind, cause, outward)
);

create table cases (
  tenant text not null,
  id text not null,                     -- case number, PAYMENT_ID.KIND
  payment_id text not null,
  kind text not null,
  agent_code text not null,
  state text not null,
  opened_at bigint not null,
  due_at bigint not null,               -- of its first open obligation
  outward text not null,
  loss_minor bigint not null,
  revision bigint not null,
  primary key (tenant, id)
);
create index cases_due on cases (tenant, due_at, id);
create index cases_payment on cases (tenant, payment_id);

create table obligations (
  tenant text not null,
  case_id text not null,
  seq bigint not null,
  duty text not null,
  owner text not null,
  due_at bigint not null,
  amount_minor bigint not null,
  state text not null,                  -- open, done, withdrawn
  primary key (tenant, case_id, seq)
);

-- Double entry: the lines of one journal sum to zero; rows are never changed or deleted.
create table ledger_lines (
  tenant text not null,
  journal_id text not null,             -- CASE_ID.REVISION
  line bigint not null,
  account text not null,
  party text not null,
  amount_minor bigint not null,         -- debit positive, credit negative
  memo text not null,
  booked_at bigint not null,
  primary key (tenant, journal_id, line)
);
create index ledger_account on ledger_lines (tenant, account);

create table log_entries (
  tenant text not null,
  idx bigint not null,
  leaf_hash blob not null,
  body blob not null,
  primary key (tenant, idx)
);

create table checkpoints (
  tenant text not null,
  size bigint not null,
  root blob not null,
  note text not null,
  signed_at bigint not null,
  primary key (tenant, size)
);

create table settings (
  name text primary key,
  value text not null
);

create table users (
  id text primary key,
  tenant text not null,
  username text not null unique,
  password_hash text not null,
  role text not null,                   -- administrator, operator, reviewer, agent
  agent_code text,                      -- for role agent: root of the subtree it may see
  locale text not null,
  created_at bigint not null,
  disabled_at bigint
);

create table sessions (
  token_sha256 text primary key,
  user_id text not null references users (id),
  created_at bigint not null,
  expires_at bigint not null
);

create table audit (
  id text primary key,
  tenant text not null,
  at bigint not null,
  actor text not null,
  action text not null,
  resource text not null,
  outcome text not null
);
create index audit_at on audit (tenant, at);
