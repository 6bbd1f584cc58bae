import { Tooltip } from 'antd';
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { maySeeFiles, useSignedIn } from '../../app/session';
import type { Overview } from '../../api/types';
import { formatCount, formatMoney, formatShare, ratioBp } from '../../format/money';
import { formatTime } from '../../format/time';
import { useT } from '../../i18n/locale';

interface TileProps {
  name: string;
  label: string;
  value: string;
  note?: ReactNode;
  hint?: string;
  to?: string;
  tone?: 'alarm' | 'plain';
}

function Tile({ name, label, value, note, hint, to, tone = 'plain' }: TileProps) {
  const body = (
    <>
      <span className="tile-label">{label}</span>
      <b className={tone === 'alarm' ? 'alarm number' : 'number'} data-testid={`kpi-${name}`}>
        {value}
      </b>
      <small>{note}</small>
    </>
  );
  const tile = to === undefined ? <div className="tile">{body}</div> : <Link className="tile" to={to}>{body}</Link>;
  return hint === undefined ? tile : <Tooltip title={hint}>{tile}</Tooltip>;
}

export function Tiles({ overview }: { overview: Overview }) {
  const t = useT();
  const session = useSignedIn();
  const { cases, evidence, files } = overview;
  return (
    <div className="tiles" data-testid="overview-tiles">
      <Tile
        name="payments"
        label={t.overview.payments}
        value={formatCount(overview.payments)}
        note={formatMoney(overview.amount_minor)}
        to="/payments?only=all"
      />
      <Tile
        name="exceptions"
        label={t.overview.exceptions}
        value={formatCount(overview.exceptions)}
        note={t.overview.exceptionRate(formatShare(ratioBp(overview.exceptions, overview.payments)))}
        to="/payments"
      />
      <Tile
        name="at-stake"
        label={t.overview.atStake}
        value={formatMoney(overview.exceptions_amount_minor)}
        note={t.overview.atStakeHint}
      />
      <Tile
        name="loss"
        label={t.overview.loss}
        value={formatMoney(overview.loss_minor)}
        note={t.overview.lossHint}
        tone={overview.loss_minor > 0 ? 'alarm' : 'plain'}
      />
      <Tile
        name="cases"
        label={t.overview.cases}
        value={formatCount(cases.open)}
        note={
          cases.overdue > 0 ? (
            <span className="alarm">{t.overview.overdue(formatCount(cases.overdue))}</span>
          ) : (
            t.overview.noOverdue
          )
        }
        hint={formatMoney(cases.amount_minor)}
        to={cases.overdue > 0 ? '/cases?overdue=true' : '/cases'}
      />
      <Tile
        name="evidence"
        label={t.overview.evidence}
        value={t.overview.entries(formatCount(evidence.entries))}
        note={
          evidence.signed_at === null
            ? t.overview.noCheckpoint
            : t.overview.checkpoint(formatCount(evidence.checkpoint_size), formatTime(evidence.signed_at, 'minute'))
        }
        hint={evidence.root}
      />
      {maySeeFiles(session) && (
        <Tile
          name="files"
          label={t.overview.files}
          value={formatCount(files.files)}
          note={
            <>
              {t.overview.rows(formatCount(files.rows))} ·{' '}
              <span className={files.rejected > 0 ? 'alarm' : undefined}>
                {t.overview.rejected(formatCount(files.rejected))}
              </span>
            </>
          }
          to="/files"
        />
      )}
    </div>
  );
}
