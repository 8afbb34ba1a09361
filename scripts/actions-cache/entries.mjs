// @ts-check
// The entries of a cache service: who may see which, and who may write which.

/**
 * @typedef {{ scope: string, permission: 1 | 2 | 3 }} Right
 *
 * @typedef {object} Entry
 * @property {number} id
 * @property {string} key
 * @property {string} version
 * @property {string} scope
 * @property {Buffer | undefined} bytes
 * @property {Map<string, Buffer>} blocks what is sent and not put together yet, by id or offset
 * @property {boolean} finished
 * @property {number} createdMs
 *
 * @typedef {object} Entries
 * @property {(keys: unknown[], version: unknown, rights: Right[]) => Entry | undefined} lookUp
 * @property {(key: unknown, version: unknown, rights: Right[]) => Entry} reserve
 * @property {(key: unknown, version: unknown, rights: Right[]) => Entry | undefined} unfinished what the writer of a key has not finished
 * @property {(id: string) => Entry | undefined} byId
 * @property {(key: string, bytes: Buffer, scope: string, version: string) => void} plant
 * @property {(match: RegExp) => number} evict
 * @property {() => Entry[]} finished oldest first
 */

const KEY_LENGTH = 512;
const MOST_KEYS = 10;
const MINUTE_MS = 60_000;

/** A refusal with its status. */
export class Refusal extends Error {
  /** @param {number} status @param {string} code @param {string} message @param {Record<string, string>} [headers] */
  constructor(status, code, message, headers = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

/** @param {'github' | 'act'} dialect @param {number} uploadsPerMinute @returns {Entries} */
export function createEntries(dialect, uploadsPerMinute) {
  /** @type {Entry[]} */
  let entries = [];
  /** @type {number[]} */
  const reserved = [];
  let nextId = 1;

  /** @param {Omit<Entry, 'id' | 'blocks' | 'createdMs'>} entry */
  const add = (entry) => {
    const added = { ...entry, id: nextId++, blocks: new Map(), createdMs: Date.now() };
    entries.push(added);
    return added;
  };
  /** @param {string} key @param {string} version @param {string} scope */
  const of = (key, version, scope) =>
    entries.filter((entry) => entry.key === key && entry.version === version && entry.scope === scope);
  // To `act`, all entries of one second are equally new, and it takes any.
  const age = (/** @type {Entry} */ entry) => (dialect === 'act' ? Math.floor(entry.createdMs / 1000) : entry.id);

  return {
    lookUp: (asked, version, rights) => {
      if (asked.length > MOST_KEYS) throw new Refusal(400, 'invalid_argument', 'too many keys');
      const keys = asked.map(keyOf);
      const wanted = versionOf(version);
      const readable = rights.filter(({ permission }) => (permission & 1) !== 0);
      if (readable.length === 0) throw new Refusal(403, 'permission_denied', 'cache read denied: no scope to read');
      for (const { scope } of readable) {
        const newestFirst = entries
          .filter((entry) => entry.finished && entry.scope === scope && entry.version === wanted)
          .sort((a, b) => age(b) - age(a));
        for (const key of keys) {
          const exact = newestFirst.find((entry) => entry.key === key);
          const found = exact ?? newestFirst.find((entry) => entry.key.startsWith(key));
          if (found !== undefined) return found;
        }
      }
      return undefined;
    },
    reserve: (key, version, rights) => {
      const scope = writableScope(rights);
      const wanted = { key: keyOf(key), version: versionOf(version), scope, bytes: undefined, finished: false };
      const now = Date.now();
      while (reserved[0] !== undefined && now - reserved[0] > MINUTE_MS) reserved.shift();
      if (reserved.length >= uploadsPerMinute) {
        const seconds = Math.ceil((MINUTE_MS - (now - (reserved[0] ?? now))) / 1000);
        throw new Refusal(429, 'resource_exhausted', 'too many uploads', { 'retry-after': String(seconds) });
      }
      reserved.push(now);
      if (of(wanted.key, wanted.version, scope).length > 0 && dialect !== 'act') {
        throw new Refusal(409, 'already_exists', 'cache entry with the same key, version, and scope already exists');
      }
      return add(wanted);
    },
    unfinished: (key, version, rights) =>
      of(keyOf(key), versionOf(version), writableScope(rights)).find(({ finished }) => !finished),
    byId: (id) => entries.find((entry) => String(entry.id) === id),
    plant: (key, bytes, scope, version) => void add({ key, version, scope, bytes, finished: true }),
    evict: (match) => {
      const before = entries.length;
      entries = entries.filter(({ key }) => !match.test(key));
      return before - entries.length;
    },
    finished: () => entries.filter(({ finished }) => finished),
  };
}

/** @param {unknown} key */
function keyOf(key) {
  if (typeof key === 'string' && key !== '' && key.length <= KEY_LENGTH && !key.includes(',')) return key.toLowerCase();
  throw new Refusal(400, 'invalid_argument', 'a key is not valid');
}

/** @param {unknown} version */
function versionOf(version) {
  if (typeof version === 'string' && version !== '') return version;
  throw new Refusal(400, 'invalid_argument', 'no version');
}

/** @param {Right[]} rights */
function writableScope(rights) {
  const found = rights.find(({ permission }) => (permission & 2) !== 0);
  if (found !== undefined) return found.scope;
  throw new Refusal(403, 'permission_denied', 'cache write denied: the token of this job may only read');
}
