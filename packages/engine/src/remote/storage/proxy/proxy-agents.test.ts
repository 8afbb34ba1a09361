import { once } from 'node:events';
import { createServer, request, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { selfSigned, startTestProxy, type TestProxy, type TestProxyOptions } from '../../../testing/proxy.js';
import { useTempDir } from '../../../testing/temp-dir.js';
import { readProxies } from './proxies.js';
import { TunnelAgent } from './proxy-agents.js';

const temp = useTempDir();
const NAME = 's3.company.invalid';
let server: Server;
let cert: string;
let proxy: TestProxy | undefined;

beforeEach(async () => {
  const own = selfSigned(temp(), NAME);
  cert = own.cert;
  server = createServer(own, (incoming, outgoing) => {
    setTimeout(() => outgoing.end(`${incoming.headers.host} ${incoming.headers['proxy-authorization']}`), 20);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(async () => {
  await proxy?.stop();
  proxy = undefined;
  server.closeAllConnections();
  server.close();
});

async function agentBy(options: Partial<TestProxyOptions> = {}, keys = '', more: object = {}): Promise<TunnelAgent> {
  const { port } = server.address() as AddressInfo;
  proxy = await startTestProxy({ hosts: { [`${NAME}:443`]: `127.0.0.1:${port}` }, ...options });
  const proxies = readProxies({ HTTPS_PROXY: `http://${keys}${proxy.host}` });
  if (proxies === undefined) throw new Error('there is a proxy');
  return new TunnelAgent(proxies, { keepAlive: true, maxSockets: 4, ca: cert, ...more });
}

function ask(agent: TunnelAgent, host: string = NAME): Promise<string> {
  return new Promise((resolve, reject) => {
    request({ host, agent, path: '/' }, async (answer) => {
      let text = '';
      for await (const chunk of answer) text += chunk;
      resolve(text);
    })
      .once('error', reject)
      .end();
  });
}

test('a server with TLS is reached by a tunnel that is kept, and the credentials stay with the proxy', async () => {
  const wants = `Basic ${Buffer.from('me:p@ss').toString('base64')}`;
  const agent = await agentBy({ wants }, 'me:p%40ss@');
  for (let i = 0; i < 5; i++) expect(await ask(agent)).toBe(`${NAME} undefined`);
  expect(proxy?.seen).toEqual([`CONNECT ${NAME}:443`]);
  expect(proxy?.credentials).toEqual([wants]);
});

test('what is asked at once takes no more tunnels than sockets that are allowed, once they are there', async () => {
  const agent = await agentBy();
  await Promise.all(Array.from({ length: 4 }, () => ask(agent)));
  await Promise.all(Array.from({ length: 40 }, () => ask(agent)));
  expect(proxy?.seen).toHaveLength(4);
});

test('a certificate that is not trusted is that of the server', async () => {
  const agent = await agentBy({}, '', { ca: undefined });
  await expect(ask(agent)).rejects.toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
});

test.each([
  [{ wants: 'Basic x' }, 'ERR_REMOTE_DENIED', 'wants credentials (407)'],
  [{ answers: 403 }, 'ERR_REMOTE_DENIED', `lets nothing through to ${NAME}:443 (403)`],
  [{ answers: 503 }, 'ERR_REMOTE_DOWN', `does not reach ${NAME}:443 (503)`],
  [{ hosts: {} }, 'ERR_REMOTE_DOWN', `does not reach ${NAME}:443 (502)`],
] as const)('a proxy that refuses by %j is named', async (options, code, words) => {
  const agent = await agentBy(options);
  const message = `the proxy http://${proxy?.host} (HTTPS_PROXY) ${words}`;
  await expect(ask(agent)).rejects.toMatchObject({ code, message });
  // What failed holds no place for what comes after it.
  await Promise.all(Array.from({ length: 10 }, () => expect(ask(agent)).rejects.toMatchObject({ code })));
});

test('a tunnel that nobody waits for any more is given up, so that it keeps no process alive', async () => {
  const agent = await agentBy({ answers: 'nothing' });
  const asked = request({ host: NAME, agent, path: '/' }).end();
  asked.on('error', () => {});
  while (proxy?.open() !== 1) await sleep(20);
  asked.destroy();
  const destroyedMs = performance.now();
  while (proxy.open() > 0) await sleep(20);
  expect(performance.now() - destroyedMs).toBeLessThan(2000);
});

test('a proxy that breaks off, and one that is no proxy, is named', async () => {
  const agent = await agentBy({ answers: 'nothing' });
  const asking = ask(agent);
  setTimeout(() => proxy?.stop(), 100);
  await expect(asking).rejects.toMatchObject({
    code: 'ERR_REMOTE_DOWN',
    message: expect.stringContaining('(HTTPS_PROXY)'),
  });
  const proxies = readProxies({ HTTPS_PROXY: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  if (proxies === undefined) throw new Error('there is a proxy');
  await expect(ask(new TunnelAgent(proxies, {}))).rejects.toMatchObject({ code: 'ERR_REMOTE_DOWN' });
});
