import { RAW_DIGEST_BYTES } from '../model/digest.js';
import type { Receiver } from '../store/receiver.js';
import type { Store } from '../store/store.js';
import { ArrivingFile, type Run } from './arriving-file.js';
import { type Arrival, type BlobSource, WINDOW_BYTES } from './fetch-blobs.js';
import type { WantedRange } from './fetch-ranges.js';
import { damagedAt, missingAt } from './remote-nodes.js';
import type { Storage } from './storage/port.js';

/** The ranges of a blob that has a key of its own, as far as nobody has left them in the store. `open`: where its file is noted until it is finished. */
export async function* largeRanges(
  store: Store,
  receiver: Receiver,
  storage: Storage,
  source: BlobSource,
  arrival: Arrival,
  open: Set<ArrivingFile>,
  signal: AbortSignal | undefined,
): AsyncGenerator<WantedRange> {
  const raw = source.digests[0] ?? Buffer.alloc(RAW_DIGEST_BYTES);
  const size = source.sizes[0] ?? 0;
  if (arrival.ingestor().has('blob', raw)) return arrival.came(raw, size);
  const file = new ArrivingFile(store, receiver, raw, size);
  open.add(file);
  const runs = file.isLeft ? await file.missing(await source.slices(), signal) : [{ offset: 0, length: size }];
  const lacking = runs.reduce((sum, { length }) => sum + length, 0);
  arrival.advance(0, size - lacking);
  let failed = false;
  let taken = 0;
  const finish = async (): Promise<void> => {
    open.delete(file);
    if (await file.finish(arrival.ingestor)) {
      arrival.came(raw, size);
      arrival.advance(1, 0);
    } else arrival.failed(damagedAt(storage, source.key, 'blob', raw, 0));
  };
  const windows = runs.flatMap(windowsOf);
  if (windows.length === 0) return await finish();
  for (const { offset, length } of windows) {
    yield {
      ...{ key: source.key, offset, length },
      arrived: (bytes) => file.write(bytes, offset),
      take: async (bytes) => {
        if (failed) return;
        if (bytes === undefined || bytes.length < length) {
          failed = true;
          const lost = bytes === undefined ? missingAt : damagedAt;
          return arrival.failed(lost(storage, source.key, 'blob', raw, 0));
        }
        arrival.advance(0, length);
        // Those before may have failed to come.
        if (++taken === windows.length) await finish();
      },
    };
  }
}

function windowsOf({ offset, length }: Run): Run[] {
  return Array.from({ length: Math.ceil(length / WINDOW_BYTES) }, (_, i) => ({
    offset: offset + i * WINDOW_BYTES,
    length: Math.min(WINDOW_BYTES, length - i * WINDOW_BYTES),
  }));
}
