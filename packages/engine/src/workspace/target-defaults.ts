import { createRequire } from 'node:module';
import { isCompatible, isObject, type JsonObject, mergeTarget } from './merge-target.js';

/** The project that a target default may be limited to. */
export interface DefaultsContext {
  readonly name: string;
  readonly root: string;
  readonly tags: readonly string[];
}

/**
 * What `targetDefaults` of `nx.json` says about a target, or `undefined`. One key decides, as in Nx: that of the executor, else that of the
 * target's name, else the longest pattern that fits the name. `targets` are the declarations of the target, least important first.
 */
export function defaultsFor(
  targetName: string,
  targets: readonly JsonObject[],
  targetDefaults: unknown,
  project: DefaultsContext,
): JsonObject | undefined {
  if (!isObject(targetDefaults)) return undefined;
  let declared: JsonObject = {};
  for (const target of targets) declared = mergeTarget(target, declared);
  const executor = typeof declared.executor === 'string' ? declared.executor : undefined;
  for (const key of candidateKeys(Object.keys(targetDefaults), targetName, executor)) {
    const value = targetDefaults[key];
    const entries = (Array.isArray(value) ? value : [value]).map((entry: unknown) => (isObject(entry) ? entry : {}));
    const fitting = entries.filter((entry) => fits(entry.filter, executor, project));
    if (fitting.length > 0) return layered(fitting, executor);
  }
  return undefined;
}

function layered(entries: readonly JsonObject[], executor: string | undefined): JsonObject | undefined {
  let defaults: JsonObject | undefined;
  for (const entry of entries) {
    // Defaults for another executor would replace the target instead of completing it.
    if (!isCompatible({ executor }, entry)) continue;
    defaults = mergeTarget(executor === undefined ? entry : { ...entry, executor }, defaults);
  }
  return defaults;
}

function* candidateKeys(keys: readonly string[], targetName: string, executor: string | undefined): Generator<string> {
  if (executor !== undefined && keys.includes(executor)) yield executor;
  if (targetName !== executor && keys.includes(targetName)) yield targetName;
  const patterns = keys.filter((key) => key !== targetName && key !== executor && isPattern(key));
  for (const key of patterns.sort((a, b) => b.length - a.length)) if (matches(key, targetName)) yield key;
}

function fits(filter: unknown, executor: string | undefined, project: DefaultsContext): boolean {
  if (!isObject(filter)) return true;
  // A target of project.json or package.json comes from no plugin that could be named here.
  if (filter.plugin) return false;
  if (filter.executor && filter.executor !== executor) return false;
  return Array.isArray(filter.projects) ? isChosen(filter.projects.map(String), project) : true;
}

/** Patterns of names, directories and tags, in order; `!` takes back. */
function isChosen(patterns: readonly string[], project: DefaultsContext): boolean {
  let chosen = patterns[0]?.startsWith('!') ?? false;
  for (const pattern of patterns) {
    const exclude = pattern.startsWith('!');
    const [, kind, value = ''] = /^(?:(tag|name|directory):)?(.*)$/s.exec(exclude ? pattern.slice(1) : pattern) ?? [];
    const subjects = { tag: project.tags, name: [project.name], directory: [project.root] };
    const candidates =
      kind === 'tag' || kind === 'name' || kind === 'directory' ? subjects[kind] : [project.name, project.root];
    if (candidates.some((candidate) => candidate === value || (isPattern(value) && matches(value, candidate))))
      chosen = !exclude;
  }
  return chosen;
}

function isPattern(text: string): boolean {
  return /[*|{}()[]/.test(text);
}

/** Patterns are rare, so their matcher is loaded on first use. */
function matches(pattern: string, text: string): boolean {
  const picomatch: typeof import('picomatch') = createRequire(import.meta.url)('picomatch');
  return picomatch(pattern, { windows: false })(text);
}
