// @ts-check
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './measure.mjs';
import { pathInSet, randomStream } from './sets.mjs';
import { spread } from './work-dir.mjs';

/** @typedef {import('./sets.mjs').DataSet} DataSet */

const DVC = 'dvc';

/** The version of the `dvc` on the PATH, or `undefined`. */
export function dvcVersion() {
  const { status, stdout } = spawnSync(DVC, ['--version'], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}

/**
 * The same states as {@link import('./workspaces.mjs').createWorkspaces}, of a DVC repository with the set as dataset and one with it as a stage's out.
 *
 * @param {DataSet} set
 * @param {string} source
 * @param {import('./work-dir.mjs').WorkDir} workDir
 */
export function createDvcRepositories(set, source, workDir) {
  const tracked = join(workDir.path, 'dvc-tracked');
  const clone = join(workDir.path, 'dvc-clone');
  const made = join(workDir.path, 'dvc-made');
  const out = join(tracked, set.name);
  const state = { tracked: 'absent', made: false, remote: workDir.fresh(), pushed: false };
  const env = { DVC_NO_ANALYTICS: '1', DVC_SITE_CACHE_DIR: join(workDir.path, 'dvc-site') };

  /** @param {string} cwd @param {readonly string[]} args */
  const dvc = (cwd, args) => run(DVC, args, { cwd, env });

  /** @param {string} root */
  const init = async (root) => {
    mkdirSync(root, { recursive: true });
    spread(root);
    await dvc(root, ['init', '--quiet', '--no-scm']);
    await dvc(root, ['config', 'cache.type', set.name === 'links' ? 'hardlink' : 'copy']);
  };

  const ensureTracked = async () => {
    if (state.tracked !== 'absent') return;
    await init(tracked);
    await run('cp', ['-a', source, out]);
    state.tracked = 'bare';
  };

  const ensureCommitted = async () => {
    await ensureTracked();
    if (state.tracked === 'committed') return;
    await dvc(tracked, ['add', set.name]);
    state.tracked = 'committed';
  };

  const useNewRemote = async () => {
    workDir.retire(state.remote);
    state.remote = workDir.fresh();
    state.pushed = false;
    await dvc(tracked, ['remote', 'add', '--force', '--default', 'bench', state.remote]);
  };

  const ensurePushed = async () => {
    await ensureCommitted();
    if (state.pushed) return;
    await useNewRemote();
    await dvc(tracked, ['push']);
    state.pushed = true;
  };

  return {
    ensureCommitted,
    ensurePushed,
    async bare() {
      await ensureTracked();
      workDir.retire(join(tracked, '.dvc/cache'));
      workDir.retire(join(workDir.path, 'dvc-site'));
      workDir.retire(`${out}.dvc`);
      state.tracked = 'bare';
      state.pushed = false;
    },
    async withoutData() {
      await ensureCommitted();
      workDir.retire(out);
    },
    async oneChanged() {
      await ensureCommitted();
      const file = join(out, pathInSet(set, 0));
      rmSync(file);
      writeFileSync(file, randomStream(`${set.name}-changes`).next(set.leastBytes));
      state.pushed = false;
    },
    async unpushed() {
      await ensureCommitted();
      await useNewRemote();
    },
    async freshClone() {
      await ensurePushed();
      workDir.retire(clone);
      await init(clone);
      await run('cp', [`${out}.dvc`, clone]);
      await run('cp', [join(tracked, '.dvc/config'), join(clone, '.dvc/config')]);
    },
    async ensureMade() {
      if (state.made) return;
      await init(made);
      const stage = { cmd: `cp -r '${source}' '${set.name}'`, outs: [set.name] };
      // YAML takes JSON.
      writeFileSync(join(made, 'dvc.yaml'), JSON.stringify({ stages: { copy: stage } }));
      await dvc(made, ['repro']);
      state.made = true;
    },
    async withoutMade() {
      await this.ensureMade();
      workDir.retire(join(made, set.name));
    },
    /** @param {readonly string[]} args */
    async inTracked(...args) {
      const measured = await dvc(tracked, args);
      if (args[0] === 'add') state.tracked = 'committed';
      if (args[0] === 'push') state.pushed = true;
      return measured;
    },
    /** @param {readonly string[]} args */
    inClone: (...args) => dvc(clone, args),
    reproduce: () => dvc(made, ['repro']),
  };
}

/** @typedef {ReturnType<typeof createDvcRepositories>} DvcRepositories */
