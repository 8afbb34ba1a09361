import { SluiceError } from '../errors.js';
import { RAW_DIGEST_BYTES } from '../model/digest.js';
import { LINK } from '../model/tree.js';
import { inParallel } from '../remote/parallel.js';
import type { PlainBucket } from '../remote/storage/s3-plain.js';
import { progress } from '../stage/progress.js';
import { plural } from '../text/index.js';
import type { BucketSettings } from '../workspace/bucket-settings.js';
import type { ExportCount } from '../workspace/export-files.js';
import { LONGEST_KEY_BYTES } from '../workspace/object-url.js';
import { snapshotPath } from '../workspace/place.js';
import { allFiles } from '../workspace/plan-placement.js';
import { parseRemoteUrl } from '../workspace/remote-url.js';
import type { Snapshot } from '../workspace/snapshot.js';
import type { OperationContext } from './context.js';
import { isThere, sendObject, type WantedObject } from './export-object.js';
import { BUCKET_CALLS, openBucket } from './open-bucket.js';
import { accessOf } from './s3-remote.js';

/** Where plain objects are written. */
export interface ExportBucket {
  readonly plain: PlainBucket;
  readonly url: string;
  /** Empty, or with a slash at its end. */
  readonly base: string;
}

/** Opens the bucket of `s3://bucket/prefix`. Throws `ERR_USAGE` for another address, for settings that cannot be, and for a place where a remote of the workspace keeps its objects. */
export function exportBucket(context: OperationContext, url: string, settings: BucketSettings): ExportBucket {
  const parsed = parseRemoteUrl(context.workspace.root, url);
  if (!parsed.ok || parsed.location.kind !== 's3') {
    throw usage(
      `the address to export to ${parsed.ok ? 'is not one of S3' : parsed.problem}`,
      'Write s3://bucket/prefix.',
    );
  }
  const { bucket, prefix } = parsed.location;
  const base = prefix === '' ? '' : `${prefix}/`;
  const endpointOf = (of: BucketSettings): string | undefined => accessOf(of, context.env).endpoint;
  for (const { name, location, ...remote } of context.config.remotes.values()) {
    if (location.kind !== 's3' || location.bucket !== bucket || endpointOf(remote) !== endpointOf(settings)) continue;
    const taken = location.prefix === '' ? '' : `${location.prefix}/`;
    if (!base.startsWith(taken) && !taken.startsWith(base)) continue;
    throw usage(`remote ${name} keeps its objects there`, 'Choose a prefix beside it, or another bucket.');
  }
  return { plain: openBucket(context, bucket, settings), url, base };
}

/**
 * Writes the files of snapshots, each below a name, as plain objects. What is there with the right bytes is not sent again: its tag is their MD5, or the note that an export
 * leaves on it is their digest. Links and empty directories have no place in a bucket and are told of. Without `force` nothing that is there is replaced: throws `ERR_EXPORT_EXISTS`,
 * before anything is sent. Throws `ERR_USAGE` for keys that are too long, `ERR_OBJECT_MISSING` and `ERR_OBJECT_DAMAGED`, and what storages throw.
 */
export async function exportToBucket(
  context: OperationContext,
  bucket: ExportBucket,
  snapshots: readonly (readonly [below: string, Snapshot])[],
  force: boolean,
): Promise<ExportCount> {
  const { emit, signal } = context;
  const wanted = snapshots.flatMap(([below, snapshot]) => wantedOf(bucket, below, snapshot));
  tellLeftOut(context, bucket, snapshots);
  const there = await listThere(bucket, wanted, signal);
  const same = new Set<WantedObject>();
  const present = wanted.filter(({ key }) => there.has(key));
  await inParallel(present, BUCKET_CALLS, async (object) => {
    const { bytes, etag } = there.get(object.key) ?? {};
    if (bytes === object.bytes && (await isThere(context, bucket.plain, object, etag))) same.add(object);
  });
  const taken = present.find((object) => !same.has(object));
  if (taken !== undefined && !force) {
    throw new SluiceError(
      'ERR_EXPORT_EXISTS',
      `${bucket.url}: ${JSON.stringify(taken.key)} is there already, with other bytes`,
      {
        hint: 'Choose another prefix, or replace what is there with --force.',
      },
    );
  }
  const put = wanted.filter((object) => !same.has(object));
  const bytes = put.reduce((sum, object) => sum + object.bytes, 0);
  const advance = put.length === 0 ? undefined : progress(emit, 'sending', bucket.url)(put.length, bytes);
  await inParallel(put, BUCKET_CALLS, async (object) => {
    await sendObject(context, bucket.plain, object);
    advance?.(1, object.bytes);
  });
  return { written: put.length, unchanged: same.size, bytes };
}

function wantedOf({ base }: ExportBucket, below: string, snapshot: Snapshot): WantedObject[] {
  return allFiles(snapshot).flatMap((file) => {
    const { directory, entry } = file;
    if (directory.kinds[entry] === LINK) return [];
    const path = snapshotPath(file);
    const key = `${base}${below === '' ? path : `${below}/${path}`}`;
    if (Buffer.byteLength(key) > LONGEST_KEY_BYTES) {
      throw usage(`${JSON.stringify(key)} is longer than a key can be`, 'Export it to a shorter prefix.');
    }
    const at = entry * RAW_DIGEST_BYTES;
    const raw = directory.digests.subarray(at, at + RAW_DIGEST_BYTES);
    return [{ key, raw, bytes: directory.sizes[entry] ?? 0 }];
  });
}

function tellLeftOut(
  { emit }: OperationContext,
  { url }: ExportBucket,
  snapshots: readonly (readonly [string, Snapshot])[],
): void {
  let links = 0;
  let empty = 0;
  for (const { names, kinds } of snapshots.flatMap(([, { directories }]) => directories)) {
    if (names.length === 0) empty++;
    for (const kind of kinds) if (kind === LINK) links++;
  }
  if (links + empty === 0) return;
  const counts = [plural(links, 'link'), `${empty} empty director${empty === 1 ? 'y' : 'ies'}`];
  const named = counts.filter((_, i) => (i === 0 ? links : empty) > 0).join(' and ');
  emit({
    type: 'warning',
    message: `${url}: ${named} ${links + empty === 1 ? 'is' : 'are'} left out: a bucket has only files`,
  });
}

/** Of the objects that are to be written, those that are there. */
async function listThere(
  { plain, base }: ExportBucket,
  wanted: readonly WantedObject[],
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, { readonly bytes: number; readonly etag: string | undefined }>> {
  const keys = new Set(wanted.map(({ key }) => key));
  const there = new Map<string, { readonly bytes: number; readonly etag: string | undefined }>();
  for await (const { Key: key = '', Size: bytes = 0, ETag: etag } of plain.list(base, { signal })) {
    if (keys.has(key)) there.set(key, { bytes, etag });
  }
  return there;
}

function usage(problem: string, hint: string): SluiceError {
  return new SluiceError('ERR_USAGE', problem, { hint });
}
