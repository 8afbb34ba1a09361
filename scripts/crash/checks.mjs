// @ts-check
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseMapFront } from '../../packages/engine/dist/model/map.js';
import { json } from './process.mjs';

const AREAS = ['trusted', 'shared'];

/** What is wrong in a workspace after a kill: damaged or missing objects, and locked outs that are nowhere. @param {string} root @returns {Promise<string[]>} */
export async function workspaceProblems(root) {
  const { findings } = await json(root, ['verify', '--deep']);
  const problems = findings.map((/** @type {unknown} */ finding) => `verify: ${JSON.stringify(finding)}`);
  const { stages } = await json(root, ['status', '--remote']);
  for (const { project, target, outs } of stages) {
    for (const { path, digest, store, remote } of outs) {
      if (!isLocked(root, digest) || store === 'complete' || remote.origin === 'complete') continue;
      problems.push(
        `${project}:${target}: ${path} ${digest} is locked, but ${store} in the store and ${remote.origin} on the remote`,
      );
    }
  }
  return problems;
}

/** Maps that name a pack or a map that is not there. @param {string} remote @returns {string[]} */
export function remoteProblems(remote) {
  /** @type {string[]} */
  const problems = [];
  for (const area of AREAS) {
    const maps = join(remote, area, 'maps');
    if (!existsSync(maps)) continue;
    for (const name of readdirSync(maps, { recursive: true, encoding: 'utf8' })) {
      if (!name.endsWith('.map')) continue;
      const front = parseMapFront(readFileSync(join(maps, name)), name);
      const packs = front.packs.map((pack) =>
        join(AREAS[pack.area] ?? '', 'packs', `${pack.raw.toString('hex')}.pack`),
      );
      const others = front.maps.map((map) => join(AREAS[map.area] ?? '', 'maps', fannedOut(map.raw.toString('hex'))));
      for (const needed of [...packs, ...others]) {
        if (!existsSync(join(remote, needed))) problems.push(`the map ${name} names ${needed}, which is not there`);
      }
    }
  }
  return problems;
}

/** What killed writers and collections have left behind, and a collection should have cleared away. @param {string} root @returns {string[]} */
export function leftovers(root) {
  return ['tmp', 'trash', 'leases', 'moves'].flatMap((name) => {
    const folder = join(root, '.sluice', name);
    return existsSync(folder) ? readdirSync(folder).map((entry) => `left behind: .sluice/${name}/${entry}`) : [];
  });
}

/** @param {string} hex */
function fannedOut(hex) {
  return `${hex.slice(0, 2)}/${hex.slice(2)}.map`;
}

/** @param {string} root @param {string} digest */
function isLocked(root, digest) {
  return readFileSync(join(root, 'p/sluice-lock.json'), 'utf8').includes(digest);
}
