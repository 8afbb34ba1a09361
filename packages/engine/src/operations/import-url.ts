import { mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { SluiceError } from '../errors.js';
import type { Digest } from '../model/digest.js';
import { fetchFor } from '../remote/storage/proxy/fetch.js';
import { committedRoot, replaceData } from '../stage/replace-data.js';
import { type Out, type Stage, stageName } from '../stage/stage.js';
import type { BucketSettings } from '../workspace/bucket-settings.js';
import { checkUrl, type Download, download } from '../workspace/download.js';
import { type ImportSource, readImports, writeImports } from '../workspace/imports-file.js';
import { isS3Url, parseObjectUrl } from '../workspace/object-url.js';
import { absolutePath, movesDir } from '../workspace/workspace.js';
import type { OperationContext } from './context.js';
import { downloadObject, type ObjectDownload } from './download-object.js';
import { importTarget } from './import-target.js';
import { checkBucketSettings, openBucket } from './open-bucket.js';
import type { ImportReport } from './reports.js';
import type { Selected } from './select.js';

/** What to import: an `http:` or `https:` address, or `s3://bucket/key`. */
export interface ImportUrlOptions {
  readonly url: string;
  /** How the bucket is spoken to; noted for updates. Credentials come from where every tool for AWS finds them. */
  readonly s3?: BucketSettings;
}

/**
 * Makes the file at a URL the new version of a dataset that is one file, commits it, and notes where it came from in `sluice-imports.json`. Throws `ERR_USAGE` if not exactly one dataset
 * with one out is selected or it is a directory, what {@link download} and {@link downloadObject} throw, and what committing throws; the dataset is then as it was.
 */
export async function importUrl(
  context: OperationContext,
  selected: readonly Selected[],
  { url, s3 }: ImportUrlOptions,
): Promise<ImportReport> {
  const { stage, out } = importTarget(selected);
  if (isS3Url(url)) parseObjectUrl(url);
  else checkUrl(url);
  if (s3 !== undefined && !isS3Url(url)) {
    throw new SluiceError('ERR_USAGE', 'settings of a bucket are given, and the address is none of S3', {
      hint: 'Write the address as s3://bucket/key, or leave the settings out.',
    });
  }
  return receive(context, stage, out, { url, s3: s3 && checkBucketSettings(s3) });
}

/** Asks for newer versions of the selected datasets that came from a URL; only what changed is received. Throws like {@link importUrl}, and `ERR_IMPORTS_INVALID`. */
export async function updateImports(
  context: OperationContext,
  selected: readonly Selected[],
): Promise<readonly ImportReport[]> {
  const reports: ImportReport[] = [];
  for (const { stage, exact } of selected) {
    const sources = readImports(context.workspace.root, stage.projectRoot);
    const found = stage.outs.flatMap((out) => {
      const source = sources.get(out.path);
      return source === undefined ? [] : [{ out, source }];
    });
    if (exact && found.length === 0) {
      throw new SluiceError('ERR_USAGE', `${stageName(stage.id)} was not imported from a URL`, {
        hint: `Import it: sluice import url URL ${stageName(stage.id)}`,
      });
    }
    for (const { out, source } of found) reports.push(await receive(context, stage, out, source));
  }
  return reports;
}

async function receive(
  context: OperationContext,
  stage: Stage,
  out: Out,
  source: Pick<ImportSource, 'url'> & Partial<ImportSource>,
): Promise<ImportReport> {
  const startedMs = performance.now();
  const { workspace } = context;
  const locked = context.readLock(stage.projectRoot).stages.get(stage.id.target)?.outs.get(out.path);
  if (locked?.kind === 'tree') {
    throw new SluiceError('ERR_USAGE', `${out.path} is a directory, and a URL gives one file`, {
      hint: `Declare another dataset for the file; an archive of files comes with: sluice import zip FILE ${stageName(stage.id)}`,
    });
  }
  const report = (digest: Digest, bytes: number, changed: boolean): ImportReport => ({
    ...stage.id,
    path: out.path,
    digest,
    files: 1,
    bytes,
    changed,
    ms: Math.round(performance.now() - startedMs),
  });
  const staging = mkdtempSync(join(movesDir(workspace.root, out.path), 'import-'));
  try {
    const file = join(staging, 'content');
    // Of another version than the one that came from there the server can say nothing.
    const known = locked?.digest === source.digest ? locked : undefined;
    const asked = { url: source.url, to: file };
    const received = await receiveFile(context, source.s3, known === undefined ? asked : { ...asked, known: source });
    if (received.kind === 'unchanged') {
      if (known === undefined) throw new Error('a server cannot know what was not named');
      return report(known.digest, known.bytes, false);
    }
    const { committed } = await replaceData(context, stage, out, async () => {
      renameSync(file, absolutePath(workspace, out.path));
    });
    const root = committedRoot(committed, out);
    const { etag, lastModified, bytes } = received;
    const entry: ImportSource = { url: source.url, s3: source.s3, etag, lastModified, digest: root.digest, bytes };
    // Read again: another import of this project may have written meanwhile.
    const sources = new Map(readImports(workspace.root, stage.projectRoot)).set(out.path, entry);
    writeImports(workspace.root, stage.projectRoot, sources);
    return report(root.digest, bytes, committed.changed);
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

function receiveFile(
  context: OperationContext,
  settings: BucketSettings | undefined,
  asked: ObjectDownload,
): Promise<Download> {
  if (!isS3Url(asked.url)) return download({ ...asked, signal: context.signal, fetch: fetchFor(context.env) });
  const { bucket } = parseObjectUrl(asked.url);
  return downloadObject(context, openBucket(context, bucket, settings ?? {}), asked);
}
