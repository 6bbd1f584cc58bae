import { afterEach, describe, expect, it, vi } from 'vitest';
import { api, ApiError, problemOf, queryString } from './client';

const place = { href: '' };

function answering(body: unknown, status = 200, type = 'application/json') {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const fetching = vi.fn(() => Promise.resolve(new Response(text, { status, headers: { 'content-type': type } })));
  vi.stubGlobal('fetch', fetching);
  vi.stubGlobal('window', { location: place });
  return fetching;
}

afterEach(() => {
  vi.unstubAllGlobals();
  place.href = '';
});

describe('queryString', () => {
  it('leaves out what is empty and escapes the rest', () => {
    expect(queryString({})).toBe('');
    expect(queryString({ kind: 'K6', q: '', agent: undefined, cursor: null, limit: 50 })).toBe('?kind=K6&limit=50');
    expect(queryString({ q: '湖南 a&b' })).toBe('?q=%E6%B9%96%E5%8D%97+a%26b');
  });
});

describe('requests', () => {
  it('escape identifiers and ask for JSON', async () => {
    const fetching = answering({ payment: {} });
    await api.payment('2026-09-21.1/2');
    expect(fetching).toHaveBeenCalledWith(
      '/api/v1/payments/2026-09-21.1%2F2',
      expect.objectContaining({ headers: { accept: 'application/json' } }),
    );
  });

  it('go to the sign-in page on 401', async () => {
    answering({ title: 'Unauthorized', status: 401 }, 401, 'application/problem+json');
    await expect(api.session()).rejects.toBeInstanceOf(ApiError);
    expect(place.href).toBe('/login');
  });

  it('carry the problem document of a refusal', async () => {
    answering({ title: 'Bad cursor', status: 400, detail: 'cursor is not ours', code: 'cursor', hint: 'start again' }, 400, 'application/problem+json');
    const error = await api.payments({}).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ApiError);
    expect((error as ApiError).problem).toMatchObject({ code: 'cursor', hint: 'start again', status: 400 });
    expect((error as ApiError).transient).toBe(false);
  });

  it('mark mutating calls', async () => {
    vi.stubGlobal('window', { location: place });
    const fetching = vi.fn(() => Promise.resolve(new Response(null, { status: 204 })));
    vi.stubGlobal('fetch', fetching);
    await api.signOut();
    expect(fetching).toHaveBeenCalledWith(
      '/api/v1/session',
      expect.objectContaining({ method: 'DELETE', headers: { 'X-Onus-Request': '1' } }),
    );
    expect(place.href).toBe('/login');
  });

  it('tell a dead network from a refusal', async () => {
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('failed to fetch')));
    const error = await api.session().catch((caught: unknown) => caught);
    expect((error as ApiError).problem.status).toBe(0);
    expect((error as ApiError).transient).toBe(true);
  });
});

describe('problemOf', () => {
  it('makes a problem of an answer that is not JSON', async () => {
    const answer = new Response('<h1>bad gateway</h1>', { status: 502, statusText: 'Bad Gateway' });
    expect(await problemOf(answer)).toEqual({ title: 'Bad Gateway', status: 502 });
  });

  it('survives JSON that is broken', async () => {
    const answer = new Response('{', { status: 500, headers: { 'content-type': 'application/problem+json' } });
    expect((await problemOf(answer)).status).toBe(500);
  });
});
