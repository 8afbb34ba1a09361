import { Agent, type IncomingMessage, type RequestOptions, request } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { SluiceError, throwIfAborted } from '../../../errors.js';
import type { Body, Storage } from '../port.js';
import type { BrokerAccess } from './access.js';
import { ERROR, LENGTH, OFFSET, parseError, pathOf, SIZE } from './protocol.js';

/** How a remote is reached through a broker. */
export interface BrokerStorageOptions {
  readonly access: BrokerAccess;
  /** The name by which the broker knows the remote. */
  readonly remote: string;
  readonly description: string;
  readonly durable: boolean;
  /** Connections at once. */
  readonly concurrency: number;
}

/**
 * A remote behind a broker: another process of this machine, which has the keys for it. What the broker does not allow is `ERR_REMOTE_DENIED` or `ERR_REMOTE_READ_ONLY`; when it
 * is gone, the remote is down.
 */
export function brokerStorage(options: BrokerStorageOptions): Storage {
  const { remote, description, durable } = options;
  const broker = new BrokerConnection(options);
  return {
    description,
    durable,
    stat: async (key, { signal } = {}) => {
      const answer = await broker.ask({ method: 'HEAD', path: pathOf(remote, key) }, signal);
      const { status, headers } = await broker.finish(answer, [200, 404], signal);
      return status === 404 ? undefined : { bytes: Number(headers[SIZE]) };
    },
    get: async (key, { offset, length }, { signal } = {}) => {
      const headers = { [OFFSET]: String(offset), [LENGTH]: String(length) };
      const answer = await broker.ask({ method: 'GET', path: pathOf(remote, key), headers }, signal);
      const { status, body } = await broker.finish(answer, [200, 404], signal);
      return status === 404 ? undefined : body;
    },
    put: async (key, body, { ifAbsent, signal } = {}) => {
      const headers = { 'content-length': body.bytes, ...(ifAbsent === true ? { 'if-none-match': '*' } : {}) };
      const answer = await broker.ask({ method: 'PUT', path: pathOf(remote, key), headers }, signal, body);
      const { status } = await broker.finish(answer, [201, 412], signal);
      return status === 412 ? 'exists' : 'stored';
    },
    flush: async ({ signal } = {}) => {
      await broker.finish(await broker.ask({ method: 'POST', path: pathOf(remote) }, signal), [204], signal);
    },
  };
}

class BrokerConnection {
  private readonly options: BrokerStorageOptions;
  private readonly agent: Agent;

  constructor(options: BrokerStorageOptions) {
    this.options = options;
    // Sockets that nobody uses keep no process alive.
    this.agent = new Agent({ keepAlive: true, maxSockets: options.concurrency, scheduling: 'lifo' });
  }

  /** Sends a request; the answer has begun when this returns. */
  async ask(what: RequestOptions, signal: AbortSignal | undefined, body?: Body): Promise<IncomingMessage> {
    throwIfAborted(signal);
    const { socket: socketPath, token } = this.options.access;
    const headers = { ...what.headers, authorization: `Bearer ${token}` };
    const outgoing = request({ ...what, headers, socketPath, agent: this.agent, ...(signal ? { signal } : {}) });
    const answer = new Promise<IncomingMessage>((resolve, reject) => {
      outgoing.on('response', resolve);
      outgoing.on('error', reject);
    });
    // What fails is told by the one that is awaited first.
    answer.catch(() => undefined);
    try {
      if (body === undefined) outgoing.end();
      else await this.send(outgoing, body, answer, signal);
      return await answer;
    } catch (error) {
      outgoing.destroy();
      throw this.explain(error, signal);
    }
  }

  /** A broker may refuse before it has read everything, and then hears no more. */
  private async send(
    outgoing: NodeJS.WritableStream,
    body: Body,
    answer: Promise<IncomingMessage>,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    let failure: { readonly error: unknown } | undefined;
    const chunks = async function* (): AsyncGenerator<Buffer> {
      let bytes = 0;
      try {
        for await (const chunk of body.chunks()) {
          throwIfAborted(signal);
          bytes += chunk.length;
          if (bytes > body.bytes) throw new RangeError(`a body of ${body.bytes} bytes has more`);
          yield chunk;
        }
        if (bytes < body.bytes) throw new RangeError(`a body of ${body.bytes} bytes has only ${bytes}`);
      } catch (error) {
        failure = { error };
        throw error;
      }
    };
    try {
      await pipeline(Readable.from(chunks()), outgoing);
    } catch (error) {
      if (failure !== undefined) throw new BodyFailed(failure.error);
      const refused = await Promise.race([answer, Promise.reject(error)]);
      if (refused.statusCode === 201) throw error;
    }
  }

  /** Reads an answer to its end. Throws what it says unless it has one of the expected states. */
  async finish(
    answer: IncomingMessage,
    expected: readonly number[],
    signal: AbortSignal | undefined,
  ): Promise<{ readonly status: number; readonly headers: IncomingMessage['headers']; readonly body: Buffer }> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of answer) chunks.push(chunk);
    } catch (error) {
      throw this.explain(error, signal);
    }
    const status = answer.statusCode ?? 0;
    const body = Buffer.concat(chunks);
    if (expected.includes(status)) return { status, headers: answer.headers, body };
    throw parseError(answer.headers[ERROR]) ?? this.denied(status);
  }

  private denied(status: number): SluiceError {
    return new SluiceError('ERR_REMOTE_DENIED', `${this.options.description}: the broker answers with ${status}`, {
      hint: 'Versions of the GitHub Action and of @sluice/nx may differ too much; update both.',
    });
  }

  private explain(error: unknown, signal: AbortSignal | undefined): unknown {
    throwIfAborted(signal);
    if (error instanceof BodyFailed) return error.error;
    if (error instanceof SluiceError) return error;
    const { description } = this.options;
    return new SluiceError('ERR_REMOTE_DOWN', `${description}: the process that has the keys for it does not answer`, {
      hint: 'The GitHub Action that started this has ended.',
      cause: error,
      details: { silent: true },
    });
  }
}

/** What the body threw, which has nothing to do with the remote. */
class BodyFailed extends Error {
  readonly error: unknown;

  constructor(error: unknown) {
    super('the body failed');
    this.error = error;
  }
}
