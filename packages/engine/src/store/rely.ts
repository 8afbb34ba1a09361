import { errnoOf } from '../errors.js';
import { rawOf } from '../model/digest.js';
import type { OutRoot } from '../model/root.js';
import { type Lease, openLease } from './lease.js';
import type { Store } from './store.js';

/**
 * Does work that relies on roots which no lock may name yet, such as putting a result in place that a record or a revision names. From the moment
 * on at which `work` begins, no collection deletes what lies here of them: look for it then, not before. A tree protects what is below it as far
 * as its nodes are here; who fetches has to lease what it finds. A store that cannot be written cannot be collected either.
 */
export async function relyOn<T>(store: Store, roots: readonly OutRoot[], work: () => Promise<T> | T): Promise<T> {
  const lease = openIfWritable(store);
  try {
    lease?.append(Buffer.concat(roots.map(({ digest }) => rawOf(digest))));
    return await work();
  } finally {
    lease?.release();
  }
}

function openIfWritable(store: Store): Lease | undefined {
  try {
    return openLease(store.files, store.layout);
  } catch (error) {
    if (['EACCES', 'EPERM', 'EROFS'].includes(errnoOf(error) ?? '')) return undefined;
    throw error;
  }
}
