/** The shapes of what two people decide: limits, verdicts judged again, rule packs. */
import type { Page, Shares } from './types';

export type DecisionState = 'listed' | 'proposed' | 'approved' | 'rejected' | 'withdrawn' | 'revoked' | 'superseded';
export type DecisionStepName = 'propose' | 'approve' | 'reject' | 'withdraw' | 'revoke';

export interface DecisionDoc {
  state: DecisionState;
  version: number;
  maker: string;
  checker: string;
  note: string;
  updated_at: string;
  /** Steps that this user can take now. */
  steps: DecisionStepName[];
}

export interface DecisionStepDoc {
  version: number;
  step: string;
  state: DecisionState;
  author: string;
  note: string;
  at: string;
  entry_index: number;
}

export interface LimitRow {
  id: string;
  of: string;
  title_zh: string;
  title_en: string;
  value: string;
  source: string;
  grade: string;
  waits: boolean;
  automation: string;
  verified_in_pack: { maker: string; checker: string; on: string } | null;
  lapsed: boolean;
  cases_waiting: number;
  decision: DecisionDoc;
}

/** Cases, their ratio, and whether all limits are reached; null where there is nothing to divide by, or no limit. */
export interface StandingDoc {
  cases: number;
  ratio_bp: number | null;
  reached: boolean | null;
}

export interface MonitoringRow {
  programme: string;
  network: string;
  title_zh: string;
  title_en: string;
  subject: string;
  /** Empty for the acquirer. */
  merchant_code: string;
  sales: number;
  now: StandingDoc | null;
  end: StandingDoc | null;
  cases_left: number | null;
  not_counted: string[];
  limit_bp: number | null;
  limit_cases: number | null;
  source: string;
  grade: string;
}

export interface MonitoringPage {
  month: string;
  day: number;
  days: number;
  items: MonitoringRow[];
}

export interface OutcomeDoc {
  cause: string;
  outward: string;
  shares: Shares;
  loss_minor: number;
  rule_id: string;
}

export interface RejudgementDoc {
  id: string;
  payment_id: string;
  kind: string;
  agent_code: string;
  from_revision: number;
  why: string;
  facts: string[];
  pack_id: string;
  pack_version: string;
  old: OutcomeDoc;
  new: OutcomeDoc;
  moved_minor: number;
  agent_minor: number;
  listed_at: string;
  state: DecisionState;
  maker: string;
  checker: string;
  note: string;
  steps: DecisionStepName[];
}

export interface RejudgementSum {
  state: DecisionState;
  why: string;
  old_rule_id: string;
  new_rule_id: string;
  cases: number;
  moved_minor: number;
  agent_minor: number;
}

export interface RejudgementPage extends Page<RejudgementDoc> {
  summary: RejudgementSum[];
}

export interface RejudgementAnswer {
  id: string;
  state: DecisionState | null;
  refused: string | null;
}

export interface PackRow {
  sha256: string;
  id: string;
  version: string;
  live: boolean;
  shipped: boolean;
  added_at: string | null;
  added_by: string;
  decision: DecisionDoc | null;
}

export interface ShadowMove {
  live_rule: string;
  draft_rule: string;
  cases: number;
  loss_minor: number;
}

export interface ShadowSums {
  cases: number;
  changed: number;
  agents_newly_charged: number;
  by_rule: ShadowMove[];
  bears_more_minor: Record<string, number>;
}

export interface ShadowExample {
  payment_id: string;
  kind: string;
  loss_minor: number;
  live_rule: string;
  draft_rule: string;
  live_shares: Shares;
  draft_shares: Shares;
}

export interface ShadowDoc {
  sha256: string;
  tree_size: number;
  all: ShadowSums;
  since: ShadowSums;
  without_facts: number;
  examples: ShadowExample[];
}
