import { describe, expect, it } from 'vitest';
import type { ActionOffer, BreakSummary } from '../../api/types';
import { dictionaries } from '../../i18n/locale';
import { EMPTY_FORM, bodyOf, cellOf, missingOf, shadeOf, stateQuery, totalOf } from './resolution';

const row = (name: string, ages: [string, number, number][]): BreakSummary => ({
  class: name,
  coarse: '',
  count: ages.reduce((sum, [, count]) => sum + count, 0),
  stake_minor: ages.reduce((sum, [, , stake]) => sum + stake, 0),
  difference_minor: 0,
  class_zh: name,
  class_en: name,
  ages: ages.map(([key, count, stake_minor]) => ({ key, count, stake_minor })),
});

const offer = (action: string, changes: Partial<ActionOffer> = {}): ActionOffer => ({
  action,
  zh: '',
  en: '',
  means_zh: '',
  means_en: '',
  message: '',
  moves_money: true,
  needs_documents: false,
  refused_zh: null,
  refused_en: null,
  ...changes,
});

describe('the matrix', () => {
  const mcc = row('MCC', [['d0-1', 2, 500], ['d91', 1, 90]]);
  const twice = row('DUP_CLEAR', [['d0-1', 1, 10]]);
  const rows = [mcc, twice];

  it('adds up to the same by row and by column', () => {
    expect(cellOf(mcc, 'd91')).toMatchObject({ count: 1, stake_minor: 90 });
    expect(cellOf(twice, 'd91')).toEqual({ count: 0, stake_minor: 0 });
    expect(totalOf(rows, 'd0-1')).toEqual({ count: 3, stake_minor: 510 });
    expect(totalOf(rows)).toEqual({ count: 4, stake_minor: 600 });
    expect(totalOf([])).toEqual({ count: 0, stake_minor: 0 });
  });

  it.each([
    [0, 0, 0],
    [1, 0, 1],
    [3, 99_999, 1],
    [3, 100_000, 2],
    [1, 1_000_000, 3],
    [9, 10_000_000, 4],
  ])('%s breaks of %s fen are shaded %s', (count, stake_minor, shade) => {
    expect(shadeOf({ count, stake_minor })).toBe(shade);
  });
});

describe('what a step needs', () => {
  const filled = { ...EMPTY_FORM, amount_minor: 500, note: 'why' };
  const explained = offer('explained', { moves_money: false });
  it.each([
    ['propose', filled, undefined, ['action']],
    ['propose', filled, offer('payout_repair'), []],
    ['propose', { ...filled, amount_minor: 1_001 }, offer('payout_repair'), ['amount']],
    ['propose', { ...filled, amount_minor: 0 }, offer('claim', { needs_documents: true }), ['amount', 'documents']],
    ['propose', filled, offer('recovery'), ['party']],
    ['propose', { ...filled, party: 'agent' }, offer('recovery'), []],
    ['propose', EMPTY_FORM, explained, ['note']],
    ['propose', { ...EMPTY_FORM, note: 'known' }, explained, []],
    ['approve', EMPTY_FORM, undefined, []],
    ['reject', EMPTY_FORM, undefined, ['note']],
    ['act', { ...EMPTY_FORM, reference: ' ' }, undefined, ['reference']],
    ['fail', filled, undefined, []],
  ] as const)('%s %o', (step, form, chosen, missing) => {
    expect(missingOf(step, form, chosen, 1_000)).toEqual(missing);
  });

  it('is sent without what belongs to other steps', () => {
    const form = { ...filled, action: 'recovery', party: 'agent', reference: ' R1 ', documents: ' a ' };
    expect(bodyOf('propose', 2, form)).toEqual({
      version: 2,
      note: 'why',
      action: 'recovery',
      amount_minor: 500,
      party: 'agent',
      documents: 'a',
    });
    expect(bodyOf('act', 3, form)).toEqual({ version: 3, note: 'why', reference: 'R1' });
    expect(bodyOf('approve', 1, EMPTY_FORM)).toEqual({ version: 1, note: '' });
  });
});

describe('stateQuery', () => {
  it('hides what is resolved until somebody asks for it', () => {
    expect(stateQuery(undefined)).toBe('unresolved');
    expect(stateQuery('all')).toBeUndefined();
    expect(stateQuery('confirmed')).toBe('confirmed');
  });
});

describe('texts', () => {
  it('name the same states, steps and actions', () => {
    const [zh, en] = [dictionaries['zh-CN'].breaks, dictionaries.en.breaks];
    for (const part of ['states', 'steps', 'actions'] as const) expect(Object.keys(en[part])).toEqual(Object.keys(zh[part]));
  });
});
