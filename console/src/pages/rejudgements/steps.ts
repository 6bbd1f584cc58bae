import type { DecisionStepName } from '../../api/types';

/** Steps that are possible for all of these. */
export function commonSteps(rows: { steps: DecisionStepName[] }[]): DecisionStepName[] {
  const [first, ...rest] = rows;
  return first ? first.steps.filter((step) => rest.every((row) => row.steps.includes(step))) : [];
}
