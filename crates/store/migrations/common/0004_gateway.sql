-- How each gateway stands, as it said last. A gateway that stops saying it is shown as stale.
create table gateway_status (
  tenant text not null,
  instance text not null,               -- name of the gateway, as its configuration has it
  at bigint not null,                   -- when it said this, by the clock of its machine
  status text not null,                 -- JSON
  primary key (tenant, instance)
);
