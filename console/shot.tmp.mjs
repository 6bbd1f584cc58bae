import { chromium } from '@playwright/test';
const base = process.env.ONUS_URL ?? 'http://127.0.0.1:8899';
const out = process.env.OUT ?? '/tmp/shots';
const only = (process.argv[2] ?? '').split(',').filter(Boolean);
const langs = (process.argv[3] ?? 'zh,en').split(',');
const b = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox','--disable-gpu'] });
const ctx = await b.newContext({ viewport: { width: 1440, height: 900 }, locale: 'zh-CN', timezoneId: 'Asia/Shanghai' });
const p = await ctx.newPage();
p.on('pageerror', e => console.log('PAGEERROR', e.message));
p.on('console', m => { if (m.type()==='error'||m.type()==='warning') console.log(m.type(), m.text()); });
p.on('response', r => { if (r.status()>=400) console.log(r.status(), r.url()); });
await p.goto(base + '/login');
await p.screenshot({ path: out + '/login.png' });
await p.locator('input[name=username]').fill('admin');
await p.locator('input[name=password]').fill(process.env.ONUS_PASSWORD ?? 'demo-pass-e2e-1');
await p.locator('button[type=submit]').click();
await p.getByTestId('overview-tiles').waitFor();
const ov = await p.evaluate(async () => (await fetch('/api/v1/overview')).json());
const pages = { overview: '/', payments: '/payments', terminals: '/terminals', agents: '/agents', episodes: '/episodes', cases: '/cases', breaks: '/breaks', files: '/files', audit: '/audit' };
for (const s of ov.stories) pages[s.id] = '/payments/' + s.payment_id;
if (ov.episodes[0]) pages.episode = '/episodes/' + ov.episodes[0].id;
for (const k of ['K1','K3','K5','K7','K8','K2']) { const r = await p.evaluate(async (k) => (await fetch('/api/v1/payments?kind='+k+'&limit=1')).json(), k); if (r.items?.[0]) pages[k] = '/payments/' + r.items[0].id; }
for (const lang of langs) for (const [n, u] of Object.entries(pages)) {
  if (only.length && !only.includes(n)) continue;
  await p.goto(base + u);
  await p.getByTestId('locale-switch').getByText(lang === 'zh' ? '中文' : 'English', { exact: true }).click();
  const t = Date.now();
  await p.waitForLoadState('networkidle'); await p.waitForTimeout(600);
  await p.screenshot({ path: `${out}/${n}-${lang}.png`, fullPage: true });
  console.log(n, lang, u, Date.now()-t);
}
await b.close();
