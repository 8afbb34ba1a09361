// @ts-check
/*
 * A cache service as GitHub Actions has it, strict where the real one is, and bad on demand. What is known of the real one:
 *
 * Version 2. `POST {origin of ACTIONS_RESULTS_URL}/twirp/github.actions.results.api.v1.CacheService/{method}`, `Authorization: Bearer` and the runtime token, JSON with the
 * names of the proto file; what has its default value may be left out. Errors are `{"code", "msg"}`.
 *
 *     CreateCacheEntry           {key, version}                 {ok, signed_upload_url, message}     409 if somebody has the key or has reserved it
 *     FinalizeCacheEntryUpload   {key, version, size_bytes}     {ok, entry_id, message}              `size_bytes` and `entry_id` are strings
 *     GetCacheEntryDownloadURL   {key, restore_keys, version}   {ok, signed_download_url, matched_key}   a miss is 200 and `ok: false`
 *
 * The URLs are signed, live for minutes, and take no token. Up: one PUT with `x-ms-blob-type: BlockBlob`, or PUTs with `comp=block&blockid=` (base64, all ids of one length) in
 * any order and then `comp=blocklist`, which lists the ids. Down: GET with `Range` or `x-ms-range`, HEAD.
 *
 * A token is a JWT whose claim `ac` is JSON in a string: `[{"Scope": "refs/heads/main", "Permission": 3}]`, 1 to read, 2 to write, 3 both. Writers write in the first scope that they may
 * write in. Look-ups go through the scopes in their order, in each through the key and the restore keys in theirs, each exact before as a prefix, newest first. So the key itself matches as a
 * prefix too. Keys have at most 512 characters and no comma, at most 10 in a look-up, and do not differ by case. Entries are immutable and of one version. A repository may reserve 200 in a
 * minute; then 429 and `Retry-After`. Refusals say `cache write denied:` or `cache read denied:`.
 *
 * Version 1 (GitHub Enterprise Server, `act`). Below `{ACTIONS_CACHE_URL}_apis/artifactcache/`, the same token:
 *
 *     GET   cache?keys=a,b&version=v     200 {cacheKey, archiveLocation}, or 204
 *     POST  caches                       {key, version, cacheSize?} -> 201 {cacheId}, or 409
 *     PATCH caches/{id}                  a piece, `Content-Range: bytes 0-9/*`
 *     POST  caches/{id}                  {size} -> 204
 *     GET   the archive location, without a token
 *
 * With the dialect `act` a second writer of a key is let in, all scopes are one, and entries of one second look equally new.
 *
 *     node scripts/actions-cache/server.mjs [--v1] [--act]     prints its environment as one line of JSON, and ends with its input
 */
import { createHmac, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { answerBlob, answerCall, answerRest } from './answers.mjs';
import { createEntries, Refusal } from './entries.mjs';

/**
 * @typedef {import('./entries.mjs').Right} Right
 * @typedef {import('./entries.mjs').Entry} Entry
 *
 * What happens to one request: it gets an answer of this status; no answer; a broken connection before or (`after`) when it has had its effect, or half an answer; or something happens
 * elsewhere first.
 * @typedef {{ kind: 'status', status: number, body?: object, headers?: Record<string, string> }
 *   | { kind: 'stall' }
 *   | { kind: 'reset', when: 'before' | 'after' }
 *   | { kind: 'half' }
 *   | { kind: 'run', run: () => void | Promise<void> }} Fault
 *
 * @typedef {object} CacheServer
 * @property {string} url
 * @property {(rights?: Right[]) => string} token
 * @property {(rights?: Right[]) => Record<string, string>} env what a job sees of it
 * @property {(match: RegExp, fault: Fault, times?: number) => void} inject a fault for the next requests whose `METHOD /path body` matches; faults are used in their order
 * @property {() => void} assertAllHit throws if a fault was never used: then the test did not test what it says
 * @property {string[]} seen `METHOD /path` of each request, without what is signed
 * @property {number} connections how many were opened to it
 * @property {() => Entry[]} entries what is finished, oldest first
 * @property {(match: RegExp) => number} evict takes entries away, as the service does when it needs space; says how many
 * @property {() => void} expire makes all signed URLs too old
 * @property {(key: string, bytes: Buffer, scope: string, version: string) => void} plant an entry that somebody else wrote
 * @property {() => Promise<void>} stop
 */

const SERVICE = '/twirp/github.actions.results.api.v1.CacheService/';
const REST = '/_apis/artifactcache/';
const BLOBS = '/blobs/';
const URL_LIVES_MS = 10 * 60_000;

/**
 * Starts a service with nothing in it on a free port.
 * @param {{ protocol?: 'v1' | 'v2', dialect?: 'github' | 'act', ranges?: boolean, uploadsPerMinute?: number, latencyMs?: number }} [options]
 * @returns {Promise<CacheServer>}
 */
export async function startCacheServer(options = {}) {
  const { protocol = 'v2', dialect = 'github', ranges = true, uploadsPerMinute = 200, latencyMs = 0 } = options;
  const entries = createEntries(dialect, uploadsPerMinute);
  const secret = randomBytes(32);
  /** @type {{ match: RegExp, fault: Fault }[]} */
  const queue = [];
  let epoch = 0;

  /** @param {string} text */
  const sign = (text) => createHmac('sha256', secret).update(text).digest('hex');

  /** @param {Entry} entry @param {'r' | 'w'} right */
  const signed = (entry, right) => {
    const path = `${BLOBS}${entry.id}`;
    const query = `se=${Date.now() + URL_LIVES_MS}&ep=${epoch}&sp=${right}`;
    return `${server.url}${path}?${query}&sig=${sign(`${path}?${query}`)}`;
  };

  /** @param {import('./answers.mjs').Asked} asked */
  const checkSigned = ({ method, url }) => {
    const [, query = '', signature] = /^\?(se=\d+&ep=\d+&sp=[rw])&sig=([0-9a-f]+)/.exec(url.search) ?? [];
    const isOurs = signature === sign(`${url.pathname}?${query}`) && query.endsWith(method === 'PUT' ? 'w' : 'r');
    const isFresh = Number(url.searchParams.get('se')) > Date.now() && Number(url.searchParams.get('ep')) === epoch;
    if (!isOurs || !isFresh)
      throw new Refusal(403, 'AuthenticationFailed', 'Signature not valid in the specified time frame');
  };

  /** @param {import('./answers.mjs').Asked} asked @returns {Right[]} */
  const rightsOf = ({ headers }) => {
    const [, head, claims, signature] = /^Bearer ([\w-]+)\.([\w-]+)\.([\w-]+)$/.exec(headers.authorization ?? '') ?? [];
    if (
      claims === undefined ||
      sign(`${head}.${claims}`) !== Buffer.from(signature ?? '', 'base64url').toString('hex')
    ) {
      throw new Refusal(401, 'unauthenticated', 'the token is not valid');
    }
    /** @type {{ Scope: string, Permission: 1 | 2 | 3 }[]} */
    const list = JSON.parse(JSON.parse(Buffer.from(claims, 'base64url').toString()).ac);
    return list.map(({ Scope, Permission }) => ({ scope: dialect === 'act' ? '' : Scope, permission: Permission }));
  };

  /** @param {import('./answers.mjs').Asked} asked @returns {import('./answers.mjs').Answer} */
  const answer = (asked) => {
    const { pathname } = asked.url;
    if (pathname.startsWith(BLOBS)) {
      checkSigned(asked);
      return answerBlob(entries.byId(pathname.slice(BLOBS.length)), asked, ranges);
    }
    if (protocol === 'v2' && asked.method === 'POST' && pathname.startsWith(SERVICE)) {
      const body = answerCall(pathname.slice(SERVICE.length), asked, { entries, rights: rightsOf(asked), signed });
      return { status: 200, body };
    }
    if (protocol === 'v1' && pathname.startsWith(REST)) {
      return answerRest(pathname.slice(REST.length), asked, { entries, rights: rightsOf(asked), signed });
    }
    throw new Refusal(404, 'bad_route', `nothing here for a client of version ${protocol === 'v1' ? 2 : 1}`);
  };

  /** @param {import('./answers.mjs').Asked} asked @returns {import('./answers.mjs').Answer} */
  const answerOrRefusal = (asked) => {
    try {
      return answer(asked);
    } catch (error) {
      const { status, code, message, headers } =
        error instanceof Refusal ? error : new Refusal(400, 'malformed', String(error));
      const xml = `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`;
      const isBlob = asked.url.pathname.startsWith(BLOBS);
      return {
        status,
        headers,
        body: isBlob ? Buffer.from(xml) : protocol === 'v2' ? { code, msg: message } : { message },
      };
    }
  };

  const http = createServer(async (request, response) => {
    const body = await bodyOf(request);
    if (body === undefined) return;
    const url = new URL(request.url ?? '/', server.url);
    const asked = { method: request.method ?? '', url, headers: request.headers, body };
    const comp = url.searchParams.get('comp');
    const line = `${asked.method} ${url.pathname.replace(SERVICE, '/').replace(REST, '/')}${comp === null ? '' : `?comp=${comp}`}`;
    server.seen.push(line);
    if (latencyMs > 0) await sleep(latencyMs);
    const said = `${line} ${url.searchParams.get('keys') ?? ''}${body.length < 4096 ? body.toString('latin1') : ''}`;
    const at = queue.findIndex(({ match }) => match.test(said));
    const fault = at < 0 ? undefined : queue.splice(at, 1)[0]?.fault;
    if (fault?.kind === 'stall') return;
    if (fault?.kind === 'reset' && fault.when === 'before') return void request.socket.resetAndDestroy();
    if (fault?.kind === 'run') await fault.run();
    const given = fault?.kind === 'status' ? fault : answerOrRefusal(asked);
    if (fault?.kind === 'reset') return void request.socket.resetAndDestroy();
    send(asked, response, given, fault?.kind === 'half');
  });
  http.keepAliveTimeout = 60_000;
  http.on('connection', () => {
    server.connections++;
  });

  /** @type {CacheServer} */
  const server = {
    url: '',
    seen: [],
    connections: 0,
    token: (rights = [{ scope: 'refs/heads/main', permission: 3 }]) => {
      const ac = JSON.stringify(rights.map(({ scope, permission }) => ({ Scope: scope, Permission: permission })));
      const part = (/** @type {object} */ value) => Buffer.from(JSON.stringify(value)).toString('base64url');
      const text = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ ac, orch_id: 'job' })}`;
      return `${text}.${Buffer.from(sign(text), 'hex').toString('base64url')}`;
    },
    env: (rights) => ({
      GITHUB_ACTIONS: 'true',
      GITHUB_SERVER_URL: 'https://github.com',
      ACTIONS_RUNTIME_TOKEN: server.token(rights),
      ...(protocol === 'v2'
        ? { ACTIONS_CACHE_SERVICE_V2: 'True', ACTIONS_RESULTS_URL: `${server.url}/` }
        : { ACTIONS_CACHE_URL: `${server.url}/` }),
    }),
    inject: (match, fault, times = 1) => {
      for (let i = 0; i < times; i++) queue.push({ match, fault });
    },
    assertAllHit: () => {
      const left = queue.map(({ match, fault }) => `${fault.kind} at ${match}`);
      if (left.length > 0) throw new Error(`faults that were never hit: ${left.join(', ')}`);
    },
    entries: entries.finished,
    evict: entries.evict,
    expire: () => {
      epoch++;
    },
    plant: entries.plant,
    stop: async () => {
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
  await new Promise((resolve) => http.listen(0, '127.0.0.1', () => resolve(undefined)));
  const address = http.address();
  server.url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  return server;
}

/** `undefined` if the client went away. @param {import('node:http').IncomingMessage} request */
async function bodyOf(request) {
  request.on('error', () => {});
  const chunks = [];
  try {
    for await (const chunk of request) chunks.push(chunk);
  } catch {
    return undefined;
  }
  return Buffer.concat(chunks);
}

/**
 * `half`: the connection breaks in the middle of the body.
 * @param {import('./answers.mjs').Asked} asked @param {import('node:http').ServerResponse} response @param {import('./answers.mjs').Answer} answer @param {boolean} half
 */
function send({ method }, response, { status, body = Buffer.alloc(0), headers = {} }, half) {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
  response.writeHead(status, {
    ...(Buffer.isBuffer(body) ? {} : { 'content-type': 'application/json' }),
    ...(status === 204 ? {} : { 'content-length': String(bytes.length) }),
    ...headers,
  });
  if (half) response.write(bytes.subarray(0, bytes.length >> 1), () => response.socket?.resetAndDestroy());
  else response.end(method === 'HEAD' ? undefined : bytes);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const flags = new Set(process.argv.slice(2));
  const server = await startCacheServer({
    protocol: flags.has('--v1') || flags.has('--act') ? 'v1' : 'v2',
    dialect: flags.has('--act') ? 'act' : 'github',
  });
  process.stdout.write(`${JSON.stringify(server.env())}\n`);
  process.stdin.resume().once('end', () => void server.stop());
}
