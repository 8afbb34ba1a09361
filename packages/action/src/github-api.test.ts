import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { askGitHub, type GitHubRequest } from './github-api.js';
import { withApi } from './testing/api-answers.js';

const TOKEN = 'a-secret-token';
const LIST: GitHubRequest = { method: 'GET', path: 'repos/acme/data/issues?page=1', isRepeatable: true };
const ADD: GitHubRequest = { method: 'POST', path: 'repos/acme/data/issues', body: {}, isRepeatable: false };
const access = (url: string): { env: { GITHUB_API_URL: string }; token: string } => ({
  env: { GITHUB_API_URL: url },
  token: TOKEN,
});

test.each([500, 503, 429])('%i passes: what may be repeated is asked again', async (status) => {
  await withApi(
    [
      [status, 'no'],
      [200, [1]],
    ],
    async ({ url, asked }) => {
      expect(await askGitHub(access(`${url}/`), LIST)).toEqual({ status: 200, content: [1] });
      expect(asked).toEqual(Array(2).fill('GET /repos/acme/data/issues?page=1'));
    },
  );
});

test('what must not be done twice is asked once', async () => {
  await withApi([[502, { message: 'Bad gateway' }]], async ({ url, asked }) => {
    await expect(askGitHub(access(url), ADD)).rejects.toThrow(/^POST repos\/acme\/data\/issues: 502 Bad gateway$/);
    expect(asked).toHaveLength(1);
  });
});

test('a refusal is an answer, whatever its body is', async () => {
  await withApi([[403, 'none of JSON']], async ({ url }) => {
    expect(await askGitHub(access(url), LIST)).toEqual({ status: 403, content: undefined });
  });
});

test('a redirection is not followed, so no other place gets the token', async () => {
  await withApi([[302, '']], async ({ url, asked }) => {
    expect(await askGitHub(access(url), LIST)).toEqual({ status: 302, content: undefined });
    expect(asked).toHaveLength(1);
  });
});

test('a server that is not there is named, and the token is not', async () => {
  let gone = '';
  await withApi([], async ({ url }) => {
    gone = url;
  });
  const failure = await askGitHub(access(gone), ADD).catch(String);
  expect(failure).toContain(`POST repos/acme/data/issues: no answer from ${new URL(gone).host} (connect ECONNREFUSED`);
  expect(failure).not.toContain(TOKEN);
});

test('it is asked through the proxy of the environment, which gets no token to see, and is named where it fails', async () => {
  await withProxy(async (proxy, seen) => {
    const env = { GITHUB_API_URL: 'https://api.company.invalid', HTTPS_PROXY: `http://me:hidden@${proxy}` };
    const failure = await askGitHub({ env, token: TOKEN }, ADD).catch(String);
    expect(seen).toEqual(['CONNECT api.company.invalid:443']);
    expect(failure).toContain(
      `(the proxy http://${proxy} (HTTPS_PROXY) lets nothing through to api.company.invalid:443 (403))`,
    );
    expect(failure).not.toMatch(/hidden|secret/);
  });
});

test.each(['', 'a\nb', 'a b'])('%j is no token, and is not shown', async (token) => {
  await withApi([], async ({ url, asked }) => {
    await expect(askGitHub({ ...access(url), token }, LIST)).rejects.toThrow(
      /^GET repos\/acme\/data\/issues: the token is empty, or is none$/,
    );
    expect(asked).toEqual([]);
  });
});

test('a step that is interrupted does not wait for another try', async () => {
  const controller = new AbortController();
  await withApi([[503, '']], async ({ url, asked }) => {
    const asking = askGitHub({ ...access(url), signal: controller.signal }, LIST);
    setTimeout(() => controller.abort(new Error('interrupted')), 100);
    await expect(asking).rejects.toThrow();
    expect(asked).toHaveLength(1);
  });
});

/** A proxy that lets nothing through. */
async function withProxy(run: (host: string, seen: readonly string[]) => Promise<void>): Promise<void> {
  const seen: string[] = [];
  const proxy = createServer().on('connect', ({ method, url, headers }, socket) => {
    seen.push(`${method} ${url}${headers.authorization === undefined ? '' : ' with a token'}`);
    socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  try {
    await run(`127.0.0.1:${(proxy.address() as AddressInfo).port}`, seen);
  } finally {
    proxy.close();
  }
}
