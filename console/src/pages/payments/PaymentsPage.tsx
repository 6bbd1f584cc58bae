import { useMemo } from 'react';
import { useNavigate } from 'react-router';
import { usePayments } from '../../api/queries';
import type { PaymentRow } from '../../api/types';
import { useT } from '../../i18n/locale';
import { PageTitle } from '../../parts/PageTitle';
import { SeekTable } from '../../parts/SeekTable';
import { useFilters } from '../../parts/useFilters';
import { paymentColumns } from './columns';
import { FilterBar } from './FilterBar';
import { FILTERS, paymentQuery } from './paymentQuery';
import './payments.css';

export function PaymentsPage() {
  const t = useT();
  const navigate = useNavigate();
  const filters = useFilters(FILTERS);
  const seek = usePayments(useMemo(() => paymentQuery(filters.values), [filters.values]));
  const columns = useMemo(() => paymentColumns(t), [t]);

  return (
    <>
      <PageTitle title={t.payments.title} />
      <FilterBar filters={filters} />
      <SeekTable<PaymentRow>
        seek={seek}
        rowKey="id"
        columns={columns}
        filtered={filters.any}
        className="clickable payments-table"
        sticky={{ offsetHeader: 48 }}
        onRow={(row) => ({
          onClick: (event) => {
            if (event.target instanceof Element && event.target.closest('a')) return; // links go their own way
            void navigate(`/payments/${encodeURIComponent(row.id)}`);
          },
          'data-testid': 'payment-row',
        })}
      />
    </>
  );
}
