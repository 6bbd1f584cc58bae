/**
 * The shapes of /api/v1, and the only place that names them. Money is whole fen (`*_minor`),
 * shares are basis points, times are RFC 3339 text with offset.
 */

export type Kind = 'K1' | 'K2' | 'K3' | 'K4' | 'K5' | 'K6' | 'K7' | 'K8';
export type Role = 'administrator' | 'operator' | 'reviewer' | 'agent';
export type FindingStatus = 'confirmed' | 'probable' | 'possible' | 'excluded';
export type LegName = 'journal' | 'switch' | 'clearing' | 'payout';
export type AgentBasis = 'own_fault' | 'contract' | 'own_promise' | 'none';

/** Share of a loss by party, in basis points that add to 10000; empty when there is nothing to share. */
export type Shares = Record<string, number>;

/** A text the server writes in both languages. */
export interface TwoTexts {
  zh: string;
  en: string;
}

export interface Page<T> {
  items: T[];
  next_cursor: string | null;
}

export interface Session {
  username: string;
  role: Role;
  agent_code: string | null;
  locale: string;
  tenant: { id: string; name: string; currency: string; zone: string };
  as_of: string | null;
}

// Overview

export interface KindCount {
  kind: string;
  count: number;
  amount_minor: number;
  loss_minor: number;
}

export interface CauseCount {
  cause: string;
  count: number;
  amount_minor: number;
  loss_minor: number;
}

export interface OutwardCount {
  party: string;
  count: number;
  loss_minor: number;
}

export interface HourCount {
  hour: string;
  payments: number;
  exceptions: number;
  by_kind: Record<string, number>;
}

export type PaymentFilter = Record<string, string>;

export interface Story {
  id: string;
  title_zh: string;
  title_en: string;
  text_zh: string;
  text_en: string;
  payment_id: string;
  filter: PaymentFilter;
}

export interface Overview {
  as_of: string | null;
  dates: string[];
  payments: number;
  amount_minor: number;
  exceptions: number;
  exceptions_amount_minor: number;
  loss_minor: number;
  by_kind: KindCount[];
  by_cause: CauseCount[];
  by_outward: OutwardCount[];
  by_hour: HourCount[];
  cases: { open: number; overdue: number; amount_minor: number };
  files: { files: number; rows: number; rejected: number };
  evidence: { entries: number; checkpoint_size: number; root: string; signed_at: string | null };
  episodes: EpisodeRow[];
  stories: Story[];
}

// Payments

export interface ExceptionRow {
  kind: string;
  cause: string;
  status: string;
  outward: string;
  shares: Shares;
  loss_minor: number;
  episode_id: string | null;
  case_id: string | null;
}

export interface PaymentRow {
  id: string;
  started_at: string;
  tid: string;
  merchant_code: string;
  merchant_name: string;
  agent_code: string;
  city: string;
  amount_minor: number;
  card_type: string;
  issuer: string;
  pan_masked: string;
  entry_mode: string;
  rrn: string;
  response_code: string;
  outcome: string;
  exceptions: ExceptionRow[];
}

export interface PaymentHead extends PaymentRow {
  issuer_name: string;
  agent_name: string;
  app_version: string;
}

export interface LegField extends TwoTexts {
  name: string;
  value: string;
  differs: boolean;
}

export interface LegRow {
  source: { file_id: string; file_name: string; line: number | null; offset: number; length: number };
  at: string | null;
  fields: LegField[];
}

export interface Leg {
  leg: LegName;
  present: boolean;
  amount_minor: number | null;
  merchant_code: string | null;
  at: string | null;
  summary_zh: string;
  summary_en: string;
  rows: LegRow[];
}

export interface FactSource {
  file_name: string;
  line: number | null;
  offset: number | null;
}

export interface Finding {
  cause: string;
  status: string;
  facts: { name: string; value: string; source: string | null }[];
}

export interface ReasonFact extends TwoTexts {
  name: string;
  value: string;
  source: FactSource | null;
}

export interface Reason {
  rule_id: string;
  text_zh: string;
  text_en: string;
  ground: { text: string; source: string; grade: string };
  facts: ReasonFact[];
}

export interface Obligation {
  seq: number;
  duty: string;
  duty_zh: string;
  duty_en: string;
  owner: string;
  due_at: string;
  amount_minor: number;
  state: string;
  automation: string;
}

export interface CaseDetail {
  id: string;
  state: string;
  opened_at: string;
  due_at: string;
  overdue: boolean;
  obligations: Obligation[];
}

export interface LedgerLine {
  journal_id: string;
  line: number;
  account: string;
  party: string;
  amount_minor: number;
  memo: string;
  booked_at: string;
}

export interface EvidenceProof {
  entry_index: number;
  leaf_hash: string;
  verdict_sha256: string;
  tree_size: number;
  root: string;
  proof: string[];
  checkpoint: string;
  verified: boolean;
}

/** The signed head of the log; `public_key` in the text form of signed notes, `name+id+base64`. */
export interface CheckpointDoc {
  size: number;
  root: string;
  note: string;
  signed_at: string;
  public_key: string;
}

export interface ExceptionDetail {
  kind: string;
  cause: string;
  status: string;
  outward: string;
  shares: Shares;
  loss_minor: number;
  rule_id: string;
  rule_title_zh: string;
  rule_title_en: string;
  pack: { id: string; version: string; sha256: string };
  decided_at: string;
  revision: number;
  findings: Finding[];
  reasons: Reason[];
  would_change: (TwoTexts & { fact: string })[];
  agent_answer: TwoTexts & { basis: AgentBasis };
  episode: EpisodeRow | null;
  case: CaseDetail | null;
  ledger: LedgerLine[];
  evidence: EvidenceProof;
}

export interface PaymentDetail {
  payment: PaymentHead;
  legs: Leg[];
  exceptions: ExceptionDetail[];
  breaks: BreakRow[];
}

// Lists

export interface TerminalRow {
  serial: string;
  tid: string;
  merchant_code: string;
  merchant_name: string;
  agent_code: string;
  city: string;
  model: string;
  production_batch: string;
  app_version: string;
  state: string;
  state_since: string | null;
  reasons: (TwoTexts & { code: string })[];
  payments: number;
  exceptions: number;
}

export interface AgentRow {
  code: string;
  parent_code: string | null;
  level: number;
  name: string;
  city: string;
  status: string;
  filing_no: string;
  filing_valid_to: string;
  deposit_minor: number;
  deposit_floor_minor: number;
  recourse_share_bp: number;
  terminals: number;
  payments: number;
  exceptions: number;
  loss_minor: number;
  /** Part of the losses that agents bear by verdicts. */
  borne_minor: number;
}

export interface EpisodeRow {
  id: string;
  cause: string;
  status: string;
  benign: boolean;
  /** harm that shows beside failures, not an incident that explains them */
  pattern: boolean;
  /** seen live; records are not there yet */
  live: boolean;
  started_at: string;
  ended_at: string | null;
  scope: Record<string, string[]>;
  payments: number;
  amount_minor: number;
  title_zh: string;
  title_en: string;
  /** suspected, confirmed, mitigated, recovered, closed, merged or reopened */
  state: string;
}

export interface FailureRate {
  attempts: number;
  failures: number;
}

export interface AmountCut {
  amount_minor: number;
  low_minor: number;
  high_minor: number;
  below: boolean;
  failing: FailureRate;
  other: FailureRate;
}

export interface MapRow {
  dim: string;
  scoped: boolean;
  cells: { value: string; inside: FailureRate; elsewhere: FailureRate }[];
}

export interface MatchedAgent {
  code: string;
  inside: FailureRate;
  elsewhere: FailureRate;
  amount_minor: number;
  standing: string;
}

export interface WeighedHypothesis {
  id: string;
  innocent: boolean;
  verdict: string;
  says: TwoTexts;
  looks_at: TwoTexts;
  finding: TwoTexts;
  source: string;
  grade: string;
}

export interface Portrait {
  steps: { at: string; state: string; seen: FailureRate }[];
  twentieth_at: string | null;
  first_failure_at: string;
  rate: FailureRate;
  baseline_ppm: number;
  cut: AmountCut | null;
  amounts: { from_minor: number; to_minor: number; rate: FailureRate }[];
  map: MapRow[];
  agents: MatchedAgent[];
  timeline: { at: string; inside: FailureRate; elsewhere: FailureRate }[];
  hypotheses: WeighedHypothesis[];
  notice: TwoTexts;
  notice_agent: TwoTexts;
}

export interface EpisodeDetail extends EpisodeRow {
  signals: TwoTexts[];
  excluded: TwoTexts[];
  exposure: { agent_code: string; payments: number; amount_minor: number }[];
  /** As it was seen live, before records told it more exactly. */
  seen_live: { id: string; steps: Portrait['steps'] }[];
  /** None for an agent, to whom it would name others. */
  portrait: Portrait | null;
}

export interface CaseRow {
  id: string;
  payment_id: string;
  kind: string;
  agent_code: string;
  state: string;
  opened_at: string;
  due_at: string;
  overdue: boolean;
  outward: string;
  loss_minor: number;
}

export interface BreakRow {
  payment_id: string;
  class: string;
  coarse: string;
  expected: string;
  found: string;
  difference_minor: number;
  first_party: string;
  class_zh: string;
  class_en: string;
}

/** A break in a list: `stake_minor` is the difference, or the whole payment where the break is not about an amount. */
export interface BreakListRow extends BreakRow {
  id: string;
  agent_code: string;
  merchant_code: string;
  stake_minor: number;
  age_days: number;
  state: ResolutionState;
  version: number;
  action: string;
}

export interface BreakSum {
  key: string;
  count: number;
  stake_minor: number;
}

export interface BreakSummary {
  class: string;
  coarse: string;
  count: number;
  stake_minor: number;
  difference_minor: number;
  class_zh: string;
  class_en: string;
  /** By band of age. */
  ages: BreakSum[];
}

export interface BreakPage extends Page<BreakListRow> {
  bands: (TwoTexts & { code: string })[];
  summary: BreakSummary[];
}

export type ResolutionState =
  | 'open'
  | 'proposed'
  | 'approved'
  | 'acted'
  | 'confirmed'
  | 'rejected'
  | 'withdrawn'
  | 'failed'
  | 'reopened';

/** The steps that a person takes. */
export type StepName = 'propose' | 'approve' | 'reject' | 'withdraw' | 'act' | 'confirm' | 'fail';

/** An action that the class allows; `refused_*` says why it cannot be proposed. */
export interface ActionOffer extends TwoTexts {
  action: string;
  means_zh: string;
  means_en: string;
  message: string;
  moves_money: boolean;
  needs_documents: boolean;
  refused_zh: string | null;
  refused_en: string | null;
}

interface Proposed {
  action: string;
  amount_minor: number;
  party: string;
  documents: string;
  note: string;
  reference: string;
}

export interface ResolutionDoc extends Proposed {
  state: ResolutionState;
  version: number;
  maker: string;
  checker: string;
  updated_at: string;
}

export interface ResolutionStepDoc extends Proposed {
  version: number;
  step: string;
  state: ResolutionState;
  author: string;
  at: string;
  expected: string;
  found: string;
  difference_minor: number;
  entry_index: number;
}

export interface BreakDetail {
  break: BreakListRow;
  /** The records still show it. */
  present: boolean;
  original_minor: number;
  card_type: string;
  legs: Leg[];
  offers: ActionOffer[];
  resolution: ResolutionDoc | null;
  /** Steps that this user can take now. */
  steps: StepName[];
  history: ResolutionStepDoc[];
  related: { id: string; class: string; class_zh: string; class_en: string; state: ResolutionState; action: string }[];
}

export interface StepBody {
  version: number;
  action?: string;
  amount_minor?: number;
  party?: string;
  documents?: string;
  reference?: string;
  note?: string;
}

/** Diverted payments that have `key` in common; the nullable four are null where the group's payments cannot be counted. */
export interface DiversionRow {
  key: string;
  name: string;
  payments: number;
  stake_minor: number;
  merchants: number;
  terminals: number;
  agents: number;
  payments_total: number | null;
  share_bp: number | null;
  expected_bp: number | null;
  /** Thousandths of -log10 of the chance, at most 300000. */
  surprise_milli: number | null;
  classes: { class: string; payments: number; class_zh: string; class_en: string }[];
  flags: string[];
}

export interface FileRow {
  id: string;
  name: string;
  kind: string;
  layout: string;
  size: number;
  rows_total: number;
  rows_accepted: number;
  rows_rejected: number;
  imported_at: string;
}

/** Microseconds; half of the measured are not longer, 99 of 100 are not longer. */
export interface Latency {
  count: number;
  p50_us: number;
  p99_us: number;
  p999_us: number;
  max_us: number;
}

export interface GatewayLink {
  host: string;
  link: number;
  state: string;
  waiting_bytes: number;
}

export interface GatewayAlarm extends TwoTexts {
  at: number;
  kind: string;
  terminal: string;
}

export interface OpenExchange {
  exchange: number;
  terminal: string;
  trace: number;
  received_at: number;
  phase: string;
}

export interface GatewaySecond {
  at: number;
  requests: number;
  replies: number;
  refused: number;
  no_replies: number;
}

/** What a gateway says about itself; times are microseconds by its own clock. */
export interface GatewayStatus {
  version: string;
  dialect: string;
  durability: string;
  listen: string;
  started_at: number;
  now: number;
  stopped: boolean;
  stats: {
    counts: Record<string, number>;
    open_connections: number;
    open_exchanges: number;
    host_latency: Latency;
    inside_latency: Latency;
    total_latency: Latency;
    host_codes: Record<string, number>;
    gateway_codes: Record<string, number>;
    refusals: Record<string, number>;
    opened: Record<string, number>;
    followed: Record<string, number>;
    links: GatewayLink[];
    journal: { failing: boolean; written_bytes: number; unsynced_bytes: number; lag_us: number; lost_bytes: number; segment: number };
    alarms: GatewayAlarm[];
  };
  history: GatewaySecond[];
  open: OpenExchange[];
  registers: { number: number; built_at: number; terminals: number } | null;
  imports: { here: boolean; imported: number; waiting: number; last_at: number | null; error: string | null };
}

export interface GatewayRow {
  instance: string;
  at: string;
  stale: boolean;
  codes: Record<string, TwoTexts>;
  status: GatewayStatus;
}

export interface RejectRow {
  file_id: string;
  file_name: string;
  line: number | null;
  byte_offset: number;
  length: number;
  field: string;
  code: string;
  detail: string;
}

export interface AuditRow {
  at: string;
  actor: string;
  action: string;
  resource: string;
  outcome: string;
}

/** RFC 9457 problem document; `code` is stable, `hint` says what to do. */
export interface Problem {
  type?: string;
  title: string;
  status: number;
  detail?: string;
  code?: string;
  hint?: string;
}

export type Standing = 'awaited' | 'overdue' | 'late';

/** Something that must follow a record of a payment; `age_seconds` until it is due, since it was, or by which it came late. */
export interface ExpectationRow {
  payment_id: string;
  leg: string;
  standing: Standing;
  rule_id: string;
  rule_zh: string;
  rule_en: string;
  since_at: string;
  due_at: string;
  met_at: string | null;
  age_seconds: number;
  class: string;
  class_zh: string;
  class_en: string;
  amount_minor: number;
  tid: string;
  merchant_code: string;
  agent_code: string;
}

/** `band`: how many of `bounds_hours` the age reaches. */
export interface ExpectationSummary {
  leg: string;
  standing: Standing;
  band: number;
  count: number;
  amount_minor: number;
}

export interface ExpectationPage extends Page<ExpectationRow> {
  bounds_hours: number[];
  summary: ExpectationSummary[];
}

export * from './decisions';
