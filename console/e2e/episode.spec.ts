import { expect, test, type Page } from '@playwright/test';
import { signIn } from './signin';

/** The episode of the line that loses small payments: the one with an amount in its scope. */
async function openShiyan(page: Page): Promise<void> {
  await signIn(page);
  await page.getByTestId('locale-switch').getByText('中文', { exact: true }).click();
  const answer = (await (await page.request.get('/api/v1/episodes')).json()) as { items: { id: string; cause: string; benign: boolean }[] };
  const line = answer.items.find(({ cause, benign }) => cause === 'NET.UP' && !benign);
  expect(line).toBeDefined();
  await page.goto(`/episodes/${encodeURIComponent(line?.id ?? '')}`);
  await expect(page.getByTestId('episode-life')).toBeVisible();
}

test('the Shiyan episode replayed on one page', async ({ page }) => {
  await openShiyan(page);
  for (const id of ['episode-timeline', 'episode-amounts', 'scope-map', 'hypotheses', 'matched-agents', 'episode-notice']) {
    await expect(page.getByTestId(id)).toBeVisible();
  }
  await expect(page.getByTestId('episode-life')).toContainText('¥500.00');
  await expect(page.getByTestId('episode-delay')).toBeVisible();
  await expect(page.getByTestId('scope-cell').first()).toContainText('211');
  await expect(page.getByTestId('hypothesis-program_version')).toHaveAttribute('data-verdict', 'excludes');
  await expect(page.getByTestId('hypothesis-issuer_outage')).toHaveAttribute('data-verdict', 'excludes');
  await expect(page.getByTestId('matched-agents')).toContainText('已排除');
  await expect(page.getByTestId('episode-notice')).toContainText('500.00');
  await expect(page.locator('canvas')).toHaveCount(2);
  await page.screenshot({ path: 'test-results/shiyan-episode.png', fullPage: true });

  await page.setViewportSize({ width: 420, height: 900 });
  await expect(page.getByTestId('scope-map')).toBeVisible();
  const wider = await page.locator('.frame-content').evaluate((content) => content.scrollWidth - content.clientWidth);
  expect(wider).toBeLessThanOrEqual(0);
  await page.screenshot({ path: 'test-results/shiyan-episode-narrow.png', fullPage: true });
});
