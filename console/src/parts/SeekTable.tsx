import { Button, Table, type TableProps } from 'antd';
import type { Seek } from '../api/queries';
import { formatCount } from '../format/money';
import { useT } from '../i18n/locale';
import { EmptyState, ProblemAlert } from './states';

interface SeekTableProps<T> extends Omit<TableProps<T>, 'dataSource' | 'loading' | 'pagination' | 'footer'> {
  seek: Seek<T>;
  emptyText?: string;
  filtered?: boolean;
}

/** A table that reads on from where it stopped; no page numbers, because rows may be added meanwhile. */
export function SeekTable<T extends object>({ seek, emptyText, filtered = false, ...table }: SeekTableProps<T>) {
  const t = useT();
  if (seek.error && seek.items.length === 0) return <ProblemAlert error={seek.error} onRetry={seek.retry} />;
  const count = formatCount(seek.items.length);
  return (
    <>
      <Table<T>
        size="small"
        scroll={{ x: 'max-content' }}
        {...table}
        dataSource={seek.items}
        loading={seek.loading}
        pagination={false}
        locale={{
          emptyText: seek.loading ? (
            ' '
          ) : (
            <EmptyState
              text={emptyText ?? (filtered ? t.common.emptyFiltered : t.common.empty)}
              {...(filtered && { hint: t.common.emptyFilteredHint })}
            />
          ),
        }}
      />
      {seek.error && <ProblemAlert error={seek.error} onRetry={seek.loadMore} />}
      {seek.items.length > 0 && (
        <div className="seek-foot">
          <span className="quiet" data-testid="loaded-count">
            {seek.more ? t.common.loaded(count) : t.common.loadedAll(count)}
          </span>
          {seek.more && (
            <Button onClick={seek.loadMore} loading={seek.loadingMore} data-testid="load-more">
              {t.common.loadMore}
            </Button>
          )}
        </div>
      )}
    </>
  );
}
