-- How breaks are resolved. A row outlives the break it is about, so that a break that comes back is not taken for new.
create table resolutions (
  tenant text not null,
  payment_id text not null,
  class text not null,
  state text not null,                  -- proposed, approved, acted, confirmed, rejected, withdrawn, failed, reopened
  version bigint not null,              -- steps taken
  action text not null,                 -- credit_adjustment, claim, re_presentment, payout_repair, recovery, explained
  amount_minor bigint not null,
  party text not null,                  -- of whom a recovery is asked, or empty
  documents text not null,
  note text not null,
  reference text not null,
  maker text not null,
  checker text not null,
  expected text not null,               -- what the break said
  found text not null,
  difference_minor bigint not null,
  updated_at bigint not null,
  primary key (tenant, payment_id, class)
);
create index resolutions_state on resolutions (tenant, state);

-- Every step with its author. The evidence log has each as an entry of its own, and `onus verify` compares them.
create table resolution_steps (
  tenant text not null,
  payment_id text not null,
  class text not null,
  version bigint not null,
  step text not null,                   -- propose, approve, reject, withdraw, act, confirm, fail, reopen
  state text not null,                  -- after it
  author text not null,
  at bigint not null,
  action text not null,
  amount_minor bigint not null,
  party text not null,
  documents text not null,
  note text not null,
  reference text not null,
  expected text not null,
  found text not null,
  difference_minor bigint not null,
  entry_index bigint not null,
  primary key (tenant, payment_id, class, version)
);
