import { expect, test } from '@playwright/test';
import { signIn } from './signin';

test('a break is found by class and age, shown with its rows, proposed and taken back', async ({ page }) => {
  await signIn(page);
  await page.getByTestId('locale-switch').getByText('中文', { exact: true }).click();
  await page.getByTestId('nav-breaks').click();

  // The matrix narrows the list.
  const cell = page.getByTestId('break-summary').getByTestId(/^cell-[A-Z_]+-d/).first();
  const count = Number((await cell.locator('b').innerText()).replaceAll(',', ''));
  await cell.click();
  await expect(page).toHaveURL(/class=.*age=|age=.*class=/);
  await expect(cell).toHaveAttribute('aria-pressed', 'true');
  await expect(page.getByTestId('break-row')).toHaveCount(Math.min(count, 100));

  // A row opens the records of its payment side by side.
  await page.getByTestId('break-row').first().locator('td').nth(1).click();
  await expect(page).toHaveURL(/[?&]id=/);
  for (const leg of ['journal', 'switch', 'clearing', 'payout']) {
    await expect(page.getByTestId(`leg-${leg}`)).toBeVisible();
  }
  await expect(page.getByTestId('resolution-state')).toHaveText('未处理');

  // Who proposes cannot approve.
  await page.getByTestId('offer-explained').click();
  await expect(page.getByTestId('step-propose')).toBeDisabled();
  await page.getByTestId('step-note').fill('商户已确认');
  await page.getByTestId('step-propose').click();
  await expect(page.getByTestId('resolution-state')).toHaveText('待复核');
  await expect(page.getByTestId('history-1')).toContainText('商户已确认');
  await expect(page.getByTestId('step-approve')).toHaveCount(0);
  await page.getByTestId('step-withdraw').click();
  await expect(page.getByTestId('resolution-state')).toHaveText('方案已撤回');
  await expect(page.getByTestId('history-2')).toBeVisible();

  await page.keyboard.press('Escape');
  await page.getByTestId('locale-switch').getByText('English', { exact: true }).click();
  await expect(page.getByTestId('break-row').first()).toContainText('Proposal withdrawn');
});
