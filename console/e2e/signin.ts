import { expect, type Page } from '@playwright/test';

function needed(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === '') throw new Error(`set ${name}: the account the browser test signs in with`);
  return value;
}

/** Through the server-rendered form, as a person does. */
export async function signIn(page: Page): Promise<void> {
  await page.goto('/login');
  await page.locator('input[name=username]').fill(needed('ONUS_USER'));
  await page.locator('input[name=password]').fill(needed('ONUS_PASSWORD'));
  await page.locator('button[type=submit]').click();
  await expect(page.getByTestId('overview-tiles')).toBeVisible();
}
