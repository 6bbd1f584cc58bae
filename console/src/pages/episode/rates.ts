import type { FailureRate } from '../../api/types';
import { ratioBp } from '../../format/money';

/** Failures as a percentage with at most one decimal: "58.3%", "0.2%", "0%". */
export function ratePercent(rate: FailureRate): string {
  const tenths = Math.round(ratioBp(rate.failures, rate.attempts) / 10);
  return `${Math.trunc(tenths / 10)}${tenths % 10 === 0 ? '' : `.${tenths % 10}`}%`;
}

/** Failures in basis points of the attempts. */
export const rateBp = (rate: FailureRate): number => ratioBp(rate.failures, rate.attempts);

export const both = (a: FailureRate, b: FailureRate): FailureRate => ({
  attempts: a.attempts + b.attempts,
  failures: a.failures + b.failures,
});

/** Ground and ink of a heat cell: from nearly white to the alarm colour, by the square root, so that small rates show. */
export function heat(bp: number): { background: string; color: string } {
  const strength = Math.round(Math.sqrt(Math.min(bp, 10_000) / 10_000) * 100);
  return {
    background: `color-mix(in oklab, #b8323a ${strength}%, #f4f7f9)`,
    color: strength > 55 ? '#ffffff' : '#1b2733',
  };
}
