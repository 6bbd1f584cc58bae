import { Button } from 'antd';
import { useState } from 'react';
import type { Portrait } from '../../api/types';
import { pick, useLocale } from '../../i18n/locale';
import { Panel } from '../../parts/Panel';

/** What agents and merchants are told, ready to send. */
export function NoticePanel({ portrait }: { portrait: Portrait }) {
  const { t, locale } = useLocale();
  const [copied, setCopied] = useState(false);
  const text = pick(locale, portrait.notice);
  const copy = () => {
    void navigator.clipboard.writeText(text).then(() => setCopied(true));
  };
  return (
    <Panel
      title={t.episodes.notice}
      extra={
        <Button size="small" onClick={copy}>
          {copied ? t.episodes.copied : t.episodes.copy}
        </Button>
      }
      testId="episode-notice"
    >
      <p className="ep-notice">{text}</p>
      <p className="quiet">{pick(locale, portrait.notice_agent)}</p>
    </Panel>
  );
}
