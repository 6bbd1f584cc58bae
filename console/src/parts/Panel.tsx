import { Card } from 'antd';
import type { ReactNode } from 'react';

interface PanelProps {
  title: ReactNode;
  hint?: ReactNode;
  extra?: ReactNode;
  flush?: boolean;
  children: ReactNode;
  testId?: string;
  className?: string;
}

/** A titled box. `flush` lets a table reach the edges. */
export function Panel({ title, hint, extra, flush = false, children, testId, className }: PanelProps) {
  return (
    <Card
      size="small"
      className={`panel${flush ? ' panel-flush' : ''} ${className ?? ''}`}
      title={
        <>
          {title}
          {hint !== undefined && <span className="panel-hint">{hint}</span>}
        </>
      }
      extra={extra}
      data-testid={testId}
    >
      {children}
    </Card>
  );
}
