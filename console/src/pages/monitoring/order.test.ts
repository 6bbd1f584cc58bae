import { describe, expect, it } from 'vitest';
import type { MonitoringRow } from '../../api/types';
import { worstFirst } from './order';

function row(programme: string, now: boolean | null, end: boolean | null, left: number | null): MonitoringRow {
  const standing = (reached: boolean | null) => ({ cases: 1, ratio_bp: 1, reached });
  return {
    programme,
    network: 'visa',
    title_zh: '',
    title_en: '',
    subject: 'merchant',
    merchant_code: '',
    sales: 1,
    now: standing(now),
    end: standing(end),
    cases_left: left,
    not_counted: [],
    limit_bp: null,
    limit_cases: null,
    source: '',
    grade: 'R',
  };
}

describe('the order of programmes', () => {
  it('puts first what is reached, then what will be, then what is near', () => {
    const rows = [
      row('no limit', null, null, null),
      row('far', false, false, 40),
      row('near', false, false, 3),
      row('will be', false, true, 2),
      row('is', true, true, 0),
    ];
    expect(worstFirst(rows).map((one) => one.programme)).toEqual(['is', 'will be', 'near', 'far', 'no limit']);
  });
});
