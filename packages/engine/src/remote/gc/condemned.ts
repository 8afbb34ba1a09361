import { SluiceError } from '../../errors.js';
import type { Area } from '../areas.js';
import { condemnedKey, placeOf } from '../keys.js';
import { bodyOf, type ListedObject, type Storage, type StorageKey, tryParseStorageKey } from '../storage/port.js';

/** What a collection deletes when the list is old enough, as it was when it was listed. Format: `docs/format.md`, "Collection". */
export type Condemned = ReadonlyMap<StorageKey, ListedObject>;

/** A list has at most so many names; what is left comes on the next one. */
const MOST_CONDEMNED = 100_000;

const VERSION = 1;
const LARGEST_BYTES = 64 * 1024 * 1024;

/**
 * The list of an area; `undefined` if there is none. Throws `ERR_FORMAT_VERSION` for one that cannot be read: who cannot read it does not know what to rely on.
 */
export async function readCondemned(
  storage: Storage,
  area: Area,
  signal: AbortSignal | undefined,
): Promise<Condemned | undefined> {
  const key = condemnedKey(area);
  const bytes = await storage.get(key, { offset: 0, length: LARGEST_BYTES }, { signal });
  if (bytes === undefined) return undefined;
  const condemned = parse(bytes, area);
  if (condemned !== undefined) return condemned;
  throw new SluiceError('ERR_FORMAT_VERSION', `${placeOf(key, storage.description)} cannot be read`, {
    hint: 'It says what a collection deletes. Update Sluice; if the file is damaged, delete it, and the next collection begins anew.',
  });
}

/** Replaces the list of the writer's own area, whose age begins with this. */
export async function writeCondemned(
  storage: Storage,
  own: Area,
  objects: readonly ListedObject[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const rows = objects.slice(0, MOST_CONDEMNED).map(({ key, bytes, modifiedMs }) => [key, bytes, modifiedMs]);
  const text = `${JSON.stringify({ version: VERSION, condemned: rows })}\n`;
  await storage.put(condemnedKey(own), bodyOf(Buffer.from(text)), { signal });
}

/** Names of another area are lies: only the area itself is collected by its list. */
function parse(bytes: Buffer, area: Area): Condemned | undefined {
  const value = parseJson(bytes);
  if (typeof value !== 'object' || value === null) return undefined;
  if (!('version' in value) || value.version !== VERSION) return undefined;
  if (!('condemned' in value) || !Array.isArray(value.condemned)) return undefined;
  const condemned = new Map<StorageKey, ListedObject>();
  for (const row of value.condemned as readonly unknown[]) {
    if (!Array.isArray(row)) return undefined;
    const [text, size, modifiedMs] = row as readonly unknown[];
    const key = typeof text === 'string' ? tryParseStorageKey(text) : undefined;
    if (key === undefined || typeof size !== 'number' || typeof modifiedMs !== 'number') return undefined;
    if (key.startsWith(`${area}/`)) condemned.set(key, { key, bytes: size, modifiedMs });
  }
  return condemned;
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}
