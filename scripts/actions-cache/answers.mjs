// @ts-check
// What a cache service answers to each request of its protocols. The header of server.mjs describes them.
import { Refusal } from './entries.mjs';

/**
 * @typedef {{ status: number, body?: Buffer | object, headers?: Record<string, string> }} Answer
 *
 * A request that has arrived.
 * @typedef {object} Asked
 * @property {string} method
 * @property {URL} url
 * @property {import('node:http').IncomingHttpHeaders} headers
 * @property {Buffer} body
 */

const FIELDS = {
  CreateCacheEntry: ['metadata', 'key', 'version'],
  FinalizeCacheEntryUpload: ['metadata', 'key', 'size_bytes', 'version'],
  GetCacheEntryDownloadURL: ['metadata', 'key', 'restore_keys', 'version'],
};

/**
 * A call of version 2.
 * @param {string} method @param {Asked} asked
 * @param {{ entries: import('./entries.mjs').Entries, rights: import('./entries.mjs').Right[], signed: (entry: import('./entries.mjs').Entry, right: 'r' | 'w') => string }} with_
 * @returns {object}
 */
export function answerCall(method, { headers, body }, { entries, rights, signed }) {
  if (headers['content-type'] !== 'application/json') throw new Refusal(415, 'malformed', 'not JSON');
  const known = FIELDS[/** @type {keyof typeof FIELDS} */ (method)];
  if (known === undefined) throw new Refusal(404, 'bad_route', `no method ${method}`);
  /** @type {Record<string, unknown>} */
  const message = JSON.parse(body.toString());
  const unknown = Object.keys(message).find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Refusal(400, 'malformed', `no field ${unknown}`);
  const { key, version, restore_keys: others = [], size_bytes: size } = message;
  if (method === 'GetCacheEntryDownloadURL') {
    if (!Array.isArray(others)) throw new Refusal(400, 'malformed', 'restore_keys is no list');
    const found = entries.lookUp([key, ...others], version, rights);
    if (found === undefined) return { ok: false };
    return { ok: true, signed_download_url: signed(found, 'r'), matched_key: found.key };
  }
  if (method === 'CreateCacheEntry') {
    return { ok: true, signed_upload_url: signed(entries.reserve(key, version, rights), 'w'), message: '' };
  }
  const entry = entries.unfinished(key, version, rights);
  if (entry === undefined) throw new Refusal(404, 'not_found', 'no such upload');
  if (typeof size !== 'string' || !/^\d+$/.test(size))
    throw new Refusal(400, 'malformed', 'size_bytes is no string of digits');
  if (entry.bytes?.length !== Number(size)) return { ok: false, message: 'the size is another one' };
  entry.finished = true;
  return { ok: true, entry_id: String(entry.id), message: '' };
}

/**
 * A request of version 1.
 * @param {string} resource below the base @param {Asked} asked
 * @param {{ entries: import('./entries.mjs').Entries, rights: import('./entries.mjs').Right[], signed: (entry: import('./entries.mjs').Entry, right: 'r' | 'w') => string }} with_
 * @returns {Answer}
 */
export function answerRest(resource, { method, url, headers, body }, { entries, rights, signed }) {
  if (!/application\/json;api-version=6\.0-preview\.1/.test(headers.accept ?? '')) {
    throw new Refusal(400, 'VssVersionNotSpecified', 'no api version');
  }
  if (method === 'GET' && resource === 'cache') {
    const keys = (url.searchParams.get('keys') ?? '').split(',');
    const found = entries.lookUp(keys, url.searchParams.get('version'), rights);
    if (found === undefined) return { status: 204 };
    return { status: 200, body: { result: 'hit', archiveLocation: signed(found, 'r'), cacheKey: found.key } };
  }
  if (method === 'POST' && resource === 'caches') {
    const { key, version } = JSON.parse(body.toString());
    return { status: 201, body: { cacheId: entries.reserve(key, version, rights).id } };
  }
  const entry = entries.byId(/^caches\/(\d+)$/.exec(resource)?.[1] ?? '');
  if (entry === undefined || entry.finished) throw new Refusal(400, 'BadRequest', 'not reserved, or complete');
  if (method === 'PATCH') {
    const [, from, to] = /^bytes (\d+)-(\d+)\/\*$/.exec(headers['content-range'] ?? '') ?? [];
    const fits = from !== undefined && Number(to) - Number(from) + 1 === body.length;
    if (!fits) throw new Refusal(400, 'BadRequest', 'the range does not fit');
    entry.blocks.set(from, body);
    return { status: 204 };
  }
  const pieces = [...entry.blocks].sort(([a], [b]) => Number(a) - Number(b));
  let at = 0;
  for (const [from, piece] of pieces) {
    if (Number(from) !== at) throw new Refusal(400, 'BadRequest', 'a piece is missing');
    at += piece.length;
  }
  if (at !== JSON.parse(body.toString()).size) throw new Refusal(400, 'BadRequest', 'the size is another one');
  entry.bytes = Buffer.concat(pieces.map(([, piece]) => piece));
  entry.finished = true;
  return { status: 204 };
}

/**
 * A request for the bytes of an entry, whose URL is valid.
 * @param {import('./entries.mjs').Entry | undefined} entry @param {Asked} asked @param {boolean} knowsRanges
 * @returns {Answer}
 */
export function answerBlob(entry, { method, url, headers, body }, knowsRanges) {
  // A second kind of credentials makes the real one refuse.
  if (headers.authorization !== undefined)
    throw new Refusal(400, 'InvalidAuthenticationInfo', 'two kinds of credentials');
  if (entry === undefined) throw new Refusal(404, 'BlobNotFound', 'The specified blob does not exist.');
  if (method === 'PUT') {
    if (entry.finished) throw new Refusal(409, 'BlobImmutableDueToPolicy', 'the entry is finished');
    if (headers['content-length'] === undefined) throw new Refusal(411, 'MissingContentLengthHeader', 'no length');
    putBlob(url.searchParams, entry, headers, body);
    return { status: 201 };
  }
  const bytes = entry.bytes ?? Buffer.alloc(0);
  const range = headers['x-ms-range'] ?? headers.range;
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(knowsRanges && typeof range === 'string' ? range : '') ?? [];
  if (from === undefined) return { status: 200, body: bytes };
  if (Number(from) >= bytes.length) throw new Refusal(416, 'InvalidRange', 'The range specified is invalid');
  const end = Math.min(to === '' ? bytes.length : Number(to) + 1, bytes.length);
  const part = bytes.subarray(Number(from), end);
  return { status: 206, body: part, headers: { 'content-range': `bytes ${from}-${end - 1}/${bytes.length}` } };
}

/**
 * @param {URLSearchParams} query @param {import('./entries.mjs').Entry} entry
 * @param {import('node:http').IncomingHttpHeaders} headers @param {Buffer} body
 */
function putBlob(query, entry, headers, body) {
  const comp = query.get('comp');
  if (comp === null) {
    if (headers['x-ms-blob-type'] !== 'BlockBlob') throw new Refusal(400, 'MissingRequiredHeader', 'x-ms-blob-type');
    entry.bytes = body;
  } else if (comp === 'block') {
    const id = query.get('blockid') ?? '';
    const [other = id] = entry.blocks.keys();
    const isId = /^[A-Za-z0-9+/]+={0,2}$/.test(id) && id.length === other.length;
    if (!isId) throw new Refusal(400, 'InvalidBlobOrBlock', 'the id of a block');
    entry.blocks.set(id, body);
  } else if (comp === 'blocklist') {
    const ids = [...body.toString().matchAll(/<(?:Latest|Uncommitted)>([^<]*)</g)].map(([, id = '']) => id);
    entry.bytes = Buffer.concat(
      ids.map((id) => {
        const block = entry.blocks.get(id);
        if (block === undefined) throw new Refusal(400, 'InvalidBlockList', 'The specified block list is invalid.');
        return block;
      }),
    );
  } else throw new Refusal(400, 'InvalidQueryParameterValue', 'comp');
}
