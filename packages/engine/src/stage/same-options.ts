import { isObject, type JsonObject } from '../workspace/merge-target.js';
import { replaceTokens, type TokenValues } from './declared-path.js';

/** What the schema of the executor makes Nx add to the options of a target: each means the same as saying nothing. */
const SAID_BY_NOTHING: JsonObject = {
  deps: [],
  params: [],
  env: [],
  runtime: [],
  always: false,
  frozen: false,
  onDepChange: 'fail',
};

/** Where we replace tokens in whole texts, as Nx does everywhere. */
const WITH_TOKENS: ReadonlySet<string> = new Set(['command', 'cwd', 'deps', 'outs', 'path', 'runtime']);

/**
 * Whether options that a host has prepared surely mean what the declared ones mean: tokens may be replaced, and defaults added. Much cheaper than defining both; `false`
 * may also mean that it is hard to tell.
 */
export function sameOptions(declared: JsonObject, prepared: unknown, project: TokenValues): boolean {
  if (!isObject(prepared)) return false;
  return (
    Object.entries(declared).every(
      ([name, value]) => Object.hasOwn(prepared, name) && sameValue(value, prepared[name], name, project),
    ) &&
    Object.entries(prepared).every(
      ([name, value]) => Object.hasOwn(declared, name) || sameValue(SAID_BY_NOTHING[name], value, name, project),
    )
  );
}

/** `name`: of the option that the value belongs to. */
function sameValue(declared: unknown, prepared: unknown, name: string, project: TokenValues): boolean {
  if (declared === prepared) return declared !== undefined;
  if (typeof declared === 'string') return WITH_TOKENS.has(name) && prepared === withoutTokens(declared, project);
  if (Array.isArray(declared)) {
    if (!Array.isArray(prepared) || declared.length !== prepared.length) return false;
    return declared.every((value, i) => sameValue(value, prepared[i], name, project));
  }
  if (!isObject(declared) || !isObject(prepared)) return false;
  const names = Object.keys(declared);
  return (
    names.length === Object.keys(prepared).length &&
    names.every((key) => Object.hasOwn(prepared, key) && sameValue(declared[key], prepared[key], key, project))
  );
}

/** `undefined` if the result could hold another token, as where a project is named like one. */
function withoutTokens(text: string, project: TokenValues): string | undefined {
  const replaced = replaceTokens(text, project);
  return replaced.ok && !replaced.value.includes('{') ? replaced.value : undefined;
}
