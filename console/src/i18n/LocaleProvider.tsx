import { useCallback, useEffect, useMemo, useState, type ReactNode } from 'react';
import { dictionaries, localeOf, LocaleContext, storedLocale, storeLocale, type Locale } from './locale';

export function LocaleProvider({ children }: { children: ReactNode }) {
  const [locale, setState] = useState<Locale>(() => storedLocale() ?? localeOf(navigator.language));

  const setLocale = useCallback((next: Locale) => {
    storeLocale(next);
    setState(next);
  }, []);
  const suggestLocale = useCallback((text: string) => {
    if (storedLocale() === undefined) setState(localeOf(text));
  }, []);

  useEffect(() => {
    document.documentElement.lang = locale;
  }, [locale]);

  const value = useMemo(
    () => ({ locale, t: dictionaries[locale], setLocale, suggestLocale }),
    [locale, setLocale, suggestLocale],
  );
  return <LocaleContext value={value}>{children}</LocaleContext>;
}
