import { Table } from 'antd';
import { useMemo } from 'react';
import { useSignedIn } from '../../app/session';
import { useAgents } from '../../api/queries';
import type { AgentRow } from '../../api/types';
import { formatTime } from '../../format/time';
import { useT } from '../../i18n/locale';
import { PageTitle } from '../../parts/PageTitle';
import { EmptyState, Loaded } from '../../parts/states';
import { agentTree, type AgentNode } from './agentTree';
import { agentColumns } from './columns';

function AgentsTable({ agents }: { agents: AgentRow[] }) {
  const t = useT();
  const session = useSignedIn();
  const today = session.as_of === null ? '' : formatTime(session.as_of, 'date');
  const tree = useMemo(() => agentTree(agents), [agents]);
  const columns = useMemo(() => agentColumns(t, today), [t, today]);
  return (
    <Table<AgentNode>
      size="small"
      rowKey="code"
      columns={columns}
      dataSource={tree}
      pagination={false}
      expandable={{ defaultExpandAllRows: true, indentSize: 18 }}
      locale={{ emptyText: <EmptyState /> }}
      scroll={{ x: 'max-content' }}
      sticky={{ offsetHeader: 48 }}
      className="list-table"
      data-testid="agents-table"
    />
  );
}

export function AgentsPage() {
  const t = useT();
  const query = useAgents();
  return (
    <>
      <PageTitle title={t.agents.title} intro={t.agents.borneHint} />
      <Loaded query={query}>{({ items }) => <AgentsTable agents={items} />}</Loaded>
    </>
  );
}
