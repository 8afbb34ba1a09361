// @ts-check
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { inRepository, run } from './measure.mjs';
import { pathInSet, randomStream } from './sets.mjs';
import { spread } from './work-dir.mjs';

/** @typedef {import('./sets.mjs').DataSet} DataSet */
/** @typedef {import('./measure.mjs').Measurement} Measurement */

const PROJECT = 'data';
const LOCK = join(PROJECT, 'sluice-lock.json');
const STAGE_CALL = inRepository('benchmarks/stage-call.mjs');

/**
 * Where a workspace pushes to: the settings of a remote that was never used, each time, and what its commands need in their environment.
 *
 * @typedef {object} RemotePlaces
 * @property {(fresh: string) => object} next `fresh`: a path beside the workspaces that is free
 * @property {NodeJS.ProcessEnv} env
 */

/** Directories beside the workspaces. @type {RemotePlaces} */
const DIRECTORIES = { next: (path) => ({ url: pathToFileURL(path).href }), env: {} };

/**
 * The workspaces of one set, made when a row first needs them.
 *
 * - *tracked*: the set is a dataset kept by hand.
 * - *clone*: what a fresh git clone of it has: the lock, and no data.
 * - *made*: the set is the out of a stage whose command copies it.
 *
 * @param {DataSet} set
 * @param {string} source path of the set
 * @param {import('./work-dir.mjs').WorkDir} workDir where they are made
 * @param {string} cli path of the built command line
 * @param {RemotePlaces} [places]
 */
export function createWorkspaces(set, source, workDir, cli, places = DIRECTORIES) {
  const out = `${PROJECT}/${set.name}`;
  const tracked = join(workDir.path, 'tracked');
  const clone = join(workDir.path, 'clone');
  const made = join(workDir.path, 'made');
  const state = { tracked: 'absent', made: false, remotes: 0, remote: workDir.fresh(), pushed: false, changes: 0 };
  const random = randomStream(`${set.name}-changes`);

  /** @param {string} root @param {readonly string[]} args */
  const sluice = (root, args) =>
    run(process.execPath, [cli, ...args, '--json'], { cwd: root, peak: true, env: places.env });

  /** @param {string} root */
  const forget = (root) => {
    workDir.retire(join(root, '.sluice'));
    workDir.retire(join(root, LOCK));
  };

  const ensureTracked = async () => {
    if (state.tracked !== 'absent') return;
    const mutability = set.name === 'links' ? 'strict' : 'flexible';
    await makeWorkspace(tracked, { executor: '@sluice/nx:track', options: { outs: [{ path: out, mutability }] } });
    await run('cp', ['-a', source, join(tracked, out)]);
    state.tracked = 'bare';
  };

  const ensureCommitted = async () => {
    await ensureTracked();
    if (state.tracked === 'committed') return;
    await sluice(tracked, ['commit']);
    state.tracked = 'committed';
  };

  const useNewRemote = () => {
    state.remotes++;
    state.pushed = false;
    // A name and a place that nothing was ever kept about.
    workDir.retire(state.remote);
    state.remote = workDir.fresh();
    writeRemote(tracked, `remote${state.remotes}`, places.next(state.remote));
  };

  const ensurePushed = async () => {
    await ensureCommitted();
    if (state.pushed) return;
    useNewRemote();
    await sluice(tracked, ['push']);
    state.pushed = true;
  };

  return {
    /** Absolute path of the set in the tracked workspace. */
    trackedOut: join(tracked, out),
    trackedStore: join(tracked, '.sluice'),
    madeOut: join(made, out),
    ensureCommitted,
    ensurePushed,

    /** The data is there and was never committed. */
    async bare() {
      await ensureTracked();
      forget(tracked);
      state.tracked = 'bare';
      state.pushed = false;
    },

    /** All is committed, and the data is gone from the workspace. */
    async withoutData() {
      await ensureCommitted();
      workDir.retire(join(tracked, out));
    },

    /** All is committed, then one file got other bytes. */
    async oneChanged() {
      await ensureCommitted();
      const file = pathInSet(set, state.changes++);
      writeFileSync(join(tracked, out, file), random.next(set.leastBytes));
      state.pushed = false;
    },

    /** All is committed, and the remote holds nothing. */
    async unpushed() {
      await ensureCommitted();
      useNewRemote();
    },

    /** All is on the remote, and the clone has its lock only. */
    async freshClone() {
      await ensurePushed();
      workDir.retire(clone);
      cpSync(tracked, clone, {
        recursive: true,
        filter: (path) => path !== join(tracked, out) && path !== join(tracked, '.sluice'),
      });
    },

    /** The stage has run. */
    async ensureMade() {
      if (state.made) return;
      const options = { command: `cp -r '${source}' '${set.name}'`, outs: [out] };
      await makeWorkspace(made, { executor: '@sluice/nx:stage', options });
      await run(process.execPath, [STAGE_CALL, made, `${PROJECT}:${set.name}`]);
      state.made = true;
    },

    /** The stage has run, and its data is gone. */
    async withoutMade() {
      await this.ensureMade();
      workDir.retire(join(made, out));
    },

    /** @param {readonly string[]} args */
    async inTracked(...args) {
      const measured = await sluice(tracked, args);
      if (args[0] === 'commit') state.tracked = 'committed';
      if (args[0] === 'push') state.pushed = true;
      return measured;
    },

    /** @param {readonly string[]} args */
    inClone: (...args) => sluice(clone, args),

    /** Runs the stage in a process of its own, and gives the time of the engine's call in it. @returns {Promise<Measurement>} */
    async callStage() {
      const args = [STAGE_CALL, made, `${PROJECT}:${set.name}`];
      const whole = await run(process.execPath, args, { cwd: made, peak: true });
      return { ...whole, seconds: JSON.parse(whole.stdout).seconds };
    },
  };

  /** A git repository with an Nx workspace of one project, whose one target is named like the set. @param {string} root @param {object} target */
  async function makeWorkspace(root, target) {
    writeJson(join(root, 'nx.json'), {});
    mkdirSync(join(root, PROJECT), { recursive: true });
    // So that an out is made in as fresh a place as the copy that a native command makes.
    spread(join(root, PROJECT));
    writeJson(join(root, PROJECT, 'project.json'), { name: PROJECT, targets: { [set.name]: target } });
    writeFileSync(join(root, '.gitignore'), '/.sluice/\n');
    // As Sluice writes it before the first byte of an out exists.
    writeFileSync(join(root, PROJECT, '.gitignore'), `/${set.name}\n`);
    const who = ['-c', 'user.name=bench', '-c', 'user.email=bench@localhost'];
    await run('git', ['init', '--quiet'], { cwd: root });
    await run('git', ['add', '--all'], { cwd: root });
    await run('git', [...who, 'commit', '--quiet', '--message', 'Begin'], { cwd: root });
  }
}

/** @typedef {ReturnType<typeof createWorkspaces>} Workspaces */

/** @param {string} root @param {string} name @param {object} settings */
function writeRemote(root, name, settings) {
  writeJson(join(root, 'sluice.json'), { defaultRemote: name, remotes: { [name]: settings } });
}

/** @param {string} path @param {unknown} value */
function writeJson(path, value) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(value, undefined, 2)}\n`);
}
