import { Alert, Button } from 'antd';
import { useRouteError } from 'react-router';
import { useT } from '../i18n/locale';

/** What is left when a page throws: the reader can go on, and can say what happened. */
export function CrashPage() {
  const t = useT();
  const error = useRouteError();
  return (
    <div className="frame-problem">
      <Alert
        type="error"
        showIcon
        title={t.app.crashed}
        description={
          <>
            <p>{t.app.crashedHint}</p>
            <pre className="wrapped">{error instanceof Error ? error.message : String(error)}</pre>
          </>
        }
        action={<Button href="/">{t.app.backToOverview}</Button>}
      />
    </div>
  );
}
