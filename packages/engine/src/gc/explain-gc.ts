import { SluiceError } from '../errors.js';
import { type Digest, digestFromRaw, RAW_DIGEST_BYTES, rawOf, tryParseDigest } from '../model/digest.js';
import { isWithin, ROOT, tryParseRelPath } from '../model/path.js';
import { TREE } from '../model/tree.js';
import { explainObject } from '../store/gc/explain-object.js';
import { distinct } from '../store/gc/roots.js';
import type { Store } from '../store/store.js';
import { readDirectory } from '../store/trees.js';
import { type GatherOptions, gatherRoots } from './gather-roots.js';
import { rootsOfWorkspace } from './workspace-roots.js';

/** Why an object would be kept; an empty list: nothing keeps it. */
export interface GcReasons {
  readonly digest: Digest;
  /** Copies in the store, by where they lie. */
  readonly copies: readonly ('loose' | 'pack')[];
  readonly keptBy: readonly string[];
}

/**
 * Says which roots keep an object. `what` is a digest, or the path of an out or of a file in one as the lock of the asking workspace
 * knows it (relative to the workspace). Throws `ERR_USAGE` for anything else, and what {@link gatherRoots} throws.
 */
export async function explainGc(what: string, options: GatherOptions): Promise<GcReasons> {
  const { store } = options;
  const digest = tryParseDigest(what) ?? (await digestAt(what, options));
  const roots = gatherRoots(options);
  const live = distinct(await roots.live());
  const named = explainObject(store, live, digest);
  const keptBy = named.keptBy.map(({ ref, path }) => reason(ref.why, path));
  if (named.leased) keptBy.push('a writer that is running now');
  if (keptBy.length === 0) {
    const recorded = (await roots.recorded()).filter((ref) => ref.unprotected !== true);
    for (const { ref, path } of explainObject(store, distinct(recorded), digest).keptBy) {
      const answer = options.allowUnpushed === true ? true : await options.isOnRemote(ref.root);
      if (answer === true) continue;
      keptBy.push(`${reason(ref.why, path)}, ${answer === false ? 'not on a remote' : 'and no remote answers'}`);
    }
  }
  return { digest, copies: named.copies, keptBy };
}

function reason(why: string, path: string): string {
  return path === '' ? why : `${path} of ${why}`;
}

/** The object that the locks of the workspace name at a path. */
async function digestAt(what: string, { store, root, signal, env }: GatherOptions): Promise<Digest> {
  const path = tryParseRelPath(what) ?? ROOT;
  const out = (await rootsOfWorkspace(root, { signal, env })).find((candidate) => isWithin(path, candidate.path));
  const below = out === undefined ? undefined : path.slice(out.path.length + 1);
  const digest =
    out === undefined ? undefined : below === '' ? out.root.digest : entryAt(store, out.root.digest, below ?? '');
  if (digest !== undefined) return digest;
  throw new SluiceError(
    'ERR_USAGE',
    `${JSON.stringify(what)} is neither a digest nor a path in an out of this workspace`,
    {
      hint: '`sluice status` lists the outs; a digest is written sha256: followed by 64 hex digits.',
    },
  );
}

function entryAt(store: Store, tree: Digest, path: string): Digest | undefined {
  const [name = '', ...rest] = path.split('/');
  const directory = readDirectory(store.reader, rawOf(tree));
  const i = directory.names.indexOf(name);
  if (i < 0) return undefined;
  const digest = digestFromRaw(directory.digests, i * RAW_DIGEST_BYTES);
  if (rest.length === 0) return digest;
  return directory.kinds[i] === TREE ? entryAt(store, digest, rest.join('/')) : undefined;
}
