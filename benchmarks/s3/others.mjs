// @ts-check
// Other tools that bring a folder to a bucket and back, where they are installed.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { dvcVersion } from '../dvc.mjs';
import { run } from '../measure.mjs';

/** @typedef {{ endpoint: string, bucket: string, env: Record<string, string> }} Place */

/**
 * What another tool took, in seconds.
 *
 * @typedef {object} Times
 * @property {string} name
 * @property {number} push
 * @property {number | undefined} again
 * @property {number} fetch
 */

/**
 * Each tool once, in a folder of its own. One that fails is told and left out.
 * @param {string} source @param {Place} place @param {import('../work-dir.mjs').WorkDir} workDir @returns {Promise<Times[]>}
 */
export async function measureOthers(source, place, workDir) {
  const tools = [
    ...(dvcVersion() === undefined ? [] : [dvc]),
    ...(spawnSync('rclone', ['version']).status === 0 ? [rclone] : []),
  ];
  const all = [];
  for (const tool of tools) {
    const folder = workDir.fresh();
    mkdirSync(folder);
    try {
      all.push(await tool(source, place, folder));
    } catch (error) {
      console.log(`${tool.name} failed: ${error instanceof Error ? error.message : error}`);
    }
  }
  return all;
}

/** @param {string} source @param {Place} place @param {string} folder @returns {Promise<Times>} */
async function dvc(source, { endpoint, bucket, env }, folder) {
  const options = { cwd: folder, env: { ...env, DVC_NO_ANALYTICS: '1', DVC_SITE_CACHE_DIR: join(folder, 'site') } };
  /** @param {...string} args */
  const call = async (...args) => (await run('dvc', args, options)).seconds;
  await run('cp', ['-r', source, join(folder, 'data')]);
  await call('init', '--quiet', '--no-scm');
  await call('remote', 'add', '--default', 'bench', `s3://${bucket}/dvc-${Date.now()}`);
  await call('remote', 'modify', 'bench', 'endpointurl', endpoint);
  await call('add', '--quiet', 'data');
  const push = await call('push', '--quiet');
  const again = await call('push', '--quiet');
  await run('rm', ['-rf', join(folder, '.dvc/cache')]);
  return { name: 'dvc', push, again, fetch: await call('fetch', '--quiet') };
}

/** @param {string} source @param {Place} place @param {string} folder @returns {Promise<Times>} */
async function rclone(source, { endpoint, bucket, env }, folder) {
  const there = `:s3,provider=Other,env_auth=true,endpoint="${endpoint}":${bucket}/rclone-${Date.now()}`;
  /** @param {string} from @param {string} to */
  const copy = async (from, to) =>
    (await run('rclone', ['copy', '--config', '/dev/null', '--transfers', '32', '--checkers', '32', from, to], { env }))
      .seconds;
  const push = await copy(source, there);
  const again = await copy(source, there);
  return { name: 'rclone', push, again, fetch: await copy(there, join(folder, 'back')) };
}
