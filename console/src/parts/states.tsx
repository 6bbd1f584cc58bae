import { Alert, Button, Empty, Spin } from 'antd';
import type { ReactNode } from 'react';
import { ApiError } from '../api/client';
import { useT } from '../i18n/locale';
import type { Dictionary } from '../i18n/zh-CN';

export function Loading() {
  const t = useT();
  return (
    <div className="state-loading" role="status" aria-label={t.common.loading}>
      <Spin size="medium" />
    </div>
  );
}

function describe(error: unknown, t: Dictionary): { title: string; detail?: string; hint?: string; code?: string } {
  if (!(error instanceof ApiError)) return { title: t.problem.failed, detail: String(error) };
  const { problem } = error;
  if (problem.status === 0) return { title: t.problem.network, hint: t.problem.networkHint };
  const title =
    problem.status === 404 ? t.problem.notFound : problem.status === 403 ? t.problem.forbidden : problem.title;
  const detail = problem.detail ?? (title === problem.title ? undefined : problem.title);
  return {
    title,
    ...(detail !== undefined && { detail }),
    ...(problem.hint !== undefined && { hint: problem.hint }),
    code: problem.code ?? String(problem.status),
  };
}

/** A problem document in plain sight: what happened, what to do, and the code to quote. */
export function ProblemAlert({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const t = useT();
  const { title, detail, hint, code } = describe(error, t);
  return (
    <Alert
      type="error"
      showIcon
      data-testid="problem"
      title={title}
      description={
        <>
          {detail !== undefined && <div>{detail}</div>}
          {hint !== undefined && <div className="problem-hint">{hint}</div>}
          {code !== undefined && (
            <div className="quiet">
              {t.problem.code} <code>{code}</code>
            </div>
          )}
        </>
      }
      action={onRetry && <Button onClick={onRetry}>{t.common.retry}</Button>}
    />
  );
}

export function EmptyState({ text, hint, children }: { text?: string; hint?: string; children?: ReactNode }) {
  const t = useT();
  return (
    <Empty
      image={Empty.PRESENTED_IMAGE_SIMPLE}
      description={
        <>
          <div>{text ?? t.common.empty}</div>
          {hint !== undefined && <div className="quiet">{hint}</div>}
        </>
      }
    >
      {children}
    </Empty>
  );
}

interface LoadedQuery<T> {
  data: T | undefined;
  error: Error | null;
  isPending: boolean;
  refetch: () => unknown;
}

/** Loading, problem or content: the three states that every page has. */
export function Loaded<T>({ query, children }: { query: LoadedQuery<T>; children: (data: T) => ReactNode }) {
  if (query.data !== undefined) return children(query.data);
  if (query.error) return <ProblemAlert error={query.error} onRetry={() => void query.refetch()} />;
  return <Loading />;
}
