import fs from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { compareUtf8 } from '../model/path.js';
import { fileName } from './entries.js';

/** Something in a directory. */
export type DiskEntry =
  | { readonly kind: 'file' | 'exec'; readonly content: string }
  | { readonly kind: 'link'; readonly target: string }
  | { readonly kind: 'dir' };

/** Everything below a directory by relative path; directories have entries of their own. */
export type DiskTree = ReadonlyMap<string, DiskEntry>;

/** A tree from short notes: a text is a file, `null` a directory; the directories above are added. */
export function diskTree(notes: Readonly<Record<string, string | DiskEntry | null>>): DiskTree {
  const tree = new Map<string, DiskEntry>();
  for (const [path, note] of Object.entries(notes)) {
    const segments = path.split('/');
    for (let depth = 1; depth < segments.length; depth++) tree.set(segments.slice(0, depth).join('/'), { kind: 'dir' });
    tree.set(path, note === null ? { kind: 'dir' } : typeof note === 'string' ? { kind: 'file', content: note } : note);
  }
  return sorted(tree);
}

/** Makes a directory that holds exactly a tree. */
export function writeTree(path: string, tree: DiskTree): void {
  fs.rmSync(path, { recursive: true, force: true });
  fs.mkdirSync(path, { recursive: true });
  for (const [below, entry] of tree) if (entry.kind === 'dir') fs.mkdirSync(join(path, below), { recursive: true });
  for (const [below, entry] of tree) {
    if (entry.kind === 'link') fs.symlinkSync(entry.target, join(path, below));
    else if (entry.kind !== 'dir') {
      fs.writeFileSync(join(path, below), entry.content, { mode: entry.kind === 'exec' ? 0o755 : 0o644 });
    }
  }
}

/** What a directory holds. @public */
export function readTree(path: string): DiskTree {
  const tree = new Map<string, DiskEntry>();
  const visit = (below: string): void => {
    for (const name of fs.readdirSync(join(path, below))) {
      const inner = below === '' ? name : `${below}/${name}`;
      const full = join(path, inner);
      const stat = fs.lstatSync(full);
      if (stat.isSymbolicLink()) tree.set(inner, { kind: 'link', target: fs.readlinkSync(full) });
      else if (stat.isDirectory()) {
        tree.set(inner, { kind: 'dir' });
        visit(inner);
      } else {
        const content = fs.readFileSync(full, 'utf8');
        tree.set(inner, { kind: (stat.mode & 0o100) === 0 ? 'file' : 'exec', content });
      }
    }
  };
  visit('');
  return sorted(tree);
}

function sorted(tree: ReadonlyMap<string, DiskEntry>): DiskTree {
  return new Map([...tree].sort(([a], [b]) => compareUtf8(a, b)));
}

/** `large`: over the limit from which objects are loose. */
const content = fc.oneof(
  { weight: 6, arbitrary: fc.string({ maxLength: 20 }) },
  { weight: 2, arbitrary: fc.constantFrom('', 'same', 'same\n') },
  { weight: 1, arbitrary: fc.nat(2).map((n) => `${n} `.repeat(40_000)) },
);

type Leaf = DiskEntry | { readonly kind: 'up'; readonly steps: number; readonly name: string };

const leaf: fc.Arbitrary<Leaf> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constantFrom('file', 'exec'), content }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('dir') }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('up'), steps: fc.nat(3), name: fileName }) },
);

/** Any tree that can be kept: exec bits, links inside it (dangling ones too), empty directories, odd names. */
export const anyDiskTree: fc.Arbitrary<DiskTree> = fc
  .array(fc.tuple(fc.array(fileName, { minLength: 1, maxLength: 4 }), leaf), { maxLength: 14 })
  .map((list) => {
    const tree = new Map<string, DiskEntry>();
    for (const [segments, entry] of list) {
      const parents = segments.slice(1).map((_, i) => segments.slice(0, i + 1).join('/'));
      if (parents.some((parent) => tree.has(parent) && tree.get(parent)?.kind !== 'dir')) continue;
      if (tree.has(segments.join('/'))) continue;
      for (const parent of parents) tree.set(parent, { kind: 'dir' });
      tree.set(segments.join('/'), entry.kind === 'up' ? linkFrom(segments.length - 1, entry) : entry);
    }
    return sorted(tree);
  });

/** A link at a depth that does not leave the tree. */
function linkFrom(depth: number, { steps, name }: { readonly steps: number; readonly name: string }): DiskEntry {
  return { kind: 'link', target: `${'../'.repeat(Math.min(steps, depth))}${name}` };
}
