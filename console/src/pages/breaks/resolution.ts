import type { ActionOffer, BreakSummary, StepBody, StepName } from '../../api/types';

/** One cell of the matrix, or a sum of cells. */
export interface Cell {
  count: number;
  stake_minor: number;
}

/** The breaks of a class in a band of age. */
export function cellOf(row: BreakSummary, band: string): Cell {
  return row.ages.find((age) => age.key === band) ?? { count: 0, stake_minor: 0 };
}

/** The breaks of all classes in a band of age; without a band, all. */
export function totalOf(rows: BreakSummary[], band?: string): Cell {
  const cells = rows.map((row) => (band === undefined ? row : cellOf(row, band)));
  return cells.reduce<Cell>(
    (sum, cell) => ({ count: sum.count + cell.count, stake_minor: sum.stake_minor + cell.stake_minor }),
    { count: 0, stake_minor: 0 },
  );
}

/** How dark a cell is, 0 to 4: by powers of ten of money, so that old small cells stay visible. */
export function shadeOf(cell: Cell): number {
  if (cell.count === 0) return 0;
  const yuan = cell.stake_minor / 100;
  if (yuan < 1_000) return 1;
  if (yuan < 10_000) return 2;
  return yuan < 100_000 ? 3 : 4;
}

/** What a person has filled in. */
export interface StepForm {
  action?: string | undefined;
  amount_minor?: number | undefined;
  party?: string | undefined;
  documents: string;
  reference: string;
  note: string;
}

export const EMPTY_FORM: StepForm = { documents: '', reference: '', note: '' };

/** Words that a step cannot be taken without; the server holds the same rule. */
export function missingOf(step: StepName, form: StepForm, offer: ActionOffer | undefined, originalMinor: number): string[] {
  const missing: string[] = [];
  if (step === 'propose') {
    if (offer === undefined) return ['action'];
    const amount = form.amount_minor ?? 0;
    if (offer.moves_money && (amount <= 0 || amount > originalMinor)) missing.push('amount');
    if (offer.action === 'recovery' && form.party === undefined) missing.push('party');
    if (offer.needs_documents && form.documents.trim() === '') missing.push('documents');
    if (!offer.moves_money && form.note.trim() === '') missing.push('note');
  }
  if (step === 'act' && form.reference.trim() === '') missing.push('reference');
  if ((step === 'reject' || step === 'fail') && form.note.trim() === '') missing.push('note');
  return missing;
}

/** What is sent: only what the step carries. */
export function bodyOf(step: StepName, version: number, form: StepForm): StepBody {
  const body: StepBody = { version, note: form.note.trim() };
  if (step === 'propose') {
    return {
      ...body,
      ...(form.action !== undefined && { action: form.action }),
      amount_minor: form.amount_minor ?? 0,
      ...(form.party !== undefined && { party: form.party }),
      documents: form.documents.trim(),
    };
  }
  return step === 'act' ? { ...body, reference: form.reference.trim() } : body;
}

/** The state that is asked for: what is not resolved, unless the reader chose otherwise. */
export function stateQuery(chosen: string | undefined): string | undefined {
  return chosen === 'all' ? undefined : (chosen ?? 'unresolved');
}
