import { lstatSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf, SluiceError } from '../errors.js';
import { readFileAt } from '../history/git.js';
import { type Digest, digestOf, rawOf } from '../model/digest.js';
import { joinRelPath } from '../model/path.js';
import { type PathFilter, pathFilter } from '../model/path-filter.js';
import { relyOn } from '../store/rely.js';
import type { OperationContext } from './context.js';
import type { SideName, SideOut } from './diff-sides.js';

/** A small file of an out: its path below it, `''` for an out that is a file, and what it has to be. */
export interface SmallFile {
  readonly out: SideOut;
  readonly path: string;
  readonly digest: Digest;
  readonly bytes: number;
}

/**
 * The bytes of small files by digest: from the workspace, the store, git (for outs that git keeps), or a remote, from which only they come. Each is compared with its
 * digest. What can be had nowhere is left out, which is told as a warning.
 */
export async function readSmallFiles(
  context: OperationContext,
  side: SideName,
  files: readonly SmallFile[],
): Promise<Map<Digest, Buffer>> {
  const found = new Map<Digest, Buffer>();
  const { store } = context.workspace;
  await relyOn(
    store,
    files.map(({ out }) => out.root),
    async () => {
      const lacking: SmallFile[] = [];
      for (const file of files) {
        if (found.has(file.digest)) continue;
        const bytes = fromWorkspace(context, file) ?? fromStore(context, file) ?? (await fromGit(context, side, file));
        if (bytes === undefined) lacking.push(file);
        else found.set(file.digest, bytes);
      }
      if (lacking.length === 0) return;
      await fetchThem(context, lacking);
      for (const file of lacking) {
        const bytes = fromStore(context, file);
        if (bytes !== undefined) found.set(file.digest, bytes);
      }
    },
  );
  return found;
}

function fromWorkspace({ workspace }: OperationContext, { out, path, digest, bytes }: SmallFile): Buffer | undefined {
  const place = join(workspace.root, joinRelPath(out.out.path, path));
  try {
    // Anything else that lies there may be large, or never end.
    const stat = lstatSync(place);
    return stat.isFile() && stat.size === bytes ? checked(readFileSync(place), digest) : undefined;
  } catch (error) {
    // Not there, or something else by now.
    if (['ENOENT', 'ENOTDIR', 'EISDIR', 'EACCES', 'ELOOP'].includes(errnoOf(error) ?? '')) return undefined;
    throw error;
  }
}

function fromStore({ workspace }: OperationContext, { digest }: SmallFile): Buffer | undefined {
  const { reader } = workspace.store;
  const raw = rawOf(digest);
  if (!reader.catalog.has('blob', raw)) return undefined;
  try {
    return Buffer.from(reader.read('blob', raw));
  } catch (error) {
    if (error instanceof SluiceError && error.exitCode === 4) return undefined;
    throw error;
  }
}

async function fromGit(
  { workspace, signal }: OperationContext,
  side: SideName,
  { out, path, digest }: SmallFile,
): Promise<Buffer | undefined> {
  if (side.kind !== 'revision' || path !== '') return undefined;
  const text = await readFileAt(workspace.root, side.commit, out.out.path, { signal });
  return text === undefined ? undefined : checked(Buffer.from(text), digest);
}

function checked(bytes: Buffer, digest: Digest): Buffer | undefined {
  return digestOf(bytes) === digest ? bytes : undefined;
}

async function fetchThem(context: OperationContext, files: readonly SmallFile[]): Promise<void> {
  const byOut = new Map<SideOut, Set<string>>();
  for (const { out, path } of files) byOut.set(out, (byOut.get(out) ?? new Set()).add(path));
  for (const [{ root, out }, paths] of byOut) {
    const filter: PathFilter = pathFilter((path) => paths.has(path), [...paths]);
    try {
      await context.remotes.fetch([{ root, filter, remote: out.remote }], 'everything');
    } catch (error) {
      if (!(error instanceof SluiceError) || (error.exitCode !== 3 && error.exitCode !== 4)) throw error;
      const { code, message, hint } = error;
      context.emit({
        type: 'warning',
        code,
        message: `the content of ${out.path} cannot be compared: ${message}`,
        ...(hint === undefined ? {} : { hint }),
      });
    }
  }
}
