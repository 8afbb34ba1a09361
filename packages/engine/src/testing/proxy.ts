import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';

/** A proxy as companies have them: tunnels for TLS, whole URLs for the rest. */
export interface TestProxy {
  /** `127.0.0.1:port` */
  readonly host: string;
  /** `CONNECT name:port`, or `GET http://name/path`, of each request that came. */
  readonly seen: string[];
  /** Credentials that came, as they were sent. */
  readonly credentials: (string | undefined)[];
  readonly connections: () => number;
  /** How many of them are open. */
  readonly open: () => number;
  stop(): Promise<void>;
}

/** How it behaves. */
export interface TestProxyOptions {
  /** Only it knows these names: `name:port` to `host:port`. */
  readonly hosts: Readonly<Record<string, string>>;
  /** What it wants to hear, such as `Basic …`. */
  readonly wants?: string;
  /** Answers this to all, or nothing at all. */
  readonly answers?: number | 'nothing';
}

/** Starts a proxy on a free port. */
export async function startTestProxy({ hosts, wants, answers }: TestProxyOptions): Promise<TestProxy> {
  const seen: string[] = [];
  const credentials: (string | undefined)[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const refusal = ({ method, url, headers }: IncomingMessage, name: string): number | 'nothing' | undefined => {
    seen.push(`${method} ${url}`);
    credentials.push(headers['proxy-authorization']);
    if (answers !== undefined) return answers;
    if (wants !== undefined && headers['proxy-authorization'] !== wants) return 407;
    return hosts[name] === undefined ? 502 : undefined;
  };
  const placeOf = (name: string): { readonly host: string; readonly port: number } => {
    const [host = '', port = ''] = (hosts[name] ?? '').split(':');
    return { host, port: Number(port) };
  };
  const server = createServer((incoming: IncomingMessage, outgoing: ServerResponse) => {
    const url = new URL(incoming.url ?? '');
    const name = `${url.hostname}:${url.port || 80}`;
    const status = refusal(incoming, name);
    if (status === 'nothing') return;
    if (status !== undefined) {
      incoming.resume();
      outgoing.writeHead(status).end('<html>the proxy says no</html>');
      return;
    }
    const { 'proxy-authorization': _, ...headers } = incoming.headers;
    const asked = request(
      { ...placeOf(name), method: incoming.method, path: `${url.pathname}${url.search}`, headers },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 500, answer.rawHeaders);
        answer.pipe(outgoing);
      },
    );
    asked.on('error', () => outgoing.destroy());
    outgoing.on('close', () => asked.destroy());
    incoming.pipe(asked);
  });
  server.on('connect', (incoming: IncomingMessage, socket: Socket, head: Buffer) => {
    const status = refusal(incoming, incoming.url ?? '');
    if (status === 'nothing') {
      socket
        .on('error', () => {})
        .on('end', () => void socket.destroy())
        .resume();
      return;
    }
    if (status !== undefined) {
      socket.end(`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    const through = connect(placeOf(incoming.url ?? ''), () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      through.write(head);
      socket.pipe(through).pipe(socket);
    });
    sockets.add(through);
    through.on('error', () => socket.destroy());
    socket.on('error', () => through.destroy());
  });
  server.on('connection', (socket) => {
    connections++;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    host: `127.0.0.1:${port}`,
    seen,
    credentials,
    connections: () => connections,
    open: () => sockets.size,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A key and a certificate for names, made now and signed by itself. */
export interface SelfSigned {
  readonly key: string;
  readonly cert: string;
  /** The file of the certificate. */
  readonly certFile: string;
}

/** Makes a certificate in a directory. */
export function selfSigned(dir: string, ...names: readonly string[]): SelfSigned {
  const [keyFile, certFile] = [`${dir}/key.pem`, `${dir}/cert.pem`];
  const alternatives = names.map((name) => `DNS:${name}`).join(',');
  const asked = ['-subj', `/CN=${names[0]}`, '-addext', `subjectAltName=${alternatives}`, '-days', '2'];
  const kind = ['-newkey', 'rsa:2048', '-nodes', '-keyout', keyFile, '-out', certFile];
  execFileSync('openssl', ['req', '-x509', ...kind, ...asked], { stdio: 'pipe' });
  return { key: readFileSync(keyFile, 'utf8'), cert: readFileSync(certFile, 'utf8'), certFile };
}

/** Puts TLS in front of a server, `host:port`, on a free port of this machine. */
export async function startTlsFront(own: SelfSigned, behind: string): Promise<{ readonly port: number; stop(): void }> {
  const [host = '', port = ''] = behind.split(':');
  const sockets = new Set<Socket>();
  const front: Server = createTlsServer(own, (socket) => {
    const plain = connect({ host, port: Number(port) });
    for (const one of [socket, plain]) {
      sockets.add(one);
      one.on('error', () => {}).on('close', () => [socket, plain].forEach((each) => void each.destroy()));
    }
    socket.pipe(plain).pipe(socket);
  });
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
  return {
    port: (front.address() as AddressInfo).port,
    stop: () => {
      for (const socket of sockets) socket.destroy();
      front.close();
    },
  };
}
