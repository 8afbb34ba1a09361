import { createHash } from 'node:crypto';
import { jsonOf, propertyOf } from './cache-json.js';

/** What a job may do with the cache, as far as that is known before it is asked. A hint: the service decides. */
export interface CacheAccess {
  /** Scopes that it may read, such as `refs/heads/main`, its own first; one without a name where the token does not say. */
  readonly scopes: readonly string[];
  readonly canRead: boolean;
  readonly canWrite: boolean;
  /** Why it may not read or write, in words; `undefined` if it may do both. */
  readonly why: string | undefined;
}

const READ = 1;
const WRITE = 2;
const MOST_SCOPES = 8;
const MOST_TOKEN_BYTES = 64 * 1024;

/**
 * Reads the rights of a runtime token, without checking its signature, and the mode that the workflow sets (`ACTIONS_CACHE_MODE`). A token that cannot be read may do
 * everything until the service says otherwise.
 */
export function cacheAccess(token: string, mode: string | undefined): CacheAccess {
  const rights = rightsIn(token);
  const own = rights?.find(({ permission }) => (permission & WRITE) !== 0) ?? rights?.[0];
  const readable = (rights ?? []).filter(({ permission }) => (permission & READ) !== 0);
  const scopes = own === undefined ? [''] : [...new Set([own, ...readable].map(({ scope }) => scope))];
  const readsByToken = rights === undefined || readable.length > 0;
  const writesByToken = own === undefined || (own.permission & WRITE) !== 0;
  const readsByMode = mode !== 'none' && mode !== 'write-only';
  const writesByMode = mode !== 'none' && mode !== 'read';
  const canRead = readsByToken && readsByMode;
  const canWrite = writesByToken && writesByMode && canRead;
  return { scopes: scopes.slice(0, MOST_SCOPES), canRead, canWrite, why: reason() };

  function reason(): string | undefined {
    if (!readsByMode || !writesByMode) return `the workflow sets cache-mode ${String(mode)}`;
    if (!readsByToken) return 'the token of this job may not read the cache';
    return writesByToken
      ? undefined
      : 'the token of this job may only read the cache, as for events that anyone can trigger';
  }
}

/** A short name of a scope that may stand in a key. */
export function scopeName(scope: string): string {
  return createHash('sha256').update(scope).digest('hex').slice(0, 16);
}

interface Right {
  readonly scope: string;
  readonly permission: number;
}

/** The claim `ac` is JSON in a string: `[{"Scope": "refs/heads/main", "Permission": 3}]`. That of `act` has a right to write in a scope without a name, which says nothing. */
function rightsIn(token: string): Right[] | undefined {
  if (token.length > MOST_TOKEN_BYTES) return undefined;
  const claims = jsonOf(Buffer.from(token.split('.')[1] ?? '', 'base64url'));
  const text = propertyOf(claims, 'ac');
  const list = typeof text === 'string' ? jsonOf(Buffer.from(text)) : undefined;
  if (!Array.isArray(list)) return undefined;
  const rights = list.flatMap((item): Right[] => {
    const scope = propertyOf(item, 'Scope');
    const permission = propertyOf(item, 'Permission');
    return typeof scope === 'string' && typeof permission === 'number' ? [{ scope, permission }] : [];
  });
  const named = rights.filter(({ scope }) => scope !== '');
  return rights.length > 0 && named.length === 0 ? undefined : named;
}
