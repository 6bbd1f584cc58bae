-- Settlement accounts of merchants with the change that brought each in: an account changed days before a payout is a
-- lead.
create table settlement_accounts (
  tenant text not null,
  change_id text not null,
  merchant_code text not null,
  account_no text not null,
  valid_from bigint not null,
  changed_by text not null,             -- merchant:..., agent:CODE:USER
  primary key (tenant, change_id)
);
create index settlement_accounts_account on settlement_accounts (tenant, merchant_code, account_no);
