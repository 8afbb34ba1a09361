import { SluiceError } from '../errors.js';
import type { Digest } from '../model/digest.js';
import { type ListedEntry, listRoot } from '../store/list-tree.js';
import { formatCount } from '../text/index.js';
import type { OperationContext } from './context.js';
import { type ByteSpan, readVersionFile } from './read-version-file.js';
import type { Selected } from './select.js';
import { lockedVersions, type Version } from './versions.js';
import { withAllTrees } from './with-trees.js';

/** Which bytes of a file: from `offset`, `length` of them or all that follow; or the last ones. What lies behind the end of the file is left out. */
export type ByteRangeOption = { readonly offset: number; readonly length?: number } | { readonly last: number };

/** What to read: `P:T#path`, or `P:T` for an out that is a file. */
export interface CatOptions {
  readonly select: string;
  /** The version that the lock of this revision names. */
  readonly rev?: string;
  readonly range?: ByteRangeOption;
}

/** One file. Nothing is read before {@link CatReport.chunks} is asked; then its bytes come in order, each checked. */
export interface CatReport {
  readonly project: string;
  readonly target: string;
  /** The out, and the file below it; `''` for an out that is a file. */
  readonly out: string;
  readonly path: string;
  readonly digest: Digest;
  /** Of the whole file. */
  readonly bytes: number;
  /** First byte that comes, and how many do. */
  readonly range: { readonly offset: number; readonly length: number };
  /** Throws `ERR_NOT_LOCAL` if neither store nor remotes have the file, `ERR_OBJECT_DAMAGED` and what remotes throw. */
  readonly chunks: AsyncIterable<Uint8Array>;
}

/**
 * Finds one file and gives its bytes, from the store or else from a remote; they do not go into the store. Throws `ERR_SELECTOR` if the selector names no file or several,
 * `ERR_USAGE` for a range behind the end, and what reading trees throws.
 */
export async function cat(
  context: OperationContext,
  selected: readonly Selected[],
  options: CatOptions,
): Promise<CatReport> {
  const { select, rev } = options;
  const versions = await lockedVersions(context, selected, rev);
  const { reader } = context.workspace.store;
  const files = await withAllTrees(context, versions, () =>
    versions.flatMap((version) =>
      listRoot(reader, version.root, { filter: version.filter })
        .filter(({ kind }) => kind !== 'directory')
        .map((entry) => ({ version, entry })),
    ),
  );
  const { version, entry } = theOne(files, select);
  const range = rangeOf(entry, options.range);
  return {
    ...version.stage.id,
    out: version.out.path,
    path: entry.path,
    digest: entry.digest,
    bytes: entry.bytes,
    range: { offset: range.from, length: range.to - range.from },
    chunks: readVersionFile(context, version, entry, range),
  };
}

type Found = { readonly version: Version; readonly entry: ListedEntry };

function theOne(files: readonly Found[], select: string): Found {
  const hash = select.indexOf('#');
  const exact = files.filter(({ entry }) => hash >= 0 && entry.path === select.slice(hash + 1));
  const [first, second] = exact.length === 1 ? exact : files;
  if (first === undefined) {
    throw new SluiceError('ERR_SELECTOR', `${JSON.stringify(select)} names no file`, {
      hint: '`sluice ls` lists what there is; write project:target#path.',
    });
  }
  if (second === undefined) return first;
  const shown = files
    .slice(0, 3)
    .map(({ entry, version }) => JSON.stringify(entry.path === '' ? version.out.path : entry.path));
  throw new SluiceError(
    'ERR_SELECTOR',
    `${JSON.stringify(select)} names ${formatCount(files.length)} files: ${shown.join(', ')}${files.length > 3 ? ', …' : ''}`,
    { hint: 'Name one: project:target#path.' },
  );
}

/** Throws `ERR_USAGE`. */
function rangeOf({ bytes, path }: ListedEntry, option: ByteRangeOption | undefined): ByteSpan {
  if (option === undefined) return { from: 0, to: bytes };
  if ('last' in option) return { from: Math.max(0, bytes - option.last), to: bytes };
  if (option.offset < bytes)
    return { from: option.offset, to: Math.min(bytes, option.offset + (option.length ?? bytes)) };
  throw new SluiceError(
    'ERR_USAGE',
    `the range begins behind the end of ${JSON.stringify(path)}, which has ${formatCount(bytes)} bytes`,
    {
      hint: 'The first byte has number 0.',
    },
  );
}
