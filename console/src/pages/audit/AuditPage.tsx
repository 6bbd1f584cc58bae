import { Alert, type TableColumnsType } from 'antd';
import { useMemo } from 'react';
import { maySeeAudit, useSignedIn } from '../../app/session';
import { useAudit } from '../../api/queries';
import type { AuditRow } from '../../api/types';
import { useT } from '../../i18n/locale';
import type { Dictionary } from '../../i18n/zh-CN';
import { PageTitle } from '../../parts/PageTitle';
import { SeekTable } from '../../parts/SeekTable';
import { Time } from '../../parts/values';

const QUERY = { limit: 100 };

function auditColumns(t: Dictionary): TableColumnsType<AuditRow> {
  return [
    { title: t.common.time, render: (_, row) => <Time at={row.at} /> },
    { title: t.audit.actor, dataIndex: 'actor' },
    { title: t.audit.action, render: (_, row) => <code>{row.action}</code> },
    { title: t.audit.resource, render: (_, row) => <span className="number">{row.resource}</span> },
    { title: t.audit.outcome, dataIndex: 'outcome' },
  ];
}

function AuditTable() {
  const t = useT();
  const seek = useAudit(QUERY);
  const columns = useMemo(() => auditColumns(t), [t]);
  return (
    <SeekTable<AuditRow>
      seek={seek}
      rowKey={(row) => `${row.at}-${row.actor}-${row.action}-${row.resource}`}
      columns={columns}
      sticky={{ offsetHeader: 48 }}
      className="list-table"
    />
  );
}

export function AuditPage() {
  const t = useT();
  const session = useSignedIn();
  return (
    <>
      <PageTitle title={t.audit.title} intro={t.audit.intro} />
      {maySeeAudit(session) ? <AuditTable /> : <Alert type="info" showIcon title={t.audit.denied} />}
    </>
  );
}
