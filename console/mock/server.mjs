/**
 * A stand-in for `onus serve`, for work on the console alone: the built pages of dist/ and answers in the
 * shape of the API, made up but with real inclusion proofs. Sign in as admin / onus-mock.
 */
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { answer } from './answers.mjs';
import { takeStep } from './breaks.mjs';
import { decide } from './decisions.mjs';

const PORT = Number(process.env.MOCK_PORT ?? 4610);
const DIST = fileURLToPath(new URL('../dist', import.meta.url));
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };

const LOGIN = `<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>Onus</title>
<form method="post" action="/login"><input name="username" placeholder="username"> <input name="password" type="password">
<button type="submit">登录 / Sign in</button></form></html>`;

function problem(response, status, title, code, hint) {
  response.writeHead(status, { 'content-type': 'application/problem+json' });
  response.end(JSON.stringify({ type: 'about:blank', title, status, detail: title, code, hint }));
}

async function signIn(request, response) {
  let body = '';
  for await (const part of request) body += part;
  const form = new URLSearchParams(body);
  if (form.get('username') !== 'admin' || form.get('password') !== 'onus-mock') {
    response.writeHead(401, { 'content-type': TYPES['.html'] }).end(LOGIN);
    return;
  }
  response.writeHead(303, { location: '/', 'set-cookie': 'onus_session=mock; HttpOnly; SameSite=Lax; Path=/' }).end();
}

/** Steps about breaks and limits are the only requests with a body. */
async function postStep(request, response, url) {
  if (request.headers['x-onus-request'] !== '1') return problem(response, 403, 'X-Onus-Request is missing', 'csrf', '');
  let text = '';
  for await (const part of request) text += part;
  const [, , , room, id = '', step = ''] = url.pathname.split('/');
  const take = room === 'limits' ? decide : takeStep;
  const body = take(decodeURIComponent(id), step, JSON.parse(text));
  if (body === undefined) return problem(response, 409, 'not possible', 'wrong_state', '请刷新。Reload.');
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function callApi(request, response, url) {
  if (request.method === 'DELETE' && url.pathname === '/api/v1/session') {
    if (request.headers['x-onus-request'] !== '1') return problem(response, 403, 'X-Onus-Request is missing', 'csrf', '');
    response.writeHead(204, { 'set-cookie': 'onus_session=; Max-Age=0; Path=/' }).end();
    return;
  }
  const body = answer(url.pathname.slice('/api/v1'.length), url.searchParams);
  if (body === undefined) return problem(response, 404, 'no such resource', 'not_found', '请检查地址。Check the address.');
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

async function sendPage(response, url) {
  const wanted = normalize(url.pathname).replace(/^(\.\.[/\\])+/, '');
  const isFile = wanted.startsWith('/assets/') || wanted === '/favicon.svg';
  const path = join(DIST, isFile ? wanted : 'index.html');
  try {
    const body = await readFile(path);
    response.writeHead(200, { 'content-type': TYPES[extname(path)] ?? 'application/octet-stream' }).end(body);
  } catch {
    response.writeHead(404, { 'content-type': 'text/plain' }).end('not built: run npm run build\n');
  }
}

createServer((request, response) => {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const signedIn = (request.headers.cookie ?? '').includes('onus_session=mock');
  if (url.pathname === '/login') {
    if (request.method === 'POST') void signIn(request, response);
    else response.writeHead(200, { 'content-type': TYPES['.html'] }).end(LOGIN);
  } else if (url.pathname.startsWith('/api/v1/')) {
    if (signedIn && request.method === 'POST') void postStep(request, response, url);
    else if (signedIn) callApi(request, response, url);
    else problem(response, 401, 'sign in first', 'unauthenticated', '请先登录。Sign in first.');
  } else if (signedIn) {
    void sendPage(response, url);
  } else {
    response.writeHead(303, { location: '/login' }).end();
  }
}).listen(PORT, '127.0.0.1', () => process.stdout.write(`http://127.0.0.1:${PORT}  admin / onus-mock\n`));
