// @ts-check
// Makes `dist/`, which GitHub starts as it is committed: `npm run dist`. With `--check` it only compares, and fails when `dist/` is stale.
// Our own code stays readable, so that a change of it can be reviewed and merged; the SDK for buckets is a file of its own, since most runs do not load it.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { ROOT } from './run-tool.mjs';

const DIST = join(ROOT, 'dist');
const MOST_BYTES = 3_000_000;
const SDK = '@aws-sdk/client-s3';

/** What a package with CommonJS inside asks for. */
const REQUIRE =
  "import { createRequire as sluiceRequire } from 'node:module';\nconst require = sluiceRequire(import.meta.url);";

/** Entries that GitHub starts. @type {Record<string, string>} */
const STARTS = {
  'main.mjs': "import { runStep } from './index.mjs';\nawait runStep('main', { readOnly: false });\n",
  'post.mjs': "import { runStep } from './index.mjs';\nawait runStep('post', { readOnly: false });\n",
  'plan.mjs': "import { runStep } from './index.mjs';\nawait runStep('plan', { readOnly: true });\n",
  'restore.mjs': "import { runStep } from './index.mjs';\nawait runStep('main', { readOnly: true });\n",
  'restore-post.mjs': "import { runStep } from './index.mjs';\nawait runStep('post', { readOnly: true });\n",
};

const bundles = await Promise.all([
  bundle('index', join(ROOT, 'packages/action/dist/index.js'), false),
  bundle('worker', join(ROOT, 'packages/engine/dist/workspace/worker.js'), false),
  bundle('aws', SDK, true),
]);
/** @type {Map<string, string>} */
const wanted = new Map(Object.entries(STARTS));
for (const { name, text } of bundles) wanted.set(`${name}.mjs`, text);
wanted.set('licenses.txt', licenses(bundles.flatMap(({ inputs }) => inputs)));

const bytes = [...wanted.values()].reduce((total, text) => total + Buffer.byteLength(text), 0);
if (bytes > MOST_BYTES) fail(`dist/ would have ${bytes} bytes, more than ${MOST_BYTES}`);
const present = existsSync(DIST) ? readdirSync(DIST) : [];
const stale = [...wanted]
  .filter(([name, text]) => !present.includes(name) || read(name) !== text)
  .map(([name]) => name);
const extra = present.filter((name) => !wanted.has(name));
if (process.argv.includes('--check')) {
  if (stale.length + extra.length > 0)
    fail(`dist/ is stale: ${[...stale, ...extra].join(', ')}. Run \`npm run dist\` and commit it.`);
} else {
  mkdirSync(DIST, { recursive: true });
  for (const name of extra) rmSync(join(DIST, name));
  for (const name of stale) writeFileSync(join(DIST, name), wanted.get(name) ?? '');
}

/** @param {string} name @param {string} entry @param {boolean} minify */
async function bundle(name, entry, minify) {
  const { outputFiles, metafile } = await build({
    entryPoints: [entry],
    absWorkingDir: ROOT,
    outfile: join(DIST, `${name}.mjs`),
    write: false,
    metafile: true,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    mainFields: ['module', 'main'],
    minify,
    legalComments: 'none',
    banner: { js: REQUIRE },
    logLevel: 'warning',
    alias: { '@sluice/engine': join(ROOT, 'packages/engine/dist/index.js') },
    plugins: [
      {
        name: 'sluice',
        setup: (setup) => {
          if (name !== 'aws')
            setup.onResolve({ filter: new RegExp(`^${SDK}$`) }, () => ({ path: './aws.mjs', external: true }));
          // The engine loads some packages late, which a bundle must have inside.
          setup.onLoad({ filter: /packages[\\/]engine[\\/]dist[\\/].*[.]js$/ }, ({ path }) => ({
            contents: readFileSync(path, 'utf8').replaceAll('createRequire(import.meta.url)(', 'require('),
          }));
        },
      },
    ],
  });
  return { name, text: outputFiles[0]?.text ?? '', inputs: Object.keys(metafile.inputs) };
}

/** The licences of all packages that are inside. @param {string[]} inputs */
function licenses(inputs) {
  const folders = new Set(inputs.flatMap((input) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1] ?? []));
  const texts = [...folders].map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8'));
    const file = readdirSync(join(ROOT, folder)).find((entry) => /^licen[sc]e/i.test(entry));
    const text = file === undefined ? '' : readFileSync(join(ROOT, folder, file), 'utf8').trim();
    return `${name} ${version}\n${license}\n\n${text}\n`;
  });
  return [...new Set(texts)]
    .sort()
    .join(`\n${'-'.repeat(80)}\n\n`)
    .replaceAll('\r\n', '\n');
}

/** @param {string} name */
function read(name) {
  return readFileSync(join(DIST, name), 'utf8');
}

/** @param {string} message */
function fail(message) {
  console.error(message);
  process.exit(1);
}
