import type { OutRoot } from '../model/root.js';
import type { Store } from '../store/store.js';
import type { Remote } from './remote.js';

export async function pushRoots(_options: {
  readonly remote: Remote;
  readonly store: Store;
  readonly roots: readonly { readonly root: OutRoot; readonly previous?: readonly OutRoot[] }[];
  readonly known?: readonly OutRoot[];
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((files: number, bytes: number) => void) | undefined;
}): Promise<{
  files: { sent: number; reused: number };
  objects: { sent: number; reused: number };
  bytes: { sent: number; reused: number };
}> {
  throw new Error('not there yet');
}
