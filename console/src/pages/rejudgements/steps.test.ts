import { describe, expect, it } from 'vitest';
import { commonSteps } from './steps';

describe('commonSteps', () => {
  it.each([
    [[], []],
    [[['propose', 'reject']], ['propose', 'reject']],
    [[['propose', 'reject'], ['approve', 'reject']], ['reject']],
    [[['propose'], ['withdraw']], []],
  ] as const)('%j -> %j', (rows, expected) => {
    expect(commonSteps(rows.map((steps) => ({ steps: [...steps] })))).toEqual(expected);
  });
});
