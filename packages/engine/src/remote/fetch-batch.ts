import type { Ingestor } from '../store/ingest.js';
import type { WriteSession } from '../store/session.js';

/** After this many bytes what has come is published, so that an interrupted fetch keeps it. */
const PUBLISH_BYTES = 128 * 1024 * 1024;

/** An ingestor that is published and replaced when much has come. */
export interface Batch {
  readonly ingestor: () => Ingestor;
  count(bytes: number): void;
  publish(): void;
  /** After a failure: publishes what has come so far, if that is possible. */
  keepWhatCame(): void;
}

/** `packed`: small objects go into packs. */
export function openBatch(session: WriteSession, packed: boolean): Batch {
  let current: Ingestor | undefined;
  let bytes = 0;
  const publish = (): void => {
    if (current === undefined) return;
    const finished = current;
    current = undefined;
    bytes = 0;
    session.publish([finished.finish()]);
  };
  return {
    ingestor: () => {
      current ??= session.ingestor(packed);
      return current;
    },
    count: (more) => {
      bytes += more;
      if (bytes >= PUBLISH_BYTES) publish();
    },
    publish,
    keepWhatCame: () => {
      try {
        publish();
      } catch {
        // The failure that led here is the one to tell; what is not published comes again.
      }
    },
  };
}
