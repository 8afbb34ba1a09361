import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startTestProxy, type TestProxy } from '../../../testing/proxy.js';
import { fetchFor } from './fetch.js';
import type { Fetch } from './fetch-port.js';

let server: Server;
let proxy: TestProxy;
let ask: Fetch;
const { signal } = new AbortController();
const init = { redirect: 'manual', signal } as const;

beforeEach(async () => {
  server = createServer(async (incoming, outgoing) => {
    let body = '';
    for await (const chunk of incoming) body += chunk;
    const { pathname } = new URL(incoming.url ?? '', 'http://x');
    if (pathname === '/away') outgoing.writeHead(302, { location: 'http://other.invalid/end?q=1' }).end('moved');
    else if (pathname === '/round') outgoing.writeHead(302, { location: '/round' }).end();
    else if (pathname === '/none') outgoing.writeHead(304, { etag: '"x"' }).end();
    else if (pathname === '/half') outgoing.writeHead(200, { 'content-length': '10' }).write('half');
    else
      outgoing
        .writeHead(200, { 'set-cookie': ['a', 'b'] })
        .end(`${incoming.method} ${incoming.headers.host}${incoming.url} ${incoming.headers['x-own']} ${body}`);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const there = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  proxy = await startTestProxy({ hosts: { 'files.invalid:80': there, 'other.invalid:80': there } });
  ask = fetchFor({ http_proxy: `http://${proxy.host}` });
});
afterEach(async () => {
  await proxy.stop();
  server.closeAllConnections();
  server.close();
});

test('without a proxy it is that of Node', () => {
  expect(fetchFor({ NO_PROXY: 'x' })).toBe(fetch);
});

test('a request has its method, headers and body, and the answer all of its own', async () => {
  const answer = await ask('http://files.invalid/a?b=c', {
    ...init,
    method: 'PUT',
    headers: { 'x-own': 'yes' },
    body: Buffer.from('body'),
  });
  expect(answer.status).toBe(200);
  expect(answer.headers.getSetCookie()).toEqual(['a', 'b']);
  expect(await answer.text()).toBe('PUT files.invalid/a?b=c yes body');
  const none = await ask('http://files.invalid/none', init);
  expect([none.status, none.body, none.headers.get('etag')]).toEqual([304, null, '"x"']);
  expect(proxy.seen).toEqual(['PUT http://files.invalid/a?b=c', 'GET http://files.invalid/none']);
  expect(proxy.connections()).toBe(1);
});

test('redirects are followed through the proxy, given back, or refused', async () => {
  const followed = await ask('http://files.invalid/away', { ...init, redirect: 'follow' });
  expect(await followed.text()).toBe('GET other.invalid/end?q=1 undefined ');
  const given = await ask('http://files.invalid/away', init);
  expect([given.status, given.headers.get('location')]).toEqual([302, 'http://other.invalid/end?q=1']);
  await given.body?.cancel();
  await expect(ask('http://files.invalid/away', { ...init, redirect: 'error' })).rejects.toThrow('unexpected redirect');
  await expect(ask('http://files.invalid/round', { ...init, redirect: 'follow' })).rejects.toThrow('more than 20');
});

test('an abort ends it before the answer and in the middle of one', async () => {
  const stop = new AbortController();
  const answer = await ask('http://files.invalid/half', { ...init, signal: stop.signal });
  const reading = answer.text();
  setTimeout(() => stop.abort(), 50);
  await expect(reading).rejects.toThrow();
  await expect(ask('http://files.invalid/', { ...init, signal: stop.signal })).rejects.toThrow();
});

test('hosts that need no proxy are asked straight', async () => {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/near`;
  expect(await (await ask(url, init)).text()).toContain('/near');
  expect(proxy.seen).toEqual([]);
});

test('a proxy that wants credentials is named', async () => {
  const own = await startTestProxy({ hosts: {}, wants: 'Basic x' });
  const refused = fetchFor({ http_proxy: `http://me:secret@${own.host}` })('http://files.invalid/', init);
  await expect(refused).rejects.toMatchObject({
    code: 'ERR_REMOTE_DENIED',
    message: `the proxy http://${own.host} (http_proxy) does not accept the credentials in http_proxy (407)`,
  });
  await own.stop();
});
