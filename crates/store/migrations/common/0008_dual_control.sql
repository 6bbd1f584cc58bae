-- What each revision of a verdict was decided from: pack and facts. Later revisions never change earlier rows.
create table verdict_facts (
  tenant text not null,
  payment_id text not null,
  kind text not null,
  revision bigint not null,
  pack_sha256 text not null,
  facts text not null,                  -- JSON [[name, value, source, grade, known_at], ...]
  primary key (tenant, payment_id, kind, revision)
);

-- Rule packs that were put beside the shipped one. Which of them decides is in approvals.
create table packs (
  tenant text not null,
  sha256 text not null,
  id text not null,
  version text not null,
  rules text not null,
  causes text not null,
  cases text not null,
  added_at bigint not null,
  added_by text not null,
  primary key (tenant, sha256)
);

-- Verdicts that would be others today. Nothing changes before two people say so; where that stands is in approvals.
create table rejudgements (
  tenant text not null,
  id text not null,                     -- PAYMENT.KIND.REVISION.HASH
  payment_id text not null,
  kind text not null,
  agent_code text not null,
  from_revision bigint not null,
  why text not null,                    -- pack, facts, gone
  reason text not null,                 -- JSON: facts that differ
  pack_id text not null,
  pack_version text not null,
  pack_sha256 text not null,
  verdict_sha256 text not null,         -- of the new verdict, or empty
  old_cause text not null,
  old_outward text not null,
  old_shares text not null,
  old_loss_minor bigint not null,
  old_rule_id text not null,
  new_cause text not null,
  new_outward text not null,
  new_shares text not null,
  new_loss_minor bigint not null,
  new_rule_id text not null,
  moved_minor bigint not null,          -- money that somebody else would bear
  agent_minor bigint not null,          -- what the agent would bear more
  facts text not null,
  listed_at bigint not null,
  primary key (tenant, id)
);
create index rejudgements_payment on rejudgements (tenant, payment_id, kind);

-- Where decisions of two people stand, and every step of them. Each step is an entry of the evidence log.
create table approvals (
  tenant text not null,
  subject text not null,                -- limit, rejudgement, pack
  id text not null,
  state text not null,                  -- listed, proposed, approved, rejected, withdrawn, revoked, superseded
  version bigint not null,
  content_sha256 text not null,         -- of what was proposed
  maker text not null,
  checker text not null,
  note text not null,
  updated_at bigint not null,
  primary key (tenant, subject, id)
);
create index approvals_state on approvals (tenant, subject, state);

create table approval_steps (
  tenant text not null,
  subject text not null,
  id text not null,
  version bigint not null,
  step text not null,                   -- propose, approve, reject, withdraw, revoke
  state text not null,                  -- after it
  content_sha256 text not null,
  author text not null,
  note text not null,
  at bigint not null,
  entry_index bigint not null,
  primary key (tenant, subject, id, version)
);

-- Whether software may act on a duty, and the limit that has to be verified before it may.
alter table obligations add column automation text not null default 'automatic';
alter table obligations add column limit_id text not null default '';
alter table obligations add column limit_sha256 text not null default '';
create index obligations_limit on obligations (tenant, limit_id);
