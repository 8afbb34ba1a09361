// @ts-check
// npm run test:fuzz: the property tests of all that reads bytes of others, with 10,000 cases each; SLUICE_FUZZ_RUNS asks for another number.
process.env.SLUICE_FUZZ_RUNS ??= '10000';
process.argv.push(
  '[.]fuzz[.]test',
  'model/(lock|record|map|split|compress|encode-pack)[.]test',
  'remote/have-cuts[.]test',
  'workspace/build-tree[.]test',
  '--testTimeout=900000',
);
await import('./test.mjs');
