import { type ObjectShape, OrNull, type Shape } from './shape.js';

/* The documents that `--json` prints. A test compares them with what the commands print. */

const STAGE = { project: 'text', target: 'text' } as const;
const SUM = { files: 'number', bytes: 'number' } as const;
const OUT = { path: 'path', digest: 'digest', ...SUM } as const;
const OBJECTS = { blobs: 'number', trees: 'number', bytes: 'number' } as const;
const REQUESTS = { head: 'number', get: 'number', put: 'number', list: 'number', delete: 'number' } as const;
const ERROR = { code: 'text', message: 'text', 'hint?': 'text', 'details?': { '*': 'any' } } as const;
const STATES = { '*': '"complete", "absent", "unknown" or "down"' } as const;
const REASONS = [{ kind: 'text', name: 'text', before: 'text or null', after: 'text or null' }] as const;
const WORKSPACE = { written: 'number', removed: 'number', unchanged: 'number' } as const;
const VERSION = new OrNull({ digest: 'digest', ...SUM });
const split = (what: string): ObjectShape => ({
  files: { [what]: 'number', reused: 'number' },
  objects: { [what]: 'number', reused: 'number' },
  bytes: { [what]: 'number', reused: 'number' },
});
const CONFLICT: Shape = {
  ...STAGE,
  selector: 'text',
  out: 'path',
  path: 'path below the out, or ""',
  class: 'text',
  bytes: { base: 'number or null', ours: 'number or null', theirs: 'number or null' },
  missing: 'digest or null',
};

export const INIT: Shape = {
  written: ['path'],
  'hooks?': { written: ['text'], unchanged: ['text'], foreign: [{ hook: 'text', path: 'path', line: 'text' }] },
};

export const STATUS: Shape = {
  stages: [
    {
      ...STAGE,
      state: '"unchanged", "restorable", "changed", "new" or "conflict"',
      reasons: REASONS,
      outs: [
        {
          path: 'path',
          digest: 'digest or null',
          ...SUM,
          workspace: '"present", "absent", "partial" or "modified"',
          store: '"complete", "partial" or "absent"',
          stored: SUM,
          remote: STATES,
        },
      ],
    },
  ],
  'conflicts?': [CONFLICT],
};

export const COMMIT: Shape = {
  stages: [{ ...STAGE, outs: [OUT] }],
  objects: { new: 'number', reused: 'number' },
  bytes: { new: 'number', reused: 'number' },
  ms: 'number',
};

export const CHECKOUT: Shape = {
  workspace: WORKSPACE,
  bytes: 'number',
  referenceOnly: [{ ...STAGE, path: 'path', ...SUM }],
  ms: 'number',
};

export const FETCH: ObjectShape = {
  remote: 'text',
  ...split('received'),
  sources: [{ remote: 'text', bytes: 'number' }],
  requests: REQUESTS,
  left: SUM,
  ms: 'number',
};

export const PULL: Shape = { ...FETCH, workspace: WORKSPACE };

export const PUSH: Shape = {
  remote: 'text',
  ...split('sent'),
  requests: REQUESTS,
  remotes: [{ remote: 'text', ...split('sent'), requests: REQUESTS, ms: 'number', error: new OrNull(ERROR) }],
  dryRun: 'true or false',
  ms: 'number',
};

export const LS: Shape = {
  outs: [
    {
      ...STAGE,
      ...OUT,
      listed: SUM,
      stored: SUM,
      entries: [
        {
          path: 'path below the out',
          kind: '"file", "executable", "link" or "directory"',
          digest: 'digest',
          ...SUM,
          stored: 'true or false',
        },
      ],
    },
  ],
  ...SUM,
};

export const CAT: Shape = {
  ...STAGE,
  out: 'path',
  path: 'path below the out, or ""',
  digest: 'digest',
  bytes: 'number',
  range: { offset: 'number', length: 'number' },
};

const AUTHOR = { name: 'text', email: 'text' } as const;

export const LOG: Shape = {
  commits: [
    {
      commit: 'text',
      parents: ['text'],
      author: AUTHOR,
      date: 'text',
      subject: 'text',
      refs: ['text'],
      outs: [
        {
          ...STAGE,
          path: 'path',
          change: '"added", "deleted" or "modified"',
          before: VERSION,
          after: VERSION,
          stat: new OrNull({
            added: 'number',
            deleted: 'number',
            modified: 'number',
            renamed: 'number',
            bytesAdded: 'number',
            bytesDeleted: 'number',
          }),
          made: new OrNull({ at: 'text', ms: 'number', by: new OrNull({ '*': 'text' }) }),
          remote: STATES,
        },
      ],
    },
  ],
  shallow: 'true or false',
};

export const BLAME: Shape = {
  files: [
    {
      ...STAGE,
      out: 'path',
      path: 'path below the out, or ""',
      digest: 'digest',
      bytes: 'number',
      commit: new OrNull({ commit: 'text', author: AUTHOR, date: 'text', subject: 'text' }),
      orEarlier: 'true or false',
    },
  ],
};

const SIDE = { kind: '"workspace", "lock" or "revision"', 'rev?': 'text', 'commit?': 'text' } as const;
const FILE = { kind: '"file", "executable" or "link"', digest: 'digest', bytes: 'number' } as const;
const FILE_AT = { path: 'path below the out, or ""', ...FILE } as const;

export const DIFF: Shape = {
  before: SIDE,
  after: SIDE,
  outs: [
    {
      ...STAGE,
      path: 'path',
      added: [FILE_AT],
      deleted: [FILE_AT],
      modified: [{ path: 'path below the out, or ""', before: FILE, after: FILE }],
      renamed: [{ from: 'path below the out', ...FILE_AT }],
      files: { before: 'number', after: 'number' },
      bytes: { before: 'number', after: 'number', new: 'number' },
      content: [
        {
          path: 'path below the out, or ""',
          diff: {
            kind: '"text", "json", "csv", "binary" or "different"',
            'patch?': 'text',
            'columns?': { added: ['text'], deleted: ['text'] },
            'rows?': { added: 'number', deleted: 'number', modified: 'number' },
            'changes?': [
              {
                'name?': 'text',
                'before?': 'text or null',
                'after?': 'text or null',
                'change?': '"added", "deleted" or "modified"',
                'row?': 'number',
                'cells?': [{ column: 'text', before: 'text or null', after: 'text or null' }],
                'values?': ['text'],
              },
            ],
            'more?': 'number',
          },
        },
      ],
    },
  ],
  params: [{ ...STAGE, name: 'text', before: 'text or null', after: 'text or null' }],
  metrics: [{ ...STAGE, path: 'path', name: 'text', before: 'value or null', after: 'value or null' }],
};

export const SUMMARY: Shape = {
  outs: [
    {
      ...STAGE,
      ...OUT,
      distinct: new OrNull(SUM),
      own: new OrNull(SUM),
      stored: new OrNull(SUM),
      remote: STATES,
      disk: SUM,
    },
  ],
  ...SUM,
  distinct: SUM,
  store: { path: 'path', disk: SUM },
};

export const IMPORT: Shape = { imports: [{ ...STAGE, ...OUT, changed: 'true or false', ms: 'number' }] };

export const EXPORT: Shape = {
  to: 'path or URL',
  written: 'number',
  unchanged: 'number',
  bytes: 'number',
  ms: 'number',
};

export const GC: Shape = {
  'removed?': OBJECTS,
  'kept?': OBJECTS,
  'keptUnpushed?': OBJECTS,
  'dryRun?': 'true or false',
  'ms?': 'number',
  'remote?': 'text',
  'condemned?': OBJECTS,
  'dueMs?': 'number or null',
  'foreignRoots?': 'number',
  'freed?': { objects: 'number', bytes: 'number' },
  'repacked?': { packs: 'number', bytes: 'number' },
  'unfinished?': [{ key: 'text', bytes: 'number', since: 'time' }],
  'digest?': 'digest',
  'keptBy?': ['text'],
};

export const VERIFY: Shape = {
  findings: [
    {
      where: '"store", "link", "workspace", "remote" or "lock"',
      name: 'text',
      problem: ERROR,
      repaired: 'true or false',
    },
  ],
  checked: { objects: 'number', files: 'number', bytes: 'number' },
  ms: 'number',
};

export const DOCTOR: Shape = {
  findings: [
    {
      check: 'text',
      level: '"problem" or "note"',
      subject: 'text',
      message: 'text',
      fix: 'text',
      fixable: 'true or false',
      fixed: 'true or false',
    },
  ],
  stages: 'number',
  ms: 'number',
};

export const EXPLAIN: Shape = {
  ...STAGE,
  state: '"unchanged", "restorable", "changed" or "new"',
  frozen: 'true or false',
  reasons: REASONS,
  fingerprint: { before: 'digest or null', after: 'digest or null' },
  parts: [{ kind: 'text', name: 'text', before: 'text or null', after: 'text or null', changed: 'true or false' }],
};

export const PLAN: Shape = {
  stages: [
    {
      ...STAGE,
      action: '"run", "may-run", "restore" or "left"',
      reasons: REASONS,
      why: 'text',
      bytes: 'number',
    },
  ],
  unchanged: 'number',
  levels: [[{ name: 'text', stages: ['text'], why: 'text' }]],
};

export const RELOCK: Shape = {
  stages: [{ ...STAGE, outcome: '"unchanged", "locked" or "left"', reasons: REASONS }],
};

export const RESOLVE: Shape = { resolved: [CONFLICT], left: [CONFLICT], locks: ['path'] };
export const UNLOCK: Shape = { unlocked: ['path'], unchanged: ['path'], bytes: 'number' };

export const MERGE: Shape = {
  path: 'path',
  stages: ['text'],
  conflicts: [CONFLICT],
  text: 'true or false',
  'markers?': 'true or false',
};

export const HOOK: Shape = {
  'workspace?': WORKSPACE,
  'bytes?': 'number',
  'referenceOnly?': [{ ...STAGE, path: 'path', ...SUM }],
  'ms?': 'number',
  'checked?': 'number',
  'pushed?': new OrNull(PUSH),
  'error?': ERROR,
};

export const REMOTES: Shape = {
  remotes: [{ name: 'text', url: 'text', default: 'true or false', readOnly: 'true or false' }],
};

export const PING: Shape = { remote: 'text', used: 'true or false', ms: 'number', proxy: 'text or null' };

export const REMOTE_STAT: Shape = {
  remote: 'text',
  blobs: 'number',
  trees: 'number',
  packs: 'number',
  records: 'number',
  bytes: 'number',
  referencedBytes: 'number',
};

export const STORE_STAT: Shape = { objects: 'number', ...OBJECTS, records: 'number' };
export const STORE_PATH: Shape = { path: 'path' };
