import { randomBytes } from 'node:crypto';
import { SluiceError } from '../../errors.js';
import { areaFolder, receiptKey } from '../keys.js';
import { inParallel } from '../parallel.js';
import type { Remote } from '../remote.js';
import { bodyOf, type UnfinishedObject } from '../storage/port.js';
import type { Hold } from './hold.js';
import type { ReceiptHead } from './sweep.js';

/** Objects that were begun, of which nothing came for the grace period, and which were deleted or would be. */
export interface Unfinished {
  readonly objects: readonly UnfinishedObject[];
  /** Why they could not be listed, or not all of them deleted. */
  readonly problem: SluiceError | undefined;
}

const MOST_REQUESTS = 16;

/**
 * Deletes the parts of large objects in the writer's own area that nobody goes on sending; a receipt is written before. Whoever comes back for one after all sends it anew. That this is not allowed is no
 * failure. Throws what else the storage throws.
 */
export async function dropUnfinished(
  { storage, areas: { own } }: Remote,
  hold: Hold,
  head: ReceiptHead,
  { dryRun, signal }: { readonly dryRun: boolean; readonly signal: AbortSignal | undefined },
): Promise<Unfinished> {
  const { deleteParts } = storage;
  const objects: UnfinishedObject[] = [];
  try {
    const found = storage.listUnfinished?.(areaFolder(own), hold.nowMs - head.graceMs, { signal });
    if (found === undefined || deleteParts === undefined) return { objects, problem: undefined };
    const stale: UnfinishedObject[] = [];
    for await (const object of found) stale.push(object);
    if (dryRun || stale.length === 0) return { objects: stale, problem: undefined };
    const rows = stale.map(({ key, bytes, modifiedMs }) => [key, bytes, modifiedMs]);
    const text = `${JSON.stringify({ version: 1, ...head, deleted: [], unfinished: rows })}\n`;
    await storage.put(receiptKey(own, randomBytes(16)), bodyOf(Buffer.from(text)), { signal });
    await inParallel(stale, MOST_REQUESTS, async (object) => {
      if (!hold.mayGoOn()) return;
      await deleteParts.call(storage, object.key, object.id, { signal });
      objects.push(object);
    });
    return { objects, problem: undefined };
  } catch (error) {
    if (!(error instanceof SluiceError) || error.code !== 'ERR_REMOTE_DENIED') throw error;
    return { objects, problem: error };
  }
}
