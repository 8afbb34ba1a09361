// @ts-check
// `npm start`: takes a reader through Sluice on real tables, with real commands in a temporary workspace.
// Ends with an error if anything is not as the text says.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Broken, check, say, Terminal, title } from './demo/terminal.mjs';
import { makeWorkspace } from './demo/workspace.mjs';

try {
  await tour();
} catch (error) {
  if (!(error instanceof Broken)) throw error;
  console.error(`\n${error.message}`);
  process.exitCode = 1;
}

async function tour() {
  title('A workspace');
  say(`Two tables are kept by hand: the weather of two cities and 231,083 flights. Three stages make a small model of them:
    select, aggregate, fit. This is a copy of examples/weather, with the packages of this clone.`);
  const { folder, terminal } = await makeWorkspace();
  const file = (/** @type {string} */ path) => join(terminal.cwd, path);
  const plot = () => sha256(file('model/plot.svg'));
  await terminal.type('npm install --no-audit --no-fund --prefer-offline --loglevel=error');
  await terminal.type('git init --quiet --initial-branch=main');
  await terminal.type('npx sluice init --remote file:../remote');
  await terminal.type('node data/take-tables.mjs');

  say('Tables that nobody computes are kept as they are: taken into the store, and named in a lock.');
  await terminal.type('npx sluice commit data:tables');

  title('The first run');
  say('Nothing is known yet, so every stage runs.');
  const first = await terminal.type('npx nx run model:fit');
  check(count(first, /^\s*ran: /gm) === 3, 'three stages ran');
  say(
    'git gets the code, the params and one small lock per project. The data is ignored by git before its first byte exists.',
  );
  await terminal.type('git add --all && git commit --quiet --message "One wave a year" && git show --stat --format=%s');
  check(!(await terminal.ask('git ls-files')).includes('plot.svg'), 'git does not hold the plot');
  const firstPlot = plot();

  title('The second run');
  say('Nothing has changed, so nothing runs.');
  const second = await terminal.type('npx nx run model:fit');
  check(count(second, /^\s*unchanged/gm) === 3 && !second.includes('ran:'), 'all is unchanged');

  title('A param changes');
  say('Two waves a year instead of one. Only the fit reads this value, so only the fit runs.');
  const params = file('model/params.yaml');
  writeFileSync(params, readFileSync(params, 'utf8').replace('harmonics: 1', 'harmonics: 2'));
  await terminal.type('git diff --unified=0 model/params.yaml');
  const changed = await terminal.type('npx nx run model:fit');
  check(
    count(changed, /^\s*ran: /gm) === 1 && changed.includes('fit.harmonics 1 -> 2'),
    'only the fit ran, and says why',
  );
  say('The metrics are small, so git keeps them as they are, and shows what became better.');
  await terminal.type('git diff --unified=0 model/metrics.json');
  await terminal.type('git commit --quiet --all --message "Two waves a year"');
  const secondPlot = plot();
  check(firstPlot !== secondPlot, 'the plot is another one');

  title('Outs are deleted');
  say(`All that the model made goes. The next run restores by hash what somebody reads: the results of the last stage. What lies between
    stays away, since nothing has to run on it.`);
  await terminal.type('rm -r model/selected model/aggregated model/model.json model/plot.svg');
  const restored = await terminal.type('npx nx run model:fit');
  check(/restored 2 files .* from store/.test(restored) && !restored.includes('ran:'), 'two files are restored');
  check(plot() === secondPlot && !existsSync(file('model/selected')), 'the plot is back, the selection is not');
  say('Or all of it, without Nx:');
  await terminal.type('npx sluice checkout');
  check(existsSync(file('model/selected/flights.csv')), 'everything is back');

  title('Push');
  say('The remote is a directory here; the data of both commits goes there. What is there already is not sent again.');
  await terminal.type('npx sluice push --all-commits');
  await terminal.type('npx sluice push');
  check(JSON.parse(await terminal.ask('npx sluice push --json')).objects.sent === 0, 'nothing is sent twice');

  title('A fresh clone');
  say('A colleague clones the repository. Everything is known to be up to date, without a byte of data.');
  await terminal.type('git clone --quiet . ../clone');
  const clone = new Terminal(join(folder, 'clone'), terminal.env);
  await clone.type('cd ../clone && cp -R ../workspace/node_modules .');
  await clone.type('npx sluice status');
  check(!existsSync(join(clone.cwd, 'data/tables')), 'no data came with the clone');
  await clone.type('npx sluice pull');
  check(sha256(join(clone.cwd, 'model/plot.svg')) === secondPlot, 'the plot of the clone is the same');
  const cloned = await clone.type('npx nx run model:fit');
  check(count(cloned, /^\s*unchanged/gm) === 3, 'nothing runs in the clone');

  title('Back to the earlier version');
  say('A version of the data is a commit of git. The data follows its lock.');
  await terminal.type('cd ../workspace && git checkout --quiet HEAD~1 -- model && npx sluice checkout');
  check(plot() === firstPlot, 'the plot is the first one, byte for byte');
  const reverted = await terminal.type('npx nx run model:fit');
  check(count(reverted, /^\s*unchanged/gm) === 3, 'the earlier version is up to date');

  title('Collect');
  say('What no lock of the workspace names goes, since the remote has it. What lies nowhere else would be kept.');
  await terminal.type('npx sluice store stat');
  await terminal.type('npx sluice gc');
  const { removed } = JSON.parse(await terminal.ask('npx sluice gc --json'));
  check(removed.blobs === 0, 'there is nothing left to collect');
  say('The newer version comes back from the remote.');
  await terminal.type('git checkout --quiet HEAD -- model && npx sluice pull');
  check(plot() === secondPlot, 'the plot is the second one again');

  say(`That was it. The workspace is in`);
  console.log(`\n  cd ${terminal.cwd}\n`);
  console.log('Look at model/plot.svg, model/project.json and model/sluice-lock.json, and try');
  console.log('  npx sluice explain model:fit                   why it would run or not');
  console.log('  npx nx run model:fit --skip-nx-cache           run everything anyway');
  console.log('  edit city in model/params.yaml to "New York", then npx nx run model:fit');
  console.log('  npx sluice verify --deep                       check every byte');
}

/** @param {string} text @param {RegExp} pattern */
function count(text, pattern) {
  return text.match(pattern)?.length ?? 0;
}

/** @param {string} path */
function sha256(path) {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}
