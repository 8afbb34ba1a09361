import { startCacheServer } from '../../../../../../scripts/actions-cache/server.mjs';
import { cacheStorage } from '../../../testing/actions-cache.js';
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
