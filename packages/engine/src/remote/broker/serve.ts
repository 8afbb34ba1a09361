import { randomBytes, timingSafeEqual } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { asSluiceError, SluiceError } from '../../errors.js';
import type { Area } from '../areas.js';
import { type BrokerAccess, brokerVariables } from '../storage/broker/access.js';
import { ERROR, LENGTH, LONGEST_RANGE, OFFSET, parsePath, printError, SIZE } from '../storage/broker/protocol.js';
import { type Storage, type StorageKey, tryParseStorageKey } from '../storage/port.js';
import type { Guard } from './allow.js';
import { spool } from './spool.js';

/** What a broker serves, and to whom. */
export interface BrokerOptions {
  /** A remote by its name; `undefined` for one that is not served. */
  readonly open: (remote: string) => Served | undefined;
  /** The area that clients take for their own. */
  readonly area: Area;
  /** Whether clients may take no map for a proof: some have to be signed, and they have no key. */
  readonly isStrict: boolean;
  /** An existing directory for the socket and for what is on its way; a short path, since that of a socket has about 100 bytes. */
  readonly dir: string;
}

/** A remote that is served, and what is let through. */
export interface Served {
  readonly storage: Storage;
  readonly guard: Guard;
}

/** A broker that runs. */
export interface Broker {
  /** Variables for processes that may use it. */
  readonly env: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

/**
 * Serves remotes to processes of this machine that know the token, over a socket that only this user can reach. What is there is never replaced. Nothing but
 * {@link brokerStorage} speaks to it.
 */
export async function startBroker(options: BrokerOptions): Promise<Broker> {
  // Only its owner can enter what `mkdtemp` makes.
  const dir = await mkdtemp(join(options.dir, 'sluice-'));
  const access: BrokerAccess = {
    socket: join(dir, 's'),
    token: randomBytes(32).toString('hex'),
    area: options.area,
    isStrict: options.isStrict,
  };
  const server = createServer((request, response) => {
    // Who hangs up gets no answer.
    response.on('error', () => undefined);
    request.on('error', () => undefined);
    void answer(request, response, options, access.token, dir).catch((error: unknown) => refuse(response, error));
  });
  server.requestTimeout = 0;
  await listen(server, access.socket);
  return {
    env: brokerVariables(access),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(dir, { recursive: true, force: true });
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  options: BrokerOptions,
  token: string,
  dir: string,
): Promise<void> {
  if (!isTold(request.headers.authorization, token)) {
    response.writeHead(401, { connection: 'close' }).end();
    return;
  }
  const named = parsePath(request.url ?? '');
  const served = named === undefined ? undefined : options.open(named.remote);
  if (named === undefined || served === undefined) throw unknown(request.url ?? '');
  const { storage, guard } = served;
  const stop = new AbortController();
  response.on('close', () => stop.abort());
  const { signal } = stop;
  if (request.method === 'POST' && named.key === undefined) {
    await storage.flush?.({ signal });
    response.writeHead(204).end();
    return;
  }
  const key = tryParseStorageKey(named.key ?? '');
  if (key === undefined) throw unknown(request.url ?? '');
  if (request.method === 'PUT') {
    const answered = await put(request, served, key, dir, signal);
    response.writeHead(answered === 'exists' ? 412 : 201).end();
    return;
  }
  guard.read(key);
  const found =
    request.method === 'HEAD' ? await storage.stat(key, { signal }) : await read(request, storage, key, signal);
  if (found === undefined) response.writeHead(404).end();
  else if (Buffer.isBuffer(found)) response.writeHead(200, { 'content-length': found.length }).end(found);
  else response.writeHead(200, { [SIZE]: found.bytes }).end();
}

async function read(
  request: IncomingMessage,
  storage: Storage,
  key: StorageKey,
  signal: AbortSignal,
): Promise<Buffer | undefined> {
  const offset = count(request.headers[OFFSET], Number.MAX_SAFE_INTEGER);
  const length = count(request.headers[LENGTH], Number.MAX_SAFE_INTEGER);
  if (request.method !== 'GET' || offset === undefined || length === undefined) throw unknown(request.url ?? '');
  const found = await storage.get(key, { offset, length: Math.min(length, LONGEST_RANGE) }, { signal });
  if (found !== undefined && found.length < length && found.length === LONGEST_RANGE) throw unknown(request.url ?? '');
  return found;
}

async function put(
  request: IncomingMessage,
  { storage, guard }: Served,
  key: StorageKey,
  dir: string,
  signal: AbortSignal,
): Promise<'stored' | 'exists'> {
  guard.write(key);
  const bytes = count(request.headers['content-length'], Number.MAX_SAFE_INTEGER);
  if (bytes === undefined) throw unknown(request.url ?? '');
  const body = await spool(dir, request, bytes);
  try {
    const checked = await guard.body(key, body);
    const ifAbsent = guard.writeOnce || request.headers['if-none-match'] === '*';
    return await storage.put(key, checked, { ifAbsent, signal });
  } finally {
    await body.discard();
  }
}

/** Compares in a time that says nothing about the token. */
function isTold(header: string | undefined, token: string): boolean {
  const given = Buffer.from(header ?? '');
  const wanted = Buffer.from(`Bearer ${token}`);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

function count(header: string | string[] | undefined, most: number): number | undefined {
  const value = typeof header === 'string' && /^\d{1,16}$/.test(header) ? Number(header) : Number.NaN;
  return value <= most ? value : undefined;
}

function unknown(url: string): SluiceError {
  return new SluiceError('ERR_REMOTE_DENIED', `the broker does not understand ${JSON.stringify(url.slice(0, 200))}`, {
    hint: 'Versions of the GitHub Action and of @sluice/nx may differ too much; update both.',
  });
}

/** Says what failed, and hangs up: a body that was refused may still be on its way. */
function refuse(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const known = asSluiceError(error);
  response
    .writeHead(known.code === 'ERR_REMOTE_DOWN' ? 503 : 403, { connection: 'close', [ERROR]: printError(known) })
    .end();
}

async function listen(server: Server, socket: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socket, resolve);
  });
}
