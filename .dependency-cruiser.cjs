// The import rules of the repository. `scripts/check-imports.mjs` checks them.

/** The rooms of the engine from top to bottom; a room imports itself and rooms further down, but for the exceptions below. */
const ORDER = [
  'index.ts',
  'graph.ts',
  'summary.ts',
  'engine.ts',
  'engine-api.ts',
  'review',
  'operations',
  'stage',
  'gc',
  'remote',
  'history',
  'workspace',
  'store',
  'text',
  'events.ts',
  'model',
  'util',
  'errors.ts',
];

/** What a room may not know although it lies further down. */
const APART = {
  'graph.ts': ['summary.ts', 'engine.ts', 'engine-api.ts', 'review', 'operations', 'gc', 'remote', 'history', 'store'],
  'summary.ts': ['engine.ts', 'engine-api.ts', 'review', 'operations', 'stage', 'gc', 'remote', 'history', 'store'],
  review: ['stage', 'gc', 'remote', 'history', 'workspace', 'store'],
  gc: ['remote'],
  remote: ['history', 'workspace', 'text'],
  history: ['store', 'text'],
  workspace: ['text'],
  store: ['text'],
  model: ['util'],
};

const ROOMS = Object.fromEntries(
  ORDER.map((name, level) => [name, ORDER.slice(level + 1).filter((below) => !APART[name]?.includes(below))]),
);

const ENGINE = '^packages/engine/src/';
const TEST_CODE = '[.](test|suite)[.]ts$|/testing/';

/** The pattern of a room's files: a folder, or one file. */
function room(name) {
  return `${ENGINE}${name.endsWith('.ts') ? `${name.replace('.', '[.]')}$` : `${name}/`}`;
}

const roomRules = Object.entries(ROOMS).map(([name, below]) => ({
  name: `engine-${name}`,
  comment: `${name} of the engine imports only: ${below.join(', ') || 'nothing'}`,
  severity: 'error',
  from: { path: room(name), pathNot: TEST_CODE },
  to: { path: ENGINE, pathNot: [name, ...below].map(room) },
}));

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...roomRules,
    {
      name: 'engine-storage',
      comment: 'A storage driver or wrapper knows only the port, values and errors',
      severity: 'error',
      from: { path: `${ENGINE}remote/storage/`, pathNot: TEST_CODE },
      to: { path: ENGINE, pathNot: [`${ENGINE}remote/storage/`, ...['model', 'errors.ts', 'util'].map(room)] },
    },
    {
      name: 'engine-has-no-other-room',
      comment: 'Every file of the engine lies in a room that .dependency-cruiser.cjs knows',
      severity: 'error',
      from: { path: ENGINE, pathNot: [TEST_CODE, ...Object.keys(ROOMS).map(room)] },
      to: {},
    },
    {
      name: 'engine-stands-alone',
      comment: 'The engine knows nothing of its front ends',
      severity: 'error',
      from: { path: '^packages/engine/' },
      to: { path: '^packages/(?!engine/)' },
    },
    {
      name: 'front-ends-use-the-public-engine',
      comment: 'A front end imports its own files and the public entries of @sluice/engine',
      severity: 'error',
      from: { path: '^packages/(?!engine/)([^/]+)/' },
      to: {
        path: '^packages/',
        pathNot: ['^packages/$1/', '^packages/engine/(dist|bundle)/(index|graph|summary)[.](js|d[.]ts)$'],
      },
    },
    {
      name: 'no-test-code-in-production',
      comment: 'Tests, suites and test fixtures are not published',
      severity: 'error',
      from: { path: '^packages/', pathNot: TEST_CODE },
      to: { path: TEST_CODE },
    },
    {
      name: 'no-cycles',
      comment: 'Modules that import each other in a circle cannot be understood one at a time',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-unresolved',
      comment: 'An import that is not found is not checked by the other rules (is everything built?)',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: ['node_modules', '^packages/[^/]+/dist/'] },
    exclude: { path: ['^packages/[^/]+/node_modules/'] },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['types', 'import', 'node', 'default'] },
  },
};
