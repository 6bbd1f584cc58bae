import type { TwoTexts } from './types';

/** A rate that is raised in one cell: a suspicion to look at. */
export interface Alarm {
  id: string;
  /** live or records */
  origin: string;
  signal: string;
  layer: string;
  /** which cell; empty for the total */
  cell: string;
  /** raised, confirmed, recovered, accepted or withdrawn */
  standing: string;
  since_at: string;
  raised_at: string;
  confirmed_at: string | null;
  ended_at: string | null;
  attempts: number;
  hits: number;
  /** thousandths */
  expected_milli: number;
  evidence_bits: number;
  needed_bits: number;
  says: TwoTexts;
  eased: boolean;
  against_peers: boolean;
}
