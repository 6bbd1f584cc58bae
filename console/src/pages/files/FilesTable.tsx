import { Button, Table } from 'antd';
import type { FileRow } from '../../api/types';
import { formatBytes, formatCount } from '../../format/money';
import { nameOf, useT } from '../../i18n/locale';
import { Panel } from '../../parts/Panel';
import { EmptyState } from '../../parts/states';
import { Hash, Time } from '../../parts/values';

interface FilesTableProps {
  files: FileRow[];
  chosen: string | undefined;
  onChoose: (file: string | undefined) => void;
}

export function FilesTable({ files, chosen, onChoose }: FilesTableProps) {
  const t = useT();
  const count = (value: number) => <span className="number">{formatCount(value)}</span>;
  return (
    <Panel title={t.files.files} hint={formatCount(files.length)} flush testId="files">
      <Table<FileRow>
        size="small"
        rowKey="id"
        dataSource={files}
        pagination={files.length > 30 && { pageSize: 30, showSizeChanger: false }}
        locale={{ emptyText: <EmptyState /> }}
        rowClassName={(row) => (row.id === chosen ? 'ant-table-row-selected' : '')}
        scroll={{ x: 'max-content' }}
        columns={[
          { title: t.files.name, dataIndex: 'name' },
          { title: t.files.kind, render: (_, row) => nameOf(t.fileKinds, row.kind) },
          { title: t.files.layout, render: (_, row) => <code className="quiet">{row.layout}</code> },
          { title: t.files.size, align: 'right', render: (_, row) => <span className="number">{formatBytes(row.size)}</span> },
          { title: t.files.rows, align: 'right', render: (_, row) => count(row.rows_total) },
          { title: t.files.accepted, align: 'right', render: (_, row) => count(row.rows_accepted) },
          {
            title: t.files.rejected,
            align: 'right',
            render: (_, row) =>
              row.rows_rejected === 0 ? (
                <span className="quiet">0</span>
              ) : (
                <Button type="link" danger onClick={() => onChoose(row.id)}>
                  {formatCount(row.rows_rejected)}
                </Button>
              ),
          },
          { title: t.files.imported, render: (_, row) => <Time at={row.imported_at} style="minute" /> },
          { title: t.files.hash, render: (_, row) => <Hash value={row.id} /> },
        ]}
      />
    </Panel>
  );
}
