import { CheckCircleFilled, WarningFilled } from '@ant-design/icons';
import { Table, type TableColumnsType } from 'antd';
import type { LedgerLine } from '../../api/types';
import { formatMoney, sumMinor } from '../../format/money';
import { nameOf, useT } from '../../i18n/locale';
import type { Dictionary } from '../../i18n/zh-CN';
import { PartyName } from '../../parts/names';
import { Panel } from '../../parts/Panel';
import { Time } from '../../parts/values';

/** `receivable:agent:A0301` is named by its first part; the party has a column of its own. */
function accountName(account: string, t: Dictionary): string {
  return nameOf(t.accounts, account.split(':')[0] ?? account);
}

/** Debit is positive, credit negative; the sum of all lines must be zero and is shown to be. */
export function LedgerPanel({ lines }: { lines: LedgerLine[] }) {
  const t = useT();
  const sum = sumMinor(lines.map((line) => line.amount_minor));
  const columns: TableColumnsType<LedgerLine> = [
    { title: t.payment.account, render: (_, row) => <span title={`${row.account} · ${row.journal_id}`}>{accountName(row.account, t)}</span> },
    { title: t.common.party, render: (_, row) => <PartyName party={row.party} /> },
    {
      title: t.payment.debit,
      align: 'right',
      render: (_, row) => row.amount_minor > 0 && <span className="number">{formatMoney(row.amount_minor)}</span>,
    },
    {
      title: t.payment.credit,
      align: 'right',
      render: (_, row) => row.amount_minor < 0 && <span className="number">{formatMoney(-row.amount_minor)}</span>,
    },
    { title: t.payment.memo, render: (_, row) => nameOf(t.memos, row.memo) },
    { title: t.payment.bookedAt, render: (_, row) => <Time at={row.booked_at} style="minute" /> },
  ];
  return (
    <Panel title={t.payment.ledger} flush testId="ledger">
      {lines.length === 0 ? (
        <p className="quiet ledger-none">{t.payment.noLedger}</p>
      ) : (
        <>
          <Table<LedgerLine>
            size="small"
            rowKey={(line) => `${line.journal_id}-${line.line}`}
            columns={columns}
            dataSource={lines}
            pagination={false}
            scroll={{ x: 'max-content' }}
          />
          <div className="ledger-sum" data-testid="ledger-sum" data-balanced={sum === 0n}>
            {sum === 0n ? (
              <span className="good">
                <CheckCircleFilled /> {t.payment.sumZero}
              </span>
            ) : (
              <span className="alarm">
                <WarningFilled /> {t.payment.sumNotZero(formatMoney(sum))}
              </span>
            )}
          </div>
        </>
      )}
    </Panel>
  );
}
