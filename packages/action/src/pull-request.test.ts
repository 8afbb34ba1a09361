import { openPullRequest } from './pull-request.js';
import { withApi } from './testing/api-answers.js';

const WANTED = { head: 'sluice/locks-1', base: 'main', title: 'Locks', body: '' };
const open = (url: string): Promise<string> =>
  openPullRequest({ env: { GITHUB_API_URL: url, GITHUB_REPOSITORY: 'acme/data' }, token: 'secret' }, WANTED);

test('a pull request is opened, or the one that is open is found; what passes is tried again', async () => {
  await withApi(
    [
      [502, 'no'],
      [201, { html_url: 'https://h/1' }],
    ],
    async ({ url, asked }) => {
      expect(await open(url)).toBe('https://h/1');
      expect(asked).toEqual(['POST /repos/acme/data/pulls', 'POST /repos/acme/data/pulls']);
    },
  );
  await withApi(
    [
      [422, { message: 'exists' }],
      [200, [{ html_url: 'https://h/2' }]],
    ],
    async ({ url, asked }) => {
      expect(await open(url)).toBe('https://h/2');
      expect(asked[1]).toBe('GET /repos/acme/data/pulls?state=open&head=acme%3Asluice%2Flocks-1&base=main');
    },
  );
});

test('a refusal is told with what the server said, and never with the token; no token goes elsewhere', async () => {
  await withApi([[403, { message: 'Resource not accessible' }]], async ({ url }) => {
    await expect(open(url)).rejects.toMatchObject({
      code: 'ERR_LOCKS_NOT_PUBLISHED',
      message: 'the pull request for sluice/locks-1 was not opened: 403 Resource not accessible',
    });
  });
  await withApi(
    [
      [422, { message: 'No commits between' }],
      [200, []],
    ],
    async ({ url }) => {
      await expect(open(url)).rejects.toThrow('422 No commits between');
    },
  );
  await withApi([[302, '']], async ({ url, asked }) => {
    await expect(open(url)).rejects.toMatchObject({
      code: 'ERR_LOCKS_NOT_PUBLISHED',
      message: 'the pull request for sluice/locks-1 was not opened: 302',
    });
    expect(asked).toHaveLength(1);
  });
});
