import { createContext, use } from 'react';
import type { TwoTexts } from '../api/types';
import { en } from './en';
import { zhCN, type Dictionary } from './zh-CN';

export type Locale = 'zh-CN' | 'en';

export const dictionaries: Record<Locale, Dictionary> = { 'zh-CN': zhCN, en };

const STORED = 'onus.locale';

/** "en-GB" -> "en"; everything else is Chinese, the language of this market. */
export function localeOf(text: string | null | undefined): Locale {
  return text?.toLowerCase().startsWith('en') ? 'en' : 'zh-CN';
}

/** The user's own choice, if one was made in this browser. */
export function storedLocale(): Locale | undefined {
  try {
    const text = localStorage.getItem(STORED);
    return text === null ? undefined : localeOf(text);
  } catch {
    return undefined; // storage switched off: the choice lasts as long as the page
  }
}

export function storeLocale(locale: Locale): void {
  try {
    localStorage.setItem(STORED, locale);
  } catch {
    return; // as above
  }
}

export interface LocaleValue {
  locale: Locale;
  t: Dictionary;
  setLocale: (locale: Locale) => void;
  /** Follows the account's language unless the user chose one here. */
  suggestLocale: (text: string) => void;
}

export const LocaleContext = createContext<LocaleValue | null>(null);

export function useLocale(): LocaleValue {
  const value = use(LocaleContext);
  if (!value) throw new Error('useLocale outside LocaleProvider');
  return value;
}

export const useT = (): Dictionary => useLocale().t;

/** One of the texts that the server writes in both languages. */
export function pick(locale: Locale, texts: TwoTexts): string {
  return locale === 'en' ? texts.en : texts.zh;
}

/** The same for a pair of fields: pickField(locale, row, 'title') reads title_zh or title_en. */
export function pickField<N extends string>(
  locale: Locale,
  row: Record<`${N}_zh` | `${N}_en`, string>,
  name: N,
): string {
  return locale === 'en' ? row[`${name}_en`] : row[`${name}_zh`];
}

/** The name of a code, or the code itself when this console does not know it yet. */
export function nameOf(names: Record<string, string>, code: string): string {
  return (Object.hasOwn(names, code) ? names[code] : undefined) ?? code;
}
