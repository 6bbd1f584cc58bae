import { expect, test, type Locator, type Page } from '@playwright/test';
import { signIn } from './signin';

const story = (page: Page, id: string): Locator =>
  page.getByTestId('story-card').and(page.locator(`[data-story-id*="${id}"]`));

async function chooseLanguage(page: Page, label: string): Promise<void> {
  await page.getByTestId('locale-switch').getByText(label, { exact: true }).click();
}

/** Something that a person can read, not an empty box. */
async function expectText(locator: Locator, pattern: RegExp): Promise<void> {
  await expect(locator).toBeVisible();
  await expect(locator).toHaveText(pattern);
}

const CHINESE = /[\u4e00-\u9fff]{6,}/;
const ENGLISH = /[A-Za-z]{3,}.*\s.*[A-Za-z]{3,}/s;

test('without signing in there is nothing to see', async ({ page, request }) => {
  const answer = await request.get('/api/v1/overview', { maxRedirects: 0 });
  expect(answer.status()).toBe(401);
  await page.goto('/payments');
  await expect(page).toHaveURL(/\/login/);
  await expect(page.locator('input[name=username]')).toBeVisible();
});

test('the overview shows the day and both stories', async ({ page }) => {
  await signIn(page);
  await chooseLanguage(page, '中文');
  for (const name of ['payments', 'exceptions', 'at-stake', 'loss', 'cases', 'evidence']) {
    await expectText(page.getByTestId(`kpi-${name}`), /[0-9]/);
  }
  await expect(page.getByTestId('kpi-payments')).not.toHaveText('0');
  await expectText(story(page, 'hunan'), CHINESE);
  await expectText(story(page, 'shiyan'), CHINESE);
  await expect(page.getByTestId('by-hour').locator('canvas')).toBeVisible();
  await expect(page.getByTestId('by-kind').locator('tbody a').first()).toBeVisible();
});

test('the Shiyan story leads to the list of its payments', async ({ page }) => {
  await signIn(page);
  await story(page, 'shiyan').getByTestId('story-open-list').click();
  await expect(page).toHaveURL(/\/payments\?/);
  await expect(page.getByTestId('payment-row').first()).toBeVisible();
  await page.getByTestId('payment-row').first().locator('td').nth(3).click();
  await expect(page).toHaveURL(/\/payments\/[^?]+$/);
  await expect(page.getByTestId('four-legs')).toBeVisible();
});

test('the Hunan story leads to a diverted payment with its reasons and proof', async ({ page }) => {
  await signIn(page);
  await chooseLanguage(page, '中文');
  await story(page, 'hunan').getByTestId('story-open-payment').click();

  await expect(page.getByTestId('exception-K6')).toBeVisible();
  for (const leg of ['journal', 'switch', 'clearing', 'payout']) {
    await expect(page.getByTestId(`leg-${leg}`)).toBeVisible();
  }
  await expect(page.locator('.leg-field-differs').first()).toBeVisible();

  const decided = page.getByTestId('exception-K6');
  await expectText(decided.getByTestId('reason-text').first(), CHINESE);
  await expectText(decided.getByTestId('agent-answer'), CHINESE);
  await expectText(decided.getByTestId('outward'), /收单机构|代理商/);
  await expect(decided.getByTestId('ledger-sum')).toHaveAttribute('data-balanced', 'true');
  await expect(decided.getByTestId('proof-badge')).toHaveAttribute('data-state', 'verified');
  await expect(decided.getByTestId('proof-badge')).toHaveText('已在本浏览器验证');
  await expect(decided.getByTestId('signature-badge')).toHaveAttribute('data-state', 'signed');

  await chooseLanguage(page, 'English');
  await expectText(decided.getByTestId('reason-text').first(), ENGLISH);
  await expectText(decided.getByTestId('agent-answer'), /Why the agent/);
  await expect(decided.getByTestId('proof-badge')).toHaveText('Verified in this browser');

  await page.reload(); // the choice is remembered
  await expect(page.getByTestId('four-legs')).toContainText('Four legs side by side');
});

test('every list opens', async ({ page }) => {
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  await signIn(page);
  await chooseLanguage(page, 'English');
  for (const name of ['payments', 'episodes', 'cases', 'breaks', 'expectations', 'diversions', 'agents', 'terminals', 'files', 'audit']) {
    await page.getByTestId(`nav-${name}`).click();
    await expect(page.locator('h1')).toBeVisible();
    await expect(page.locator('.ant-table-tbody').first()).toBeVisible();
    await expect(page.getByTestId('problem')).toHaveCount(0);
  }
  expect(errors).toEqual([]);
});

test('signing out ends the session', async ({ page }) => {
  await signIn(page);
  await page.getByTestId('sign-out').click();
  await expect(page).toHaveURL(/\/login/);
  const answer = await page.request.get('/api/v1/session', { maxRedirects: 0 });
  expect(answer.status()).toBe(401);
});

test('without a gateway its page says how to start one', async ({ page }) => {
  await signIn(page);
  await chooseLanguage(page, '中文');
  await page.getByTestId('nav-gateways').click();
  await expect(page).toHaveURL(/\/gateways$/);
  await expect(page.getByTestId('gateways-empty')).toContainText('onus serve --config');
  await chooseLanguage(page, 'English');
  await expectText(page.getByTestId('gateways-empty'), ENGLISH);
});
