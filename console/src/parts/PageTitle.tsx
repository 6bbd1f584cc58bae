import { useEffect, type ReactNode } from 'react';
import { useT } from '../i18n/locale';

/** The heading of a page; also names the browser tab. */
export function PageTitle({
  title,
  heading,
  intro,
  extra,
}: {
  title: string;
  heading?: ReactNode;
  intro?: ReactNode;
  extra?: ReactNode;
}) {
  const t = useT();
  useEffect(() => {
    document.title = `${title} · ${t.app.name}`;
  }, [title, t]);

  return (
    <div className="page-title">
      <div>
        <h1>{heading ?? title}</h1>
        {intro !== undefined && <p className="quiet">{intro}</p>}
      </div>
      {extra}
    </div>
  );
}
