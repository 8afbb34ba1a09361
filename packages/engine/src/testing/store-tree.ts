import { digestFromRaw, RAW_DIGEST_BYTES, rawDigestOf } from '../model/digest.js';
import { sortUtf8 } from '../model/path.js';
import type { OutRoot } from '../model/root.js';
import { encodeDirectory } from '../model/split.js';
import { FILE, TREE } from '../model/tree.js';
import type { Ingestor } from '../store/ingest.js';
import type { Store } from '../store/store.js';

/** Contents by relative path. */
export type TestFiles = Readonly<Record<string, string>>;

/** Brings a tree of files into the store the way a commit does, in one session. With `packed` small objects go into packs. */
export async function storeTree(store: Store, files: TestFiles, packed = false): Promise<OutRoot> {
  return store.write((session) => {
    const ingestor = session.ingestor(packed);
    const root = addTree(ingestor, files);
    session.publish([ingestor.finish()]);
    return root;
  });
}

/** Brings one file into the store as an out of its own. */
export async function storeBlob(store: Store, content: string, packed = false): Promise<OutRoot> {
  return store.write((session) => {
    const ingestor = session.ingestor(packed);
    const root = addBlob(ingestor, content);
    session.publish([ingestor.finish()]);
    return root;
  });
}

/** Adds one file's bytes; the caller publishes. */
function addBlob(ingestor: Ingestor, content: string): OutRoot {
  const bytes = Buffer.from(content);
  const raw = rawDigestOf(bytes);
  ingestor.addBytes('blob', bytes, raw, 0);
  return { kind: 'blob', digest: digestFromRaw(raw), exec: false, files: 1, bytes: bytes.length };
}

/** Adds files and the trees above them; the caller publishes. */
export function addTree(ingestor: Ingestor, files: TestFiles): OutRoot {
  const children = new Map<string, TestFiles>();
  for (const [path, content] of Object.entries(files)) {
    const [name = '', ...rest] = path.split('/');
    children.set(name, rest.length === 0 ? { '': content } : { ...children.get(name), [rest.join('/')]: content });
  }
  const names = sortUtf8([...children.keys()]);
  const columns = {
    names,
    kinds: new Uint8Array(names.length),
    sizes: new Float64Array(names.length),
    files: new Float64Array(names.length),
    digests: Buffer.alloc(names.length * RAW_DIGEST_BYTES),
  };
  names.forEach((name, i) => {
    const below = children.get(name) ?? {};
    const content = below[''];
    const child = content === undefined ? addTree(ingestor, below) : addBlob(ingestor, content);
    columns.kinds[i] = child.kind === 'tree' ? TREE : FILE;
    columns.sizes[i] = child.bytes;
    columns.files[i] = child.files;
    Buffer.from(child.digest.slice(7), 'hex').copy(columns.digests, i * RAW_DIGEST_BYTES);
  });
  const { top, parts, files: count, bytes } = encodeDirectory(columns);
  for (const part of parts) ingestor.addBytes('tree', part.bytes, part.raw, 0, true);
  ingestor.addBytes('tree', top.bytes, top.raw, 0);
  return { kind: 'tree', digest: digestFromRaw(top.raw), exec: false, files: count, bytes };
}
