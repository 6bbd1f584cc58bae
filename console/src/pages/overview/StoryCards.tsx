import { ArrowRightOutlined } from '@ant-design/icons';
import { Link } from 'react-router';
import { queryString } from '../../api/client';
import type { Story } from '../../api/types';
import { pickField, useLocale } from '../../i18n/locale';
import { Panel } from '../../parts/Panel';

function StoryCard({ story }: { story: Story }) {
  const { t, locale } = useLocale();
  return (
    <article className="story" data-testid="story-card" data-story-id={story.id}>
      <h3>{pickField(locale, story, 'title')}</h3>
      <p>{pickField(locale, story, 'text')}</p>
      <footer>
        <Link to={`/payments/${encodeURIComponent(story.payment_id)}`} data-testid="story-open-payment">
          {t.overview.openPayment} <ArrowRightOutlined />
        </Link>
        <Link to={`/payments${queryString(story.filter)}`} data-testid="story-open-list">
          {t.overview.openList}
        </Link>
      </footer>
    </article>
  );
}

/** Where a newcomer starts: the few things in the data that deserve attention before all others. */
export function StoryCards({ stories }: { stories: Story[] }) {
  const { t } = useLocale();
  return (
    <Panel title={t.overview.lookHere} hint={t.overview.lookHereHint} testId="stories" className="stories-panel">
      {stories.length === 0 ? (
        <span className="quiet">{t.overview.noStories}</span>
      ) : (
        <div className="stories">
          {stories.map((story) => (
            <StoryCard key={story.id} story={story} />
          ))}
        </div>
      )}
    </Panel>
  );
}
