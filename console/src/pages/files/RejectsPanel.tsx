import { Button, type TableColumnsType } from 'antd';
import { useMemo } from 'react';
import { useRejects } from '../../api/queries';
import type { FileRow, RejectRow } from '../../api/types';
import { useT } from '../../i18n/locale';
import type { Dictionary } from '../../i18n/zh-CN';
import { Panel } from '../../parts/Panel';
import { SeekTable } from '../../parts/SeekTable';

function rejectColumns(t: Dictionary): TableColumnsType<RejectRow> {
  return [
    { title: t.files.name, dataIndex: 'file_name' },
    {
      title: t.files.position,
      render: (_, row) => (
        <div className="two-line number">
          {row.line === null ? t.common.offset(row.byte_offset) : t.common.line(row.line)}
          <small>{t.files.bytes(row.byte_offset, row.length)}</small>
        </div>
      ),
    },
    { title: t.files.field, render: (_, row) => <code>{row.field === '' ? '–' : row.field}</code> },
    { title: t.files.code, render: (_, row) => <code>{row.code}</code> },
    { title: t.files.detail, dataIndex: 'detail' },
  ];
}

/** What could not be read: the exact place, the field and why. */
export function RejectsPanel({ file, onClear }: { file: FileRow | undefined; onClear: () => void }) {
  const t = useT();
  const seek = useRejects(useMemo(() => ({ file: file?.id, limit: 100 }), [file?.id]));
  const columns = useMemo(() => rejectColumns(t), [t]);
  return (
    <Panel
      title={file === undefined ? t.files.rejects : t.files.rejectsOf(file.name)}
      flush
      testId="rejects"
      extra={
        file !== undefined && (
          <Button type="link" onClick={onClear}>
            {t.files.allFiles}
          </Button>
        )
      }
    >
      <SeekTable<RejectRow>
        seek={seek}
        rowKey={(row) => `${row.file_id}-${row.byte_offset}-${row.field}-${row.code}`}
        columns={columns}
        emptyText={t.files.noRejects}
      />
    </Panel>
  );
}
