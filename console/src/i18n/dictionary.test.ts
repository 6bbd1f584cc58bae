import { describe, expect, it } from 'vitest';
import { KINDS, PARTIES, CASE_STATES, TERMINAL_STATES } from '../domain/codes';
import { dictionaries, localeOf, nameOf } from './locale';

/** Every text as path -> words; texts with parameters are filled with stand-ins. */
function texts(node: unknown, path = ''): [string, string][] {
  if (typeof node === 'string') return [[path, node]];
  if (typeof node === 'function') {
    const filled: unknown = (node as (...args: unknown[]) => unknown)(7, 'day');
    return [[path, String(filled)]];
  }
  return Object.entries(node as object).flatMap(([name, value]) => texts(value, path === '' ? name : `${path}.${name}`));
}

const zh = new Map(texts(dictionaries['zh-CN']));
const en = new Map(texts(dictionaries.en));

/** Same in both languages because they are names. */
const SAME = new Set(['app.name', 'files.hash']);

describe('dictionaries', () => {
  it('have the same keys', () => {
    expect([...en.keys()].sort()).toEqual([...zh.keys()].sort());
  });

  it('leave no text empty', () => {
    for (const [path, text] of [...zh, ...en]) expect(text.trim(), path).not.toBe('');
  });

  it('are written in their own language', () => {
    for (const [path, text] of zh) if (!SAME.has(path)) expect(text, path).toMatch(/[\u4e00-\u9fff]/);
    for (const [path, text] of en) expect(text, path).not.toMatch(/[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]/);
  });

  it('name every kind, party, case state and terminal state', () => {
    for (const t of Object.values(dictionaries)) {
      for (const kind of KINDS) expect(nameOf(t.kinds, kind)).not.toBe(kind);
      for (const kind of KINDS) expect(nameOf(t.kindHints, kind)).not.toBe(kind);
      for (const party of PARTIES) expect(nameOf(t.parties, party)).not.toBe(party);
      for (const state of CASE_STATES) expect(nameOf(t.caseStates, state)).not.toBe(state);
      for (const state of TERMINAL_STATES) expect(nameOf(t.terminalStates, state)).not.toBe(state);
    }
  });

  it('name every cause of the domain', () => {
    const causes =
      'CARD.FUNDS CARD.LIMIT CARD.STATUS CARD.PIN CARD.RISK NET.TERM NET.AGENT NET.ACQ NET.UP NET.ISS TERM.HW TERM.CFG TERM.KEY TERM.OUTDATED MAINT.ERROR MAINT.OVERDUE TAMPER.AGENT TAMPER.MERCHANT TAMPER.OUTSIDER TAMPER.SUPPLY MERCH.RULE MERCH.SERVICE ACQ.BOARDING ACQ.SETTLE ACQ.RISKHOLD OP.ERROR CH.FRAUD CH.FRIENDLY UNKNOWN';
    expect(Object.keys(dictionaries['zh-CN'].causes).sort()).toEqual(causes.split(' ').sort());
  });
});

describe('nameOf', () => {
  it('falls back to the code', () => {
    expect(nameOf({ a: 'Alpha' }, 'a')).toBe('Alpha');
    expect(nameOf({ a: 'Alpha' }, 'b')).toBe('b');
    expect(nameOf({}, 'toString')).toBe('toString');
  });
});

describe('localeOf', () => {
  it.each([
    ['en', 'en'],
    ['en-GB', 'en'],
    ['zh-CN', 'zh-CN'],
    ['zh', 'zh-CN'],
    ['fr', 'zh-CN'],
    [null, 'zh-CN'],
  ])('%s -> %s', (text, locale) => {
    expect(localeOf(text)).toBe(locale);
  });
});
