/** A comment on a pull request, and who writes it. */
export interface CommentPlace {
  /** Of the REST API, without a slash at its end. */
  readonly apiUrl: string;
  /** `owner/name` */
  readonly repository: string;
  readonly pullRequest: number;
  readonly token: string;
  /** An HTML comment: by it the comment is found again. */
  readonly marker: string;
  readonly signal: AbortSignal;
}

/** GitHub refuses a longer body. */
const LONGEST_COMMENT = 65_536;

const PAGE = 100;
const MOST_PAGES = 30;
const ANSWER_MS = 20_000;

/**
 * Keeps one comment on a pull request as `text` says, and makes it if it is not there. `undefined`: nothing is to be said, so none is made; one that is there says so. Throws one sentence if
 * the API does not let it.
 */
export async function keepComment(
  place: CommentPlace,
  text: string | undefined,
): Promise<'created' | 'updated' | 'unchanged' | 'none'> {
  const { repository, pullRequest, marker } = place;
  const issue = `repos/${repository}/issues`;
  const own = await findOwn(place, `${issue}/${pullRequest}/comments`);
  if (own === undefined && text === undefined) return 'none';
  const body = `${marker}\n${text ?? 'The data does not differ any more.'}`.slice(0, LONGEST_COMMENT);
  if (own === undefined) {
    await ask(place, 'POST', `${issue}/${pullRequest}/comments`, { body });
    return 'created';
  }
  if (own.body.replaceAll('\r\n', '\n') === body) return 'unchanged';
  await ask(place, 'PATCH', `${issue}/comments/${own.id}`, { body });
  return 'updated';
}

interface Comment {
  readonly id: number;
  readonly body: string;
  readonly author: string;
  readonly isBot: boolean;
}

/** Anybody can write our marker, so the comment has to be of a bot, as the token of a job is one, or of whoever the token belongs to. */
async function findOwn(place: CommentPlace, path: string): Promise<Comment | undefined> {
  let me: string | undefined;
  for (let page = 1; page <= MOST_PAGES; page++) {
    const answer = await ask(place, 'GET', `${path}?per_page=${PAGE}&page=${page}`);
    const list: readonly unknown[] = Array.isArray(answer) ? answer : [];
    for (const comment of list.flatMap(asComment)) {
      if (!comment.body.startsWith(place.marker)) continue;
      if (comment.isBot) return comment;
      me ??= await whoAmI(place);
      if (comment.author === me) return comment;
    }
    if (list.length < PAGE) return undefined;
  }
  return undefined;
}

/** `''` for the token of a job, which belongs to nobody. */
async function whoAmI(place: CommentPlace): Promise<string> {
  try {
    return textIn(await ask(place, 'GET', 'user'), 'login') ?? '';
  } catch {
    return '';
  }
}

async function ask(place: CommentPlace, method: string, path: string, body?: object): Promise<unknown> {
  const { apiUrl, token, signal } = place;
  const response = await fetch(`${apiUrl}/${path}`, {
    method,
    headers: {
      accept: 'application/vnd.github+json',
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'user-agent': 'sluice-action',
      'x-github-api-version': '2022-11-28',
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]),
  });
  const text = await response.text();
  const answer = parse(text);
  if (response.ok) return answer;
  const hint =
    response.status === 401 || response.status === 403 || response.status === 404
      ? '. The token needs `pull-requests: write`; that of a pull request from a fork never has it'
      : '';
  throw new Error(`${method} ${path.split('?')[0]}: ${response.status} ${textIn(answer, 'message') ?? ''}${hint}`);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function asComment(value: unknown): Comment[] {
  const id = fieldOf(value, 'id');
  const body = textIn(value, 'body');
  const user = fieldOf(value, 'user');
  if (typeof id !== 'number' || !Number.isSafeInteger(id) || body === undefined) return [];
  return [{ id, body, author: textIn(user, 'login') ?? '', isBot: textIn(user, 'type') === 'Bot' }];
}

function textIn(value: unknown, name: string): string | undefined {
  const field = fieldOf(value, name);
  return typeof field === 'string' ? field : undefined;
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Object.getOwnPropertyDescriptor(value, name)?.value : undefined;
}
