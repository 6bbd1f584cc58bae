/** Money in whole minor units (fen), written and read as text: no floating point anywhere. */

function grouped(digits: string): string {
  return digits.replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}

/** 123456 -> "¥1,234.56". Numbers that JavaScript cannot hold exactly are refused, never rounded. */
export function formatMoney(minor: number | bigint, symbol = '¥'): string {
  if (typeof minor === 'number' && !Number.isSafeInteger(minor)) {
    throw new RangeError(`not a whole number of minor units: ${minor}`);
  }
  const value = BigInt(minor);
  const digits = (value < 0n ? -value : value).toString().padStart(3, '0');
  const sign = value < 0n ? '-' : '';
  return `${sign}${symbol}${grouped(digits.slice(0, -2))}.${digits.slice(-2)}`;
}

/** "1,234.5" -> 123450; undefined when it is not an amount with at most two decimals. */
export function parseMoney(text: string): number | undefined {
  const match = /^¥?(\d{1,12})(?:\.(\d{1,2}))?$/.exec(text.trim().replace(/[,，\s]/g, ''));
  if (!match) return undefined;
  const [, whole = '', fraction = ''] = match;
  return Number(whole + fraction.padEnd(2, '0'));
}

/** 123450 -> "1234.5" for an input field. */
export function moneyInput(minor: number): string {
  const digits = BigInt(minor).toString().padStart(3, '0');
  const fraction = digits.slice(-2).replace(/0+$/, '');
  return digits.slice(0, -2) + (fraction === '' ? '' : `.${fraction}`);
}

/** Sum without loss, for the line under a ledger. */
export function sumMinor(amounts: readonly number[]): bigint {
  return amounts.reduce((sum, amount) => sum + BigInt(amount), 0n);
}

export function formatCount(count: number): string {
  return grouped(String(count));
}

/** Basis points as a percentage: 6000 -> "60%", 3333 -> "33.33%". */
export function formatShare(bp: number): string {
  const digits = String(bp).padStart(3, '0');
  const fraction = digits.slice(-2).replace(/0+$/, '');
  return `${digits.slice(0, -2)}${fraction === '' ? '' : `.${fraction}`}%`;
}

/** part of whole in basis points, rounded down; 0 when the whole is 0. */
export function ratioBp(part: number, whole: number): number {
  return whole === 0 ? 0 : Number((BigInt(part) * 10_000n) / BigInt(whole));
}

export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 * 1024) return `${(bytes / 1024).toFixed(1)} KB`;
  return `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}
