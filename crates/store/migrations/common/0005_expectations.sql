-- What must still come for a payment, and by when; what came late stays for a while with its age.
create table expectations (
  tenant text not null,
  payment_id text not null,
  leg text not null,                    -- journal, switch, clearing, payout, reversal, acknowledgement
  rule_id text not null,                -- of packs/expectations-1
  since_at bigint not null,             -- when the record came that it follows
  due_at bigint not null,
  overdue_at bigint,                    -- when it was found overdue
  met_at bigint,                        -- when it came, if that was late
  class text not null,                  -- of the break that its absence is, or empty
  amount_minor bigint not null,
  tid text not null,
  merchant_code text not null,
  agent_code text not null,
  primary key (tenant, payment_id, leg)
);
create index expectations_due on expectations (tenant, due_at, payment_id, leg);
create index expectations_open on expectations (tenant, due_at) where overdue_at is null and met_at is null;
