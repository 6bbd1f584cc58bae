import { describe, expect, it } from 'vitest';
import { formatBytes, formatCount, formatMoney, formatShare, moneyInput, parseMoney, ratioBp, sumMinor } from './money';

describe('formatMoney', () => {
  it.each([
    [0, '¥0.00'],
    [5, '¥0.05'],
    [50, '¥0.50'],
    [100, '¥1.00'],
    [123456, '¥1,234.56'],
    [100000000, '¥1,000,000.00'],
    [-123456, '-¥1,234.56'],
    [-1, '-¥0.01'],
    [9007199254740991, '¥90,071,992,547,409.91'],
    [900719925474099312345n, '¥9,007,199,254,740,993,123.45'],
  ])('%s -> %s', (minor, text) => {
    expect(formatMoney(minor)).toBe(text);
  });

  it('refuses what is not a whole number of fen', () => {
    expect(() => formatMoney(0.5)).toThrow(RangeError);
    expect(() => formatMoney(2 ** 53)).toThrow(RangeError);
    expect(() => formatMoney(Number.NaN)).toThrow(RangeError);
  });
});

describe('parseMoney', () => {
  it.each([
    ['1234.56', 123456],
    ['1,234.5', 123450],
    ['¥ 500', 50000],
    ['0.07', 7],
    ['1.15', 115], // 1.15 * 100 is 114.99999999999999 in floating point
    ['999999999999.99', 99999999999999],
  ])('%s -> %s', (text, minor) => {
    expect(parseMoney(text)).toBe(minor);
  });

  it.each(['', 'abc', '1.234', '-5', '1e3', '.5', '12345678901234'])('refuses "%s"', (text) => {
    expect(parseMoney(text)).toBeUndefined();
  });

  it('is undone by moneyInput', () => {
    for (const minor of [0, 1, 10, 99, 100, 115, 123450, 50000]) expect(parseMoney(moneyInput(minor))).toBe(minor);
  });
});

describe('sums and shares', () => {
  it('adds beyond what numbers hold exactly', () => {
    expect(sumMinor([9007199254740991, 9007199254740991])).toBe(18014398509481982n);
    expect(sumMinor([500, -300, -200])).toBe(0n);
    expect(sumMinor([])).toBe(0n);
  });

  it.each([
    [0, '0%'],
    [1, '0.01%'],
    [50, '0.5%'],
    [3333, '33.33%'],
    [6000, '60%'],
    [10000, '100%'],
  ])('%s bp -> %s', (bp, text) => {
    expect(formatShare(bp)).toBe(text);
  });

  it('takes ratios without dividing by zero', () => {
    expect(ratioBp(1, 3)).toBe(3333);
    expect(ratioBp(0, 0)).toBe(0);
    expect(ratioBp(5, 5)).toBe(10000);
  });

  it('writes counts and sizes', () => {
    expect(formatCount(1234567)).toBe('1,234,567');
    expect(formatCount(12)).toBe('12');
    expect(formatBytes(512)).toBe('512 B');
    expect(formatBytes(1536)).toBe('1.5 KB');
    expect(formatBytes(3 * 1024 * 1024)).toBe('3.0 MB');
  });
});
