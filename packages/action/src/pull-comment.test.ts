import { type CommentPlace, keepComment } from './pull-comment.js';
import { type CommentsApi, startCommentsApi } from './testing/comments-api.js';

const MARKER = '<!-- sluice-review 1 -->';
let api: CommentsApi;
let place: CommentPlace;

beforeEach(async () => {
  api = await startCommentsApi('/repos/acme/data', 7, 't');
  const { signal } = new AbortController();
  place = {
    env: { GITHUB_API_URL: api.url },
    repository: 'acme/data',
    pullRequest: 7,
    token: 't',
    marker: MARKER,
    signal,
  };
});
afterEach(() => api.stop());

const others = (count: number): CommentsApi['comments'] =>
  Array.from({ length: count }, (_, at) => ({ id: 1000 + at, body: 'Nice', user: { login: 'eve', type: 'User' } }));

test('one comment is made, kept and updated in place', async () => {
  expect(await keepComment(place, undefined)).toBe('none');
  expect(await keepComment(place, 'one')).toBe('created');
  expect(await keepComment(place, 'one')).toBe('unchanged');
  expect(await keepComment(place, 'two')).toBe('updated');
  expect(api.comments.map(({ body }) => body)).toEqual([`${MARKER}\ntwo`]);
  expect(await keepComment(place, undefined)).toBe('updated');
  expect(api.comments[0]?.body).toMatch(/does not differ any more/);
  expect(await keepComment({ ...place, marker: '<!-- other -->' }, 'three')).toBe('created');
  expect(api.comments).toHaveLength(2);
});

test('it is found behind three pages of others', async () => {
  api.comments.push(...others(250));
  expect(await keepComment(place, 'one')).toBe('created');
  expect(await keepComment(place, 'two')).toBe('updated');
  expect(api.comments).toHaveLength(251);
  expect(api.requests.filter((line) => line.startsWith('GET'))).toHaveLength(6);
});

test.each([
  ['the token of a job', undefined],
  ['the token of a person', 'ada'],
])('a comment of somebody else with our marker is left alone, with %s', async (_, login) => {
  api.login = login;
  const planted = { id: 900, body: `${MARKER}\nAll is well`, user: { login: 'eve', type: 'User' } };
  api.comments.push(planted);
  expect(await keepComment(place, 'one')).toBe('created');
  expect(await keepComment(place, 'two')).toBe('updated');
  expect(planted.body).toMatch(/All is well/);
  expect(api.comments).toHaveLength(2);
});

test('a quotation of it is not it', async () => {
  api.comments.push({ id: 5, body: `> ${MARKER}`, user: { login: 'helper[bot]', type: 'Bot' } });
  expect(await keepComment(place, 'one')).toBe('created');
});

test('a text that is too long is cut to what GitHub takes', async () => {
  expect(await keepComment(place, 'x'.repeat(100_000))).toBe('created');
  expect(api.comments[0]?.body).toHaveLength(65_536);
});

test.each([401, 403, 404, 500])('%i is told with what to do', async (status) => {
  api.refuse = (method) => (method === 'POST' ? status : undefined);
  const refused = keepComment(place, 'one');
  await expect(refused).rejects.toThrow(`POST repos/acme/data/issues/7/comments: ${status}`);
  if (status < 500) await expect(refused).rejects.toThrow('pull-requests: write');
});
