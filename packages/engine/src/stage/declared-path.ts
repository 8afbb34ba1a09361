import { type RelPath, ROOT, tryParseRelPath } from '../model/path.js';
import type { Dep } from './stage.js';

/** The project whose tokens are replaced in options. */
export interface TokenValues {
  readonly name: string;
  /** Relative to the workspace root; `''` and `.` are the root. */
  readonly root: string;
}

/** A value, or what is wrong with the text and what to do about it. */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly message: string; readonly hint: string };

/**
 * Replaces `{projectRoot}`, `{projectName}` and a leading `{workspaceRoot}` exactly as Nx does before it starts an executor, so that a
 * command has one text, and one fingerprint, whoever read the declaration. The root of a project in the workspace root is `.`.
 */
export function replaceTokens(text: string, project: TokenValues): Parsed<string> {
  const rest = text.replace(/^\{workspaceRoot\}\/?/, '');
  if (rest.includes('{workspaceRoot}')) {
    return wrong(
      'holds {workspaceRoot} behind its beginning',
      'Nx knows {workspaceRoot} only as the first word of an option.',
    );
  }
  const root = project.root === '' ? '.' : project.root;
  return right(rest.replaceAll('{projectRoot}', () => root).replaceAll('{projectName}', () => project.name));
}

/** A declared file or directory as a path relative to the workspace root; `.` is the root. */
export function parseDeclaredPath(declared: string, project: TokenValues): Parsed<RelPath> {
  const text = replaceTokens(declared, project);
  if (!text.ok) return text;
  const token = unknownToken(text.value);
  if (token !== undefined) return token;
  if (text.value.includes('\\')) return wrong('holds a backslash', 'Separate the parts of a path with "/".');
  return normalize(declared, text.value);
}

/** A declared dep: a path, or a glob when it holds magic characters that no backslash precedes. */
export function parseDeclaredDep(declared: string, project: TokenValues): Parsed<Dep> {
  const replaced = replaceTokens(declared, project);
  if (!replaced.ok) return replaced;
  const text = replaced.value;
  const token = unknownToken(text);
  if (token !== undefined) return token;
  if (/\\(?![\\*?[\]{}()!+@])/.test(text)) {
    return wrong(
      'holds a backslash that escapes nothing',
      'Separate the parts of a path with "/"; a backslash makes *, ?, [, { and ! ordinary.',
    );
  }
  if (/^!(?!\()/.test(text))
    return wrong('begins with "!"', 'A dep cannot be excluded; write patterns that match only what is read.');
  const magicAt = findMagic(text);
  if (magicAt === -1) {
    const path = normalize(declared, withoutEscapes(text));
    return path.ok ? right({ kind: 'path', path: path.value }) : path;
  }
  const split = text.lastIndexOf('/', magicAt) + 1;
  const base = split === 0 ? right(ROOT) : normalize(declared, withoutEscapes(text.slice(0, split)));
  if (!base.ok) return base;
  const rest = text
    .slice(split)
    .replaceAll(/\/(?:\.?\/)+/g, '/')
    .replace(/\/$/, '');
  if (/(?:^|[/{,(|])\.\.(?:[/},)|]|$)/.test(rest))
    return wrong('goes up behind a pattern', 'Write ".." only before the first pattern character.');
  const pattern = base.value === '' ? rest : `${escapeMagic(base.value)}/${rest}`;
  return right({ kind: 'glob', pattern, base: base.value });
}

function right<T>(value: T): Parsed<T> {
  return { ok: true, value };
}

function wrong(message: string, hint: string): { readonly ok: false; readonly message: string; readonly hint: string } {
  return { ok: false, message, hint };
}

function unknownToken(text: string): ReturnType<typeof wrong> | undefined {
  const token = /(?<!\\)\{([A-Za-z]\w*)\}/.exec(text)?.[0];
  if (token === undefined) return undefined;
  return wrong(
    `holds ${token}, which is not known here`,
    'Known are {projectRoot}, {projectName} and, at the beginning, {workspaceRoot}.',
  );
}

function normalize(declared: string, text: string): Parsed<RelPath> {
  if (declared === '')
    return wrong('is empty', 'Write a path relative to the workspace root, or one that begins with {projectRoot}.');
  if (text.startsWith('/'))
    return wrong('is absolute', 'Write a path relative to the workspace root, or one that begins with {projectRoot}.');
  const segments: string[] = [];
  for (const segment of text.split('/')) {
    if (segment === '' || segment === '.') continue;
    if (segment !== '..') segments.push(segment);
    else if (segments.pop() === undefined)
      return wrong('leaves the workspace', 'Declare only paths inside the workspace.');
  }
  const path = tryParseRelPath(segments.join('/'));
  return path === undefined ? wrong('is not a path', 'Remove its special characters.') : right(path);
}

/** What every path that a pattern matches is or lies below; a pattern without magic is a path. */
export function globBase(pattern: string): string {
  const magicAt = findMagic(pattern);
  const base = withoutEscapes(magicAt < 0 ? pattern : pattern.slice(0, pattern.lastIndexOf('/', magicAt) + 1));
  const path = base.replace(/\/$/, '');
  return tryParseRelPath(path) ?? '';
}

/** The index of the first character that makes a pattern: `*`, `?`, `[…]`, `{…}` or an extended glob such as `@(…)`; -1 for none. */
function findMagic(text: string): number {
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (char === '\\') at++;
    else if (char === '*' || char === '?') return at;
    else if (char === '[' && text.includes(']', at)) return at;
    else if (char === '{' && text.includes('}', at)) return at;
    else if ((char === '@' || char === '+' || char === '!') && text[at + 1] === '(') return at;
  }
  return -1;
}

function withoutEscapes(text: string): string {
  return text.replaceAll(/\\(.)/gs, '$1');
}

function escapeMagic(text: string): string {
  return text.replaceAll(/[\\*?[\]{}()!+@|"]/g, '\\$&');
}
