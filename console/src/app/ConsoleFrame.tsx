import { Layout } from 'antd';
import { Suspense, useEffect } from 'react';
import { Outlet, ScrollRestoration } from 'react-router';
import { useSession } from '../api/queries';
import { useLocale } from '../i18n/locale';
import { Loading, ProblemAlert } from '../parts/states';
import { HeaderBar } from './HeaderBar';
import { SessionContext } from './session';
import { SideMenu } from './SideMenu';

/** Menu, header and the page within; nothing is shown before the server says who is signed in. */
export function ConsoleFrame() {
  const session = useSession();
  const { suggestLocale } = useLocale();
  const locale = session.data?.locale;

  useEffect(() => {
    if (locale !== undefined) suggestLocale(locale);
  }, [locale, suggestLocale]);

  if (session.isPending) return <Loading />;
  if (session.isError) {
    return (
      <div className="frame-problem">
        <ProblemAlert error={session.error} onRetry={() => void session.refetch()} />
      </div>
    );
  }
  return (
    <SessionContext value={session.data}>
      <Layout className="frame">
        <SideMenu />
        <Layout>
          <HeaderBar />
          <Layout.Content className="frame-content">
            <Suspense fallback={<Loading />}>
              <Outlet />
            </Suspense>
          </Layout.Content>
        </Layout>
      </Layout>
      <ScrollRestoration />
    </SessionContext>
  );
}
