import { hexOf } from '../model/digest.js';
import type { OutRoot } from '../model/root.js';
import { quietNote } from '../remote/gc/quiet-note.js';
import { type PushResult, type PushRootsOptions, pushRoots } from '../remote/push.js';
import { openRemote, type Remote } from '../remote/remote.js';
import type { Storage } from '../remote/storage/port.js';
import type { Store } from '../store/store.js';
import type { MemoryStorage } from './memory-storage.js';

/** A remote whose area is `shared`; with a store, it knows what that store has noted of it. */
export function openShared(storage: Storage, store?: Store): Remote {
  const quiet = store === undefined ? {} : { quiet: quietNote(store, storage.description) };
  return openRemote({ storage, area: 'shared', ...quiet });
}

/** Pushes one root, as a process of its own: the remote is opened anew. */
export function push(
  store: Store,
  storage: Storage,
  root: OutRoot,
  more: Partial<PushRootsOptions> = {},
): Promise<PushResult> {
  return pushRoots({ remote: openShared(storage, store), store, roots: [{ root }], ...more });
}

/** Where the map of a root lies in the area `shared`. */
export function mapKeyOf({ digest }: Pick<OutRoot, 'digest'>): string {
  const hex = hexOf(digest);
  return `shared/maps/${hex.slice(0, 2)}/${hex.slice(2)}.map`;
}

/** The keys that have a part. */
export function keysOf(storage: MemoryStorage, part: string): string[] {
  return [...storage.objects.keys()].filter((key) => key.includes(part));
}
