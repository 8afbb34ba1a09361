// @ts-check
// A workspace with a long history of data: what the commands that read history are tried and measured on.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * What of an engine is needed to commit data.
 * @typedef {object} HistoryEngine
 * @property {(options: { select: readonly string[] }) => Promise<unknown>} commit
 * @property {() => Promise<void>} close
 */

/**
 * @typedef {object} History
 * @property {string[]} stages `project:target` of each out
 * @property {string[]} changed the stage that each commit changed, oldest first; the first commit makes all
 * @property {number} lockBytes of all distinct locks together
 * @property {number} locks how many of them there are
 */

const PROJECTS = 4;
const DIRECTORIES = 3;
const FILES = 10;

/**
 * Makes a workspace in an empty directory: a git repository with `commits` commits on `main`, each of which changes one of `outs` outs (of 30 small files), in turn. The data
 * is committed by the engine, and the commits are given to git all at once.
 *
 * @param {string} root
 * @param {{ commits: number, outs: number, openEngine: (options: { root: string, env: NodeJS.ProcessEnv, threads: number, readOnce: boolean }) => Promise<HistoryEngine> }} options
 * @returns {Promise<History>}
 */
export async function makeHistory(root, { commits, outs, openEngine }) {
  const places = Array.from({ length: outs }, (_, i) => ({
    project: `p${i % PROJECTS}`,
    target: `d${Math.floor(i / PROJECTS)}`,
  }));
  const stages = places.map(({ project, target }) => `${project}:${target}`);
  writeDeclarations(root, places);
  for (const place of places) for (let f = 0; f < DIRECTORIES * FILES; f++) writeData(root, place, f, 0);
  const engine = await openEngine({ root, env: process.env, threads: 0, readOnce: true });
  const locks = new Map();
  const changed = [];
  const steps = [];
  try {
    for (let commit = 0; commit < commits; commit++) {
      const out = (commit * 7) % outs;
      const place = places[out] ?? { project: '', target: '' };
      if (commit > 0) changeOut(root, place, commit);
      await engine.commit({ select: commit === 0 ? [] : [stages[out] ?? ''] });
      const projects = commit === 0 ? [...new Set(places.map(({ project }) => project))] : [place.project];
      const files = projects.map((project) => lockOf(root, project));
      for (const { text } of files) locks.set(text, Buffer.byteLength(text));
      changed.push(stages[out] ?? '');
      steps.push(files);
    }
  } finally {
    await engine.close();
  }
  importCommits(root, steps);
  return { stages, changed, locks: locks.size, lockBytes: [...locks.values()].reduce((sum, bytes) => sum + bytes, 0) };
}

/** @param {string} root @param {readonly { project: string, target: string }[]} places */
function writeDeclarations(root, places) {
  write(root, 'nx.json', '{}\n');
  write(root, 'sluice.json', `${JSON.stringify({ durability: 'none' })}\n`);
  for (const project of new Set(places.map((place) => place.project))) {
    const targets = Object.fromEntries(
      places
        .filter((place) => place.project === project)
        .map(({ target }) => [
          target,
          { executor: '@sluice/nx:track', options: { outs: [`{projectRoot}/${target}`] } },
        ]),
    );
    write(root, `${project}/project.json`, `${JSON.stringify({ name: project, targets })}\n`);
  }
  execFileSync('git', ['init', '--quiet', '--initial-branch=main', root]);
}

/** One file gets other bytes; now and then one comes, and one goes. @param {string} root @param {{ project: string, target: string }} place @param {number} commit */
function changeOut(root, place, commit) {
  writeData(root, place, commit % (DIRECTORIES * FILES), commit);
  if (commit % 3 === 0) writeData(root, place, 1000 + commit, commit);
  if (commit % 5 === 0) rmSync(join(root, dataPath(place, (commit + 1) % (DIRECTORIES * FILES))), { force: true });
}

/** @param {string} root @param {{ project: string, target: string }} place @param {number} file @param {number} version */
function writeData(root, place, file, version) {
  write(root, dataPath(place, file), `${place.project} ${place.target} ${file} ${version}\n`);
}

/** @param {{ project: string, target: string }} place @param {number} file */
function dataPath({ project, target }, file) {
  return `${project}/${target}/${file % DIRECTORIES}/${file}.txt`;
}

/** @param {string} root @param {string} project */
function lockOf(root, project) {
  const path = `${project}/sluice-lock.json`;
  return { path, text: readFileSync(join(root, path), 'utf8') };
}

/** Gives git one commit per step, and the declarations with the first. @param {string} root @param {readonly (readonly { path: string, text: string }[])[]} steps */
function importCommits(root, steps) {
  const stream = steps.flatMap((files, i) => {
    const all = i === 0 ? [...files, ...declarations(root)] : files;
    const subject = `Change ${i}`;
    return [
      'commit refs/heads/main',
      `committer Ada <ada@example.com> ${1_750_000_000 + 3600 * i} +0000`,
      `data ${subject.length}`,
      subject,
      ...all.flatMap(({ path, text }) => [`M 100644 inline ${path}`, `data ${Buffer.byteLength(text)}`, text]),
      '',
    ];
  });
  execFileSync('git', ['fast-import', '--quiet'], { cwd: root, input: stream.join('\n') });
  execFileSync('git', ['reset', '--quiet', 'main'], { cwd: root });
}

/** @param {string} root */
function declarations(root) {
  const listed = execFileSync('git', ['ls-files', '--others', '--exclude-standard', '-z'], {
    cwd: root,
    encoding: 'utf8',
  });
  return listed
    .split('\0')
    .filter((path) => path !== '' && !path.endsWith('sluice-lock.json'))
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}

/** @param {string} root @param {string} path @param {string} text */
function write(root, path, text) {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}
