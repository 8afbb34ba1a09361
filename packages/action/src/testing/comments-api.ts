import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The comments of a pull request in GitHub's REST API, as far as they are used. */
export interface CommentsApi {
  readonly url: string;
  readonly comments: { id: number; body: string; user: { login: string; type: string } }[];
  /** `METHOD /path` */
  readonly requests: string[];
  /** The status of an answer instead of what would be done. */
  refuse: (method: string, path: string) => number | undefined;
  /** Whose token it is; `undefined`: that of a job. */
  login: string | undefined;
  stop(): void;
}

/** GitHub refuses a longer one. */
const LONGEST = 65_536;

/** Starts it on a free port. `repository` is a path, `/repos/owner/name`. */
export async function startCommentsApi(repository: string, pullRequest: number, token: string): Promise<CommentsApi> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost');
    const method = request.method ?? '';
    api.requests.push(`${method} ${pathname}`);
    const send = (status: number, body: object): void => void response.writeHead(status).end(JSON.stringify(body));
    const isKnown = request.headers.authorization === `Bearer ${token}`;
    const refused = isKnown ? api.refuse(method, pathname) : 401;
    if (refused !== undefined) return send(refused, { message: 'Resource not accessible by integration' });
    const { body = '' } = text === '' ? {} : JSON.parse(text);
    if (body.length > LONGEST) return send(422, { message: 'body is too long' });
    const user = { login: api.login ?? 'github-actions[bot]', type: api.login === undefined ? 'Bot' : 'User' };
    if (pathname === '/user') return api.login === undefined ? send(403, {}) : send(200, user);
    if (pathname === `${repository}/issues/${pullRequest}/comments`) {
      if (method === 'POST') {
        api.comments.push({ id: api.comments.length + 1, body, user });
        return send(201, {});
      }
      const size = Number(searchParams.get('per_page'));
      const page = Number(searchParams.get('page'));
      return send(200, api.comments.slice((page - 1) * size, page * size));
    }
    const found = api.comments.find(({ id }) => pathname === `${repository}/issues/comments/${id}`);
    if (method !== 'PATCH' || found === undefined) return send(404, { message: 'Not Found' });
    found.body = body;
    return send(200, {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const api: CommentsApi = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    comments: [],
    requests: [],
    refuse: () => undefined,
    login: undefined,
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
  return api;
}
