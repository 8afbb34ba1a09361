import { askGitHub, type GitHubAccess, type GitHubRequest, nameOf, tellOf } from './github-api.js';
import { asObject, asText } from './json-values.js';

/** A comment on a pull request, and who writes it. */
export interface CommentPlace extends GitHubAccess {
  /** `owner/name` */
  readonly repository: string;
  readonly pullRequest: number;
  /** An HTML comment: by it the comment is found again. */
  readonly marker: string;
}

/** GitHub refuses a longer body. */
const LONGEST_COMMENT = 65_536;

const PAGE = 100;
const MOST_PAGES = 30;

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
    return asText(asObject(await ask(place, 'GET', 'user')).login) ?? '';
  } catch {
    return '';
  }
}

async function ask(
  place: CommentPlace,
  method: GitHubRequest['method'],
  path: string,
  body?: object,
): Promise<unknown> {
  // A comment whose answer is lost may be there: a second one would stay for good.
  const request = { method, path, ...(body === undefined ? {} : { body }), isRepeatable: method !== 'POST' };
  const answer = await askGitHub(place, request);
  if (answer.status < 300) return answer.content;
  const hint = [401, 403, 404].includes(answer.status)
    ? '. The token needs `pull-requests: write`; that of a pull request from a fork never has it'
    : '';
  throw new Error(`${nameOf(request)}: ${tellOf(answer)}${hint}`);
}

function asComment(value: unknown): Comment[] {
  const { id, body, user } = asObject(value);
  const { login, type } = asObject(user);
  if (typeof id !== 'number' || !Number.isSafeInteger(id) || typeof body !== 'string') return [];
  return [{ id, body, author: asText(login) ?? '', isBot: type === 'Bot' }];
}
