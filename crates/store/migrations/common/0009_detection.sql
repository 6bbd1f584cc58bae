-- What was raised, live or in records, and how live detection stands.
create table alarms (
  tenant text not null,
  id text not null,
  origin text not null,                 -- live, records
  signal text not null,
  layer text not null,                  -- total, network_link, terminal, ...
  cell text not null,                   -- the value; of a pair both, joined by +
  standing text not null,               -- raised, confirmed, recovered, accepted, withdrawn
  since_at bigint not null,
  raised_at bigint not null,
  confirmed_at bigint,
  ended_at bigint,
  attempts bigint not null,
  hits bigint not null,
  expected_milli bigint not null,       -- expected hits, thousandths
  evidence_bits bigint not null,        -- logarithm to the base 2 of the e-value
  needed_bits bigint not null,
  body text not null,                   -- JSON: the comparison with peers
  primary key (tenant, id)
);
create index alarms_raised on alarms (tenant, origin, raised_at);

-- One minute of the partial cube of one worker.
create table live_minutes (
  tenant text not null,
  instance text not null,
  minute bigint not null,               -- since 1970 UTC
  version bigint not null,              -- grows with every change of this worker
  body blob not null,
  primary key (tenant, instance, minute)
);

-- How live detection stands: an earlier state, and what was said since.
create table live_state (
  tenant text not null,
  name text not null,                   -- checkpoint, progress
  turn bigint not null,                 -- grows with every write, so that two processes cannot both go on
  body blob not null,
  primary key (tenant, name)
);

-- Issuers by the first digits of cards.
create table issuer_bins (
  tenant text not null,
  bin bigint not null,
  issuer_code text not null,
  primary key (tenant, bin)
);

alter table episodes add column origin text not null default 'records';
-- The episode found in records that a live one is part of, or empty.
alter table episodes add column merged_into text not null default '';
