import { join } from 'node:path';
import { SluiceError } from '../errors.js';
import { type Digest, tryParseDigest } from '../model/digest.js';
import { asCount, asObject, asText, expectKeys, type Fail, parseJson, placeOf, printBlock } from '../model/json.js';
import { compareUtf8, joinRelPath, type RelPath, tryParseRelPath } from '../model/path.js';
import { readIfPresent } from '../util/read-if-present.js';
import { writeFileAtomic } from '../util/write-file-atomic.js';
import { BUCKET_KEYS, type BucketSettings, readBucketSettings } from './bucket-settings.js';
import type { Validators } from './download.js';

/** Lies beside a project's lock, in git: where its datasets come from. */
const IMPORTS_FILE = 'sluice-imports.json';

/** Where an out came from, and what the server said of it then. */
export interface ImportSource extends Validators {
  readonly url: string;
  /** How its bucket is spoken to, where it is one of S3. */
  readonly s3?: BucketSettings | undefined;
  readonly digest: Digest;
  readonly bytes: number;
}

/** By path of the out. */
export type ImportSources = ReadonlyMap<RelPath, ImportSource>;

/** Reads where the datasets of a project come from; no file is none. Throws `ERR_IMPORTS_INVALID`. */
export function readImports(root: string, projectRoot: RelPath): ImportSources {
  const path = joinRelPath(projectRoot, IMPORTS_FILE);
  const text = readIfPresent(join(root, path));
  if (text === undefined) return new Map();
  const fail = (place: string, problem: string): never => {
    throw new SluiceError('ERR_IMPORTS_INVALID', `${path}${place === '' ? '' : `: ${place}`} ${problem}`, {
      hint: 'Restore the file from git, or delete it and import again.',
    });
  };
  const file = asObject(parseJson(text, fail), '', fail);
  expectKeys(file, ['version', 'imports'], '', fail);
  if (file.get('version') !== 1) return fail('version', 'is not 1');
  const sources = new Map<RelPath, ImportSource>();
  for (const [name, value] of asObject(file.get('imports'), 'imports', fail)) {
    const place = placeOf('imports', name);
    const out = tryParseRelPath(name) ?? fail(place, 'is no path in the workspace');
    const entry = asObject(value, place, fail);
    expectKeys(entry, ['url', 's3', 'etag', 'lastModified', 'digest', 'bytes'], place, fail);
    const textOf = (key: string): string => asText(entry.get(key), placeOf(place, key), fail);
    const optional = (key: string): string | undefined => (entry.has(key) ? textOf(key) : undefined);
    sources.set(out, {
      url: textOf('url'),
      s3: entry.has('s3') ? settingsOf(entry.get('s3'), placeOf(place, 's3'), fail) : undefined,
      etag: optional('etag'),
      lastModified: optional('lastModified'),
      digest: tryParseDigest(textOf('digest')) ?? fail(placeOf(place, 'digest'), 'is no digest'),
      bytes: asCount(entry.get('bytes'), placeOf(place, 'bytes'), fail),
    });
  }
  return sources;
}

/** Writes where the datasets of a project come from: sorted, a line for each value. */
export function writeImports(root: string, projectRoot: RelPath, sources: ImportSources): void {
  const sorted = [...sources].sort(([a], [b]) => compareUtf8(a, b));
  const blocks = sorted.map(([path, source]) => {
    const { url, s3, etag, lastModified, digest, bytes } = source;
    const values: [string, string | number | BucketSettings | undefined][] = Object.entries({
      url,
      s3: s3 === undefined || Object.keys(s3).length === 0 ? undefined : s3,
      etag,
      lastModified,
      digest,
      bytes,
    });
    const known = values.filter(([, value]) => value !== undefined);
    return [path, known.map(([key, value]) => [key, JSON.stringify(value)] as const)] as const;
  });
  const text = printBlock([
    ['version', '1'],
    ['imports', blocks],
  ]);
  writeFileAtomic(join(root, joinRelPath(projectRoot, IMPORTS_FILE)), `${text}\n`);
}

function settingsOf(value: unknown, place: string, fail: Fail): BucketSettings {
  const entry = asObject(value, place, fail);
  expectKeys(entry, BUCKET_KEYS, place, fail);
  return readBucketSettings(entry, place, fail);
}
