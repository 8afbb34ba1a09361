import { SluiceError } from '../../errors.js';
import { digestFromRaw, RAW_DIGEST_BYTES, shortDigest } from '../../model/digest.js';
import { listNames } from '../lease.js';
import type { Store } from '../store.js';
import type { NodeSource } from './mark.js';
import { readLinks } from './node-links.js';

/** Brings a tree node back from a trash bag; returns whether it was in one. */
export type Recover = (raw: Buffer, rawAt: number) => boolean;

/**
 * The nodes of a store, as a collection reads them. The difference that matters: a node that is *absent* belongs to data that is only referred
 * to here, which is normal; a node that is *damaged* hides which objects are in use, which stops the collection. What was set aside earlier
 * counts as damaged still, so reading a damaged tree twice does not turn it into an absent one. For leases (`of`) that does not matter: what a
 * writer leases and the store lacks is about to be written, and its children are leased too.
 */
export function nodeSource(store: Store, recover: Recover, of: 'roots' | 'leases'): NodeSource {
  const { catalog } = store.reader;
  let aside: AsideNames | undefined;
  return (raw, rawAt) => {
    if (!catalog.has('tree', raw, rawAt) && !recover(raw, rawAt)) {
      if (of === 'leases') return undefined;
      aside ??= readAside(store);
      if (aside.unreadablePack !== undefined) throw packStop(store, aside.unreadablePack);
      if (aside.digests.has(raw.toString('hex', rawAt, rawAt + RAW_DIGEST_BYTES))) throw treeStop(store, raw, rawAt);
      return undefined;
    }
    try {
      // Reading the next node overwrites the reader's bytes.
      return readLinks(Buffer.from(store.reader.read('tree', raw, rawAt)), shortDigest(digestFromRaw(raw, rawAt)));
    } catch (error) {
      throw treeStop(store, raw, rawAt, error);
    }
  };
}

/** Throws `ERR_GC_STOPPED` if a pack cannot be read: it may hold trees, and so decide what else is in use. */
export function stopAtBrokenPacks(store: Store): void {
  for (const [name, cause] of store.reader.catalog.brokenPacks()) {
    throw new SluiceError('ERR_GC_STOPPED', `nothing was deleted: pack ${name} cannot be read (${cause.message})`, {
      cause,
      hint: 'Run `sluice verify --repair`, then collect again.',
    });
  }
}

interface AsideNames {
  readonly digests: ReadonlySet<string>;
  readonly unreadablePack: string | undefined;
}

/** `<64 hex>.tree` a loose node, `<64 hex>.<32 hex>.pack` a copy in a pack, `<32 hex>.pack` a whole pack. */
function readAside(store: Store): AsideNames {
  const names = listNames(store.files, store.layout.damaged);
  const digests = names.filter((name) => /^[0-9a-f]{64}[.](tree|[0-9a-f]{32}[.]pack)$/.test(name));
  return {
    digests: new Set(digests.map((name) => name.slice(0, 64))),
    unreadablePack: names.find((name) => /^[0-9a-f]{32}[.]pack$/.test(name)),
  };
}

function treeStop(store: Store, raw: Buffer, rawAt: number, cause?: unknown): SluiceError {
  const digest = digestFromRaw(raw, rawAt);
  return new SluiceError(
    'ERR_GC_STOPPED',
    `nothing was deleted: tree ${shortDigest(digest)} cannot be read, so it is not known what it holds`,
    {
      cause,
      hint: `Run \`sluice verify --repair\`, or make the data again and commit it. To give the tree up, delete ${store.layout.damaged}.`,
      details: { digest },
    },
  );
}

function packStop(store: Store, name: string): SluiceError {
  return new SluiceError(
    'ERR_GC_STOPPED',
    `nothing was deleted: the damaged pack ${name} may hold a tree that is missing, so it is not known what that tree holds`,
    {
      hint: `Run \`sluice verify --repair\`, or make the data again and commit it. To give the pack up, delete ${store.layout.damaged}.`,
    },
  );
}
