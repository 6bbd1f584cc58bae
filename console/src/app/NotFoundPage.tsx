import { Link } from 'react-router';
import { useT } from '../i18n/locale';
import { EmptyState } from '../parts/states';

export function NotFoundPage() {
  const t = useT();
  return (
    <EmptyState text={t.app.notFoundTitle} hint={t.app.notFoundText}>
      <Link to="/">{t.app.backToOverview}</Link>
    </EmptyState>
  );
}
