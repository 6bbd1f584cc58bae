-- What was booked, proven or audited is never changed or deleted.
create trigger ledger_lines_no_update before update on ledger_lines
begin select raise(abort, 'ledger_lines is append-only'); end;
create trigger ledger_lines_no_delete before delete on ledger_lines
begin select raise(abort, 'ledger_lines is append-only'); end;

create trigger log_entries_no_update before update on log_entries
begin select raise(abort, 'log_entries is append-only'); end;
create trigger log_entries_no_delete before delete on log_entries
begin select raise(abort, 'log_entries is append-only'); end;

create trigger checkpoints_no_update before update on checkpoints
begin select raise(abort, 'checkpoints is append-only'); end;
create trigger checkpoints_no_delete before delete on checkpoints
begin select raise(abort, 'checkpoints is append-only'); end;

create trigger audit_no_update before update on audit
begin select raise(abort, 'audit is append-only'); end;
create trigger audit_no_delete before delete on audit
begin select raise(abort, 'audit is append-only'); end;
