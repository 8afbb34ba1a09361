// @ts-check
// A proxy in front of an S3 server that makes what networks and busy servers make: waits, broken connections, short and wrong bytes, refusals.
import { Agent, createServer, request as httpRequest } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * What happens to one request:
 * `wait` before it is passed on; `reset` the connection before it is passed on, or (`after`) when its answer is there, or (`half`) in the middle of the
 * answer's body; answer with `status` and `code` itself; `stall` without an answer; `down`: stall, and the proxy is `stalled` from then on; `flip` a bit of the answer's body, or of the `request`'s; `short`: a
 * well-formed answer that holds half of the body; `stale`: what the first listing in this proxy said, whatever is there now.
 * @typedef {{ kind: 'wait', ms: number }
 *   | { kind: 'reset', when: 'before' | 'after' | 'half' }
 *   | { kind: 'status', status: number, code: string, message?: string, headers?: Record<string, string> }
 *   | { kind: 'stall' }
 *   | { kind: 'down' }
 *   | { kind: 'stale' }
 *   | { kind: 'flip', of: 'request' | 'answer' }
 *   | { kind: 'short' }} Fault
 *
 * @typedef {object} FaultProxy
 * @property {string} endpoint
 * @property {(match: RegExp, fault: Fault, times?: number) => void} inject a fault for the next requests whose `METHOD /path?query` matches; faults are used in their order
 * @property {() => void} assertAllHit throws if a fault was never used: then the test did not test what it says
 * @property {string[]} seen `METHOD /path?query` of each request, and ` expect` if it waits for a word before its body
 * @property {(answer: { line: string, range: string | undefined, status: number }) => void} onAnswer is told of each answer of the server, when its head is there
 * @property {number} connections how many were opened to the proxy
 * @property {() => number} moved bytes that have gone through the proxy so far, both ways, heads of requests and answers included
 * @property {number} latencyMs added to every request
 * @property {'up' | 'stalled'} state `stalled`: no request gets an answer
 * @property {() => Promise<void>} stop
 */

/**
 * Starts a proxy on a free port.
 * @param {string} target `http://host:port`
 * @returns {Promise<FaultProxy>}
 */
export async function startFaultProxy(target) {
  const { hostname, port } = new URL(target);
  const agent = new Agent({ keepAlive: true });
  /** @type {{ match: RegExp, fault: Fault }[]} */
  const queue = [];

  /** @type {Buffer | undefined} */
  let firstListing;
  /** @param {Buffer} body */
  const keepListing = (body) => {
    firstListing ??= body;
  };

  /** @param {string} line */
  const next = (line) => {
    const at = queue.findIndex(({ match }) => match.test(line));
    return at < 0 ? undefined : queue.splice(at, 1)[0]?.fault;
  };

  const server = createServer(async (incoming, outgoing) => {
    const line = `${incoming.method} ${incoming.url}`;
    proxy.seen.push(incoming.headers.expect === undefined ? line : `${line} expect`);
    incoming.on('error', () => {});
    if (proxy.state === 'stalled') return;
    if (proxy.latencyMs > 0) await sleep(proxy.latencyMs);
    const fault = next(line);
    if (fault?.kind === 'down') proxy.state = 'stalled';
    if (fault?.kind === 'stall' || fault?.kind === 'down') return;
    if (fault?.kind === 'wait') await sleep(fault.ms);
    if (fault?.kind === 'reset' && fault.when === 'before') return void incoming.socket.resetAndDestroy();
    if (fault?.kind === 'status') return refuse(incoming, outgoing, fault);
    if (fault?.kind === 'stale') {
      const body = firstListing ?? Buffer.alloc(0);
      return void outgoing
        .writeHead(200, { 'content-type': 'application/xml', 'content-length': body.length })
        .end(body);
    }
    const passed = httpRequest(
      { host: hostname, port, agent, method: incoming.method, path: incoming.url, headers: incoming.headers },
      (answer) => {
        proxy.onAnswer({ line, range: incoming.headers.range, status: answer.statusCode ?? 0 });
        void pass(answer, outgoing, fault, incoming, keepListing);
      },
    );
    passed.on('error', () => incoming.socket.destroy());
    outgoing.on('close', () => {
      if (!outgoing.writableFinished) passed.destroy();
    });
    let flipped = !(fault?.kind === 'flip' && fault.of === 'request');
    incoming.on('data', (/** @type {Buffer} */ chunk) => {
      const sent = flipped ? chunk : flip(chunk);
      flipped = true;
      if (!passed.write(sent)) {
        incoming.pause();
        passed.once('drain', () => incoming.resume());
      }
    });
    incoming.on('end', () => passed.end());
  });
  server.keepAliveTimeout = 60_000;
  /** @type {import('node:net').Socket[]} */
  const sockets = [];
  server.on('connection', (socket) => {
    proxy.connections++;
    sockets.push(socket);
  });

  /** @type {FaultProxy} */
  const proxy = {
    endpoint: '',
    seen: [],
    onAnswer: () => {},
    connections: 0,
    // A socket knows what it has moved after its end, too.
    moved: () => sockets.reduce((sum, { bytesRead, bytesWritten }) => sum + bytesRead + bytesWritten, 0),
    latencyMs: 0,
    state: 'up',
    inject: (match, fault, times = 1) => {
      for (let i = 0; i < times; i++) queue.push({ match, fault });
    },
    assertAllHit: () => {
      const left = queue.map(({ match, fault }) => `${fault.kind} at ${match}`);
      if (left.length > 0) throw new Error(`faults that were never hit: ${left.join(', ')}`);
    },
    stop: async () => {
      server.closeAllConnections();
      agent.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const address = server.address();
  proxy.endpoint = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  return proxy;
}

/**
 * @param {import('node:http').IncomingMessage} incoming
 * @param {import('node:http').ServerResponse} outgoing
 * @param {Extract<Fault, { kind: 'status' }>} fault
 */
function refuse(incoming, outgoing, { status, code, message = code, headers = {} }) {
  incoming.resume();
  incoming.once('end', () => {
    const isBare = incoming.method === 'HEAD';
    const text = isBare ? '' : `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`;
    outgoing.writeHead(status, {
      'content-type': 'application/xml',
      'content-length': Buffer.byteLength(text),
      ...headers,
    });
    outgoing.end(text);
  });
}

/**
 * @param {import('node:http').IncomingMessage} answer
 * @param {import('node:http').ServerResponse} outgoing
 * @param {Fault | undefined} fault
 * @param {import('node:http').IncomingMessage} incoming
 * @param {(body: Buffer) => void} keepListing
 */
async function pass(answer, outgoing, fault, incoming, keepListing) {
  answer.on('error', () => outgoing.destroy());
  const { statusCode = 502, headers } = answer;
  const breaks = fault?.kind === 'reset' || fault?.kind === 'short' || fault?.kind === 'flip';
  const isListing = incoming.url?.includes('list-type=2') === true;
  if (!breaks && !isListing) {
    outgoing.writeHead(statusCode, headers);
    answer.pipe(outgoing);
    return;
  }
  const chunks = [];
  for await (const chunk of answer) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  if (isListing) keepListing(body);
  if (!breaks) return void outgoing.writeHead(statusCode, headers).end(body);
  if (fault.kind === 'reset' && fault.when === 'after') return void incoming.socket.resetAndDestroy();
  if (fault.kind === 'flip') {
    outgoing.writeHead(statusCode, headers);
    outgoing.end(fault.of === 'answer' ? flip(body) : body);
    return;
  }
  const half = body.subarray(0, body.length >> 1);
  if (fault.kind === 'short') {
    outgoing.writeHead(statusCode, { ...headers, 'content-length': String(half.length) });
    outgoing.end(half);
    return;
  }
  outgoing.writeHead(statusCode, headers);
  outgoing.write(half, () => incoming.socket.resetAndDestroy());
}

/** A copy with one bit changed. @param {Buffer} bytes */
function flip(bytes) {
  const copy = Buffer.from(bytes);
  const at = copy.length >> 1;
  if (copy.length > 0) copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}
