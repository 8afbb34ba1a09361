import { startCacheServer } from '../../../../../../scripts/actions-cache/server.mjs';
import { cacheStorage } from '../../../testing/actions-cache.js';
import { startTestProxy } from '../../../testing/proxy.js';
import { fetchByProxy } from '../proxy/fetch-by-proxy.js';
import { readProxies } from '../proxy/proxies.js';
import { storageContract } from '../storage.suite.js';

const KINDS = {
  'actions-cache, version 2': {},
  'actions-cache, version 2 without ranges': { ranges: false },
  'actions-cache, version 1': { protocol: 'v1' },
  'actions-cache, version 1 of act': { protocol: 'v1', dialect: 'act' },
} as const;

for (const [name, options] of Object.entries(KINDS)) {
  storageContract(name, async () => {
    const server = await startCacheServer(options);
    return { storage: cacheStorage(server), cleanUp: () => server.stop() };
  });
}

const throughProxy: string[] = [];
afterAll(() => expect(throughProxy.length).toBeGreaterThan(20));

storageContract('actions-cache, version 2 through a proxy', async () => {
  const server = await startCacheServer();
  const { host } = new URL(server.url);
  const proxy = await startTestProxy({ hosts: { [host]: host } });
  const proxies = readProxies({ http_proxy: `http://${proxy.host}` });
  const far = proxies?.proxyFor({ protocol: 'http:', host: 'far', port: 80 });
  // The server is near, and has to count as far away.
  const storage = cacheStorage(server, { fetch: fetchByProxy({ proxyFor: () => far }) });
  return {
    storage,
    cleanUp: async () => {
      throughProxy.push(...proxy.seen);
      await proxy.stop();
      await server.stop();
    },
  };
});
