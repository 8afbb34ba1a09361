import { createRequire } from 'node:module';
import { parseJsonc } from '../util/jsonc.js';
import { isObject } from './merge-target.js';
import type { ProjectSources } from './project-sources.js';

/**
 * Says which `package.json` files declare projects by themselves, as Nx does: those that the package manager's workspaces name, and the
 * one in the root if it has an `nx` entry. Files that cannot be parsed name nothing; npm or pnpm complain about them.
 */
export function packageMatcher(sources: ProjectSources): (packageJsonPath: string) => boolean {
  const patterns = workspacePatterns(sources).map(toFilePattern);
  const positive: string[] = patterns.filter((pattern) => !pattern.startsWith('!'));
  const negative = patterns.filter((pattern) => pattern.startsWith('!')).map((pattern) => pattern.slice(1));
  if (negative.length > 0 && !positive.some((pattern) => pattern !== 'package.json')) positive.push('**/package.json');
  const isIncluded = anyOf(positive);
  const isExcluded = anyOf(negative);
  return (path) => isIncluded(path) && !isExcluded(path);
}

function workspacePatterns(sources: ProjectSources): string[] {
  const root = parse(sources.read('package.json'), parseJsonc);
  if (root === undefined) return [];
  const { workspaces } = root;
  const patterns = texts(isObject(workspaces) ? workspaces.packages : workspaces);
  const pnpm = sources.read('pnpm-workspace.yaml');
  if (pnpm !== undefined) patterns.push(...texts(parse(pnpm, parseYaml)?.packages));
  const lerna = sources.read('lerna.json');
  if (lerna !== undefined) {
    const packages = texts(parse(lerna, parseJsonc)?.packages);
    patterns.push(...(packages.length > 0 ? packages : ['packages/*']));
  }
  return root.nx ? [...patterns, '.'] : patterns;
}

function parse(text: string | undefined, parser: (text: string) => unknown): ReturnType<typeof asObject> {
  try {
    return text === undefined ? undefined : asObject(parser(text));
  } catch {
    return undefined;
  }
}

function asObject(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return isObject(value) ? value : undefined;
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((entry) => typeof entry === 'string') : [];
}

/** `./packages/*` stands for `packages/*` and the `package.json` in it. */
function toFilePattern(pattern: string): string {
  const negated = pattern.startsWith('!') ? '!' : '';
  const names = pattern
    .slice(negated.length)
    .split('/')
    .filter((name) => name !== '' && name !== '.');
  return `${negated}${[...names, ...(names.at(-1) === 'package.json' ? [] : ['package.json'])].join('/')}`;
}

function anyOf(patterns: readonly string[]): (path: string) => boolean {
  const plain = new Set(patterns.filter((pattern) => !isPattern(pattern)));
  // Most workspaces name folders with one star each, which needs no pattern library at start-up.
  const starred = patterns
    .filter((pattern) => isPattern(pattern))
    .map((pattern) => simpleMatcher(pattern) ?? matcher(pattern));
  return (path) => plain.has(path) || starred.some((matches) => matches(path));
}

function isPattern(text: string): boolean {
  return /[*?{}()[\]!+@]/.test(text);
}

/** For patterns whose only magic is names that are `*` as a whole. */
function simpleMatcher(pattern: string): ((path: string) => boolean) | undefined {
  const names = pattern.split('/');
  if (names.some((name) => name !== '*' && isPattern(name))) return undefined;
  return (path) => {
    const given = path.split('/');
    return (
      given.length === names.length &&
      names.every((name, at) => (name === '*' ? !given[at]?.startsWith('.') : name === given[at]))
    );
  };
}

function matcher(pattern: string): (path: string) => boolean {
  const picomatch: typeof import('picomatch') = createRequire(import.meta.url)('picomatch');
  return picomatch(pattern, { windows: false, nonegate: true });
}

function parseYaml(text: string): unknown {
  const yaml: typeof import('yaml') = createRequire(import.meta.url)('yaml');
  return yaml.parse(text);
}
