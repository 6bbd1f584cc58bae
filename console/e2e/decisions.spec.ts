import { expect, test } from '@playwright/test';
import { signIn } from './signin';

test.beforeEach(async ({ page }) => {
  await signIn(page);
  await page.getByTestId('locale-switch').getByText('中文', { exact: true }).click();
});

test('a limit to verify shows source and grade, is proposed with a note and withdrawn', async ({ page }) => {
  await page.getByTestId('nav-limits').click();
  const limits = page.getByTestId('limits');
  const waiting = limits.locator('tbody tr.ant-table-row');
  await expect(waiting.first()).toContainText('须人工');
  const few = await waiting.count();

  // Who proposes cannot approve, and needs a note.
  const first = limits.locator('tr.ant-table-row').filter({ hasText: '待处理' }).first();
  const key = await first.getAttribute('data-row-key');
  const row = limits.locator(`tr[data-row-key="${key}"]`);
  await row.locator('.ant-table-row-expand-icon').click();
  const detail = page.getByTestId('limit-detail');
  await expect(detail.getByTestId('decision-propose')).toBeDisabled();
  await detail.getByTestId('decision-note').fill('对照规章原文第四卷');
  await detail.getByTestId('decision-propose').click();
  await expect(row).toContainText('待复核');
  await expect(detail).toContainText('对照规章原文第四卷');
  await expect(detail.getByTestId('decision-approve')).toHaveCount(0);
  await detail.getByTestId('decision-withdraw').click();
  await expect(row).toContainText('已撤回');

  // The others need no verification.
  await page.getByText('只看待核实').click();
  await expect.poll(() => waiting.count()).toBeGreaterThan(few);
  await page.getByTestId('locale-switch').getByText('English', { exact: true }).click();
  await expect(row).toContainText('withdrawn');
});

test('the list of verdicts judged again says so when none would change', async ({ page }) => {
  await page.getByTestId('nav-rejudgements').click();
  await expect(page.getByTestId('rejudgement-sums')).toContainText('没有会改变的决定');
  await expect(page.getByTestId('rejudgement-list')).toBeVisible();
  await page.getByTestId('locale-switch').getByText('English', { exact: true }).click();
  await expect(page.getByTestId('rejudgement-sums')).toContainText('No verdict would change');
});

test('the rule pack in force is shown with its hash', async ({ page }) => {
  await page.getByTestId('nav-packs').click();
  const live = page.getByTestId('packs').locator('tbody tr.ant-table-row').filter({ hasText: '使用中' });
  await expect(live).toHaveCount(1);
  await expect(live).toContainText('cn-default-1');
  await expect(live.getByTestId('try-out')).toHaveCount(0);
});

test('the programmes of the networks show standing and forecast of a month', async ({ page }) => {
  await page.getByTestId('nav-monitoring').click();
  await page.getByTestId('monitoring-month').fill('2026-08');
  await expect(page).toHaveURL(/month=2026-08/);
  await page.getByTestId('monitoring-month').fill('2026-09');
  await expect(page).toHaveURL(/month=2026-09/);
  const rows = page.getByTestId('monitoring').locator('tbody tr.ant-table-row');
  const acquirer = rows.filter({ hasText: 'Visa VAMP 收单机构超标' });
  await expect(acquirer).toContainText('0.7%');
  await expect(acquirer).toContainText('记录中没有欺诈报告');
  await expect(acquirer.getByTestId('monitoring-state')).toHaveText(/已触及|月末将触及|未触及/);
  await rows.locator('a').first().click();
  await expect(page).toHaveURL(/\/payments\?kind=K8&merchant=/);
});
