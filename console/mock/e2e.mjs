/** Runs the browser test against the mock server: `npm run build && npm run e2e:mock`. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const PORT = '4611';
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const mock = spawn(process.execPath, [here('server.mjs')], {
  env: { ...process.env, MOCK_PORT: PORT },
  stdio: ['ignore', 'pipe', 'inherit'],
});
mock.stdout.once('data', () => {
  const test = spawn(process.execPath, [here('../node_modules/@playwright/test/cli.js'), 'test'], {
    cwd: here('..'),
    env: { ...process.env, ONUS_URL: `http://127.0.0.1:${PORT}`, ONUS_USER: 'admin', ONUS_PASSWORD: 'onus-mock' },
    stdio: 'inherit',
  });
  test.once('exit', (code) => {
    mock.kill();
    process.exitCode = code ?? 1;
  });
});
