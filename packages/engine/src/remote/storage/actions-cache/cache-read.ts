import type { ByteRange } from '../port.js';
import { down, explainAnswer } from './cache-errors.js';
import type { CacheHttp } from './cache-http.js';

/**
 * A part of what lies at a signed URL. A server that knows no ranges sends all of it, of which the beginning is thrown away. Throws `ERR_REMOTE_DOWN` for an answer that
 * is cut off.
 */
export function readSigned(
  http: CacheHttp,
  url: string,
  { offset, length }: ByteRange,
  signal: AbortSignal | undefined,
): Promise<Buffer | 'gone' | 'expired'> {
  return http.call(signal, async () => {
    const answer = await http.send(
      {
        method: 'GET',
        url,
        headers: { range: `bytes=${offset}-${offset + length - 1}` },
        mostBytes: offset + length,
        counts: 'get',
      },
      signal,
    );
    const { status, headers, body } = answer;
    if (status === 200) return expectAll(http, headers, offset + length, body).subarray(offset);
    if (status === 206) {
      if (!startsAt(headers, offset)) throw down(http.place, 'sent another part than was asked for');
      return expectAll(http, headers, length, body.subarray(0, length));
    }
    if (status === 416) return Buffer.alloc(0);
    if (status === 404 || status === 410) return 'gone';
    if (status === 401 || status === 403) return 'expired';
    throw explainAnswer(answer, 'read an entry', http.place);
  });
}

function startsAt(headers: Headers, offset: number): boolean {
  const range = headers.get('content-range');
  return range === null || range.startsWith(`bytes ${offset}-`);
}

/** A connection that breaks in the middle is an error of its own; a server that says less than it sends is not. */
function expectAll(http: CacheHttp, headers: Headers, most: number, body: Buffer): Buffer {
  const said = Number(headers.get('content-length') ?? body.length);
  if (body.length < Math.min(said, most)) throw down(http.place, 'sent fewer bytes than it said');
  return body;
}
