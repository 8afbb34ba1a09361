import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A server that gives these answers, one after another. */
export async function withApi(
  answers: readonly (readonly [status: number, body: unknown])[],
  use: (api: { readonly url: string; readonly asked: string[] }) => Promise<void>,
): Promise<void> {
  const asked: string[] = [];
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    request.resume().on('end', () => {
      const [status, body] = answers[asked.length] ?? [500, {}];
      asked.push(`${request.method} ${request.url}`);
      response.statusCode = status;
      if (status === 302) response.setHeader('location', 'http://127.0.0.1:1/');
      response.end(typeof body === 'string' ? body : JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await use({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked });
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}
