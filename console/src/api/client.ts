import type { Alarm } from './alarms';
import type {
  AgentRow,
  AuditRow,
  BreakDetail,
  BreakPage,
  CaseRow,
  CheckpointDoc,
  DecisionDoc,
  DecisionStepDoc,
  DecisionStepName,
  DiversionRow,
  EpisodeDetail,
  EpisodeRow,
  ExpectationPage,
  FileRow,
  GatewayRow,
  LimitRow,
  MonitoringPage,
  PackRow,
  RejudgementAnswer,
  RejudgementPage,
  ShadowDoc,
  Overview,
  Page,
  PaymentDetail,
  PaymentRow,
  Problem,
  RejectRow,
  Session,
  StepBody,
  StepName,
  TerminalRow,
} from './types';

/** Query parameters; empty and missing values are left out of the address. */
export type Query = Record<string, string | number | boolean | null | undefined>;

/** An answer of the server that is not the one asked for. */
export class ApiError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail ?? problem.title);
    this.name = 'ApiError';
    this.problem = problem;
  }

  /** True when asking again can help. */
  get transient(): boolean {
    return this.problem.status === 0 || this.problem.status >= 500;
  }
}

const BASE = '/api/v1';

export function queryString(query: Query): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== '') params.set(name, String(value));
  }
  const text = params.toString();
  return text === '' ? '' : `?${text}`;
}

/** Reads the problem document of a failed answer, or makes one from the status line. */
export async function problemOf(response: Response): Promise<Problem> {
  const fallback: Problem = { title: response.statusText || `HTTP ${response.status}`, status: response.status };
  if (!(response.headers.get('content-type') ?? '').includes('json')) return fallback;
  try {
    const body: unknown = await response.json();
    return typeof body === 'object' && body !== null ? { ...fallback, ...body } : fallback;
  } catch {
    return fallback;
  }
}

async function send(path: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(BASE + path, { credentials: 'same-origin', ...init });
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === 'AbortError') throw cause;
    throw new ApiError({ title: 'network', status: 0, code: 'network' });
  }
  if (response.status === 401) {
    window.location.href = '/login';
    throw new ApiError({ title: 'Unauthorized', status: 401 });
  }
  if (!response.ok) throw new ApiError(await problemOf(response));
  return response;
}

async function get<T>(path: string, query: Query = {}, signal?: AbortSignal): Promise<T> {
  const response = await send(path + queryString(query), {
    headers: { accept: 'application/json' },
    ...(signal ? { signal } : {}),
  });
  return (await response.json()) as T;
}

async function post<T>(path: string, body: object): Promise<T> {
  const response = await send(path, {
    method: 'POST',
    headers: { accept: 'application/json', 'content-type': 'application/json', 'X-Onus-Request': '1' },
    body: JSON.stringify(body),
  });
  return (await response.json()) as T;
}

export const api = {
  session: (signal?: AbortSignal) => get<Session>('/session', {}, signal),
  signOut: async () => {
    await send('/session', { method: 'DELETE', headers: { 'X-Onus-Request': '1' } });
    window.location.href = '/login';
  },
  overview: (query: Query, signal?: AbortSignal) => get<Overview>('/overview', query, signal),
  payments: (query: Query, signal?: AbortSignal) => get<Page<PaymentRow>>('/payments', query, signal),
  payment: (id: string, signal?: AbortSignal) =>
    get<PaymentDetail>(`/payments/${encodeURIComponent(id)}`, {}, signal),
  checkpoint: (signal?: AbortSignal) => get<CheckpointDoc>('/evidence/checkpoint', {}, signal),
  terminals: (query: Query, signal?: AbortSignal) => get<Page<TerminalRow>>('/terminals', query, signal),
  agents: (signal?: AbortSignal) => get<{ items: AgentRow[] }>('/agents', {}, signal),
  alarms: (signal?: AbortSignal) => get<{ items: Alarm[] }>('/alarms', {}, signal),
  episodes: (signal?: AbortSignal) => get<{ items: EpisodeRow[] }>('/episodes', {}, signal),
  episode: (id: string, signal?: AbortSignal) =>
    get<EpisodeDetail>(`/episodes/${encodeURIComponent(id)}`, {}, signal),
  cases: (query: Query, signal?: AbortSignal) => get<Page<CaseRow>>('/cases', query, signal),
  breaks: (query: Query, signal?: AbortSignal) => get<BreakPage>('/breaks', query, signal),
  expectations: (query: Query, signal?: AbortSignal) => get<ExpectationPage>('/expectations', query, signal),
  break: (id: string, signal?: AbortSignal) => get<BreakDetail>(`/breaks/${encodeURIComponent(id)}`, {}, signal),
  takeStep: (id: string, step: StepName, body: StepBody) =>
    post<BreakDetail>(`/breaks/${encodeURIComponent(id)}/${step}`, body),
  diversions: (query: Query, signal?: AbortSignal) => get<Page<DiversionRow>>('/diversions', query, signal),
  monitoring: (query: Query, signal?: AbortSignal) => get<MonitoringPage>('/monitoring', query, signal),
  limits: (signal?: AbortSignal) => get<{ items: LimitRow[] }>('/limits', {}, signal),
  limitHistory: (id: string, signal?: AbortSignal) =>
    get<{ steps: DecisionStepDoc[] }>(`/limits/${encodeURIComponent(id)}`, {}, signal),
  decide: (what: 'limits' | 'packs', id: string, step: DecisionStepName, note: string) =>
    post<DecisionDoc>(`/${what}/${encodeURIComponent(id)}/${step}`, { note }),
  rejudgements: (query: Query, signal?: AbortSignal) => get<RejudgementPage>('/rejudgements', query, signal),
  rejudge: (step: DecisionStepName, ids: string[], note: string) =>
    post<{ items: RejudgementAnswer[] }>(`/rejudgements/${step}`, { ids, note }),
  packs: (signal?: AbortSignal) => get<{ items: PackRow[] }>('/packs', {}, signal),
  shadow: (sha256: string, signal?: AbortSignal) => get<ShadowDoc>(`/packs/${sha256}/shadow`, {}, signal),
  files: (signal?: AbortSignal) => get<{ items: FileRow[] }>('/files', {}, signal),
  gateways: (signal?: AbortSignal) => get<{ items: GatewayRow[] }>('/gateways', {}, signal),
  rejects: (query: Query, signal?: AbortSignal) => get<Page<RejectRow>>('/rejects', query, signal),
  audit: (query: Query, signal?: AbortSignal) => get<Page<AuditRow>>('/audit', query, signal),
};
