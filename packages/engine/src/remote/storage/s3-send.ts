import type { Readable } from 'node:stream';
import { type Chunks, streamOf } from './s3-chunks.js';
import type { Sending } from './s3-requests.js';

/** What a call of the SDK takes for a body. */
export interface SdkBody {
  readonly Body: Readable | '';
  readonly ContentLength: number;
}

/**
 * Sends bytes with one call of the SDK, signed with their digest. If the server answers before it has read all of them, the connection is closed, for
 * nobody would read the rest.
 */
export async function sendChunks<T>(
  { http, moved, digest }: Sending,
  chunks: Chunks,
  sha256: string,
  call: (body: SdkBody, http: { readonly abortSignal: AbortSignal }) => Promise<T>,
): Promise<T> {
  if (chunks.bytes === 0) return call({ Body: '', ContentLength: 0 }, http);
  const stop = new AbortController();
  const body = streamOf(chunks, moved);
  digest(body, sha256);
  try {
    return await call(
      { Body: body, ContentLength: chunks.bytes },
      { abortSignal: AbortSignal.any([http.abortSignal, stop.signal]) },
    );
  } finally {
    if (!body.readableEnded) stop.abort();
    body.destroy();
  }
}
