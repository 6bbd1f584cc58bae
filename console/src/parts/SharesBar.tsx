import { PARTIES, PARTY_COLORS } from '../domain/codes';
import { formatShare } from '../format/money';
import { nameOf, useT } from '../i18n/locale';
import type { Shares } from '../api/types';

/** Parties with a share, in the fixed order of parties, unknown ones last. */
export function orderedShares(shares: Shares): [string, number][] {
  const rank = (party: string) => {
    const place = (PARTIES as readonly string[]).indexOf(party);
    return place < 0 ? PARTIES.length : place;
  };
  return Object.entries(shares)
    .filter(([, bp]) => bp > 0)
    .sort(([a], [b]) => rank(a) - rank(b));
}

/** Who bears how much, as one bar that adds to 100 %. */
export function SharesBar({ shares, large = false }: { shares: Shares; large?: boolean }) {
  const t = useT();
  const parts = orderedShares(shares);
  if (parts.length === 0) return <span className="quiet">{large ? t.payment.nothingToShare : '–'}</span>;
  const label = parts.map(([party, bp]) => `${nameOf(t.parties, party)} ${formatShare(bp)}`).join(' · ');
  return (
    <div className={large ? 'shares shares-large' : 'shares'} title={label} data-testid="shares">
      <div className="shares-bar" role="img" aria-label={label}>
        {parts.map(([party, bp]) => (
          <span key={party} style={{ flexGrow: bp, background: PARTY_COLORS[party] ?? '#566472' }} />
        ))}
      </div>
      <div className="shares-text">
        {parts.map(([party, bp]) => (
          <span key={party}>
            {large && <i style={{ background: PARTY_COLORS[party] ?? '#566472' }} />}
            {nameOf(t.parties, party)} <b>{formatShare(bp)}</b>
          </span>
        ))}
      </div>
    </div>
  );
}
