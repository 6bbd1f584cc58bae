import { QueryClientProvider } from '@tanstack/react-query';
import { App as AntApp, ConfigProvider } from 'antd';
import antdEn from 'antd/es/locale/en_US';
import antdZh from 'antd/es/locale/zh_CN';
import dayjs from 'dayjs';
import 'dayjs/locale/zh-cn';
import { useEffect, useState } from 'react';
import { RouterProvider } from 'react-router';
import { newQueryClient } from '../api/queries';
import { LocaleProvider } from '../i18n/LocaleProvider';
import { useLocale } from '../i18n/locale';
import { newRouter } from './routes';
import { consoleTheme } from './theme';

function ThemedConsole() {
  const { locale } = useLocale();
  const [router] = useState(newRouter);

  useEffect(() => {
    dayjs.locale(locale === 'en' ? 'en' : 'zh-cn');
  }, [locale]);

  return (
    <ConfigProvider theme={consoleTheme} locale={locale === 'en' ? antdEn : antdZh} componentSize="small">
      <AntApp>
        <RouterProvider router={router} />
      </AntApp>
    </ConfigProvider>
  );
}

export function App() {
  const [queryClient] = useState(newQueryClient);
  return (
    <QueryClientProvider client={queryClient}>
      <LocaleProvider>
        <ThemedConsole />
      </LocaleProvider>
    </QueryClientProvider>
  );
}
