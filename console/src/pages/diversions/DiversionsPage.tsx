import { Segmented } from 'antd';
import { useMemo } from 'react';
import { useNavigate } from 'react-router';
import { useDiversions } from '../../api/queries';
import type { DiversionRow } from '../../api/types';
import { useLocale } from '../../i18n/locale';
import { PageTitle } from '../../parts/PageTitle';
import { SeekTable } from '../../parts/SeekTable';
import { useFilters } from '../../parts/useFilters';
import { diversionColumns } from './columns';
import { GROUPINGS, SORTS, chosen, paymentsOf } from './leads';

const FILTERS = ['by', 'sort'] as const;

/** Where to look first for money that went elsewhere. */
export function DiversionsPage() {
  const { t, locale } = useLocale();
  const navigate = useNavigate();
  const { values, set } = useFilters(FILTERS);
  const by = chosen(GROUPINGS, values.by);
  const sort = chosen(SORTS, values.sort);
  const seek = useDiversions(useMemo(() => ({ by, sort, limit: 50 }), [by, sort]));
  const maxStake = Math.max(0, ...seek.items.map((row) => row.stake_minor));
  const columns = useMemo(() => diversionColumns(t, locale, by, maxStake), [t, locale, by, maxStake]);

  return (
    <>
      <PageTitle title={t.diversions.title} intro={t.diversions.intro} />
      <div className="filter-bar">
        <Segmented
          aria-label={t.diversions.by}
          data-testid="diversions-by"
          value={by}
          onChange={(value) => set({ by: value })}
          options={GROUPINGS.map((value) => ({ value, label: t.diversions.groupings[value] }))}
        />
        <Segmented
          aria-label={t.diversions.sort}
          data-testid="diversions-sort"
          value={sort}
          onChange={(value) => set({ sort: value })}
          options={SORTS.map((value) => ({ value, label: t.diversions.sorts[value] }))}
        />
      </div>
      <SeekTable<DiversionRow>
        seek={seek}
        rowKey="key"
        columns={columns}
        className="clickable"
        emptyText={t.diversions.none}
        onRow={(row) => ({
          onClick: (event) => {
            if (event.target instanceof Element && event.target.closest('a')) return; // links go their own way
            void navigate(paymentsOf(by, row));
          },
          'data-testid': 'diversion-row',
        })}
      />
    </>
  );
}
