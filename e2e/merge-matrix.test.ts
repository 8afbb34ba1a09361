import { createHash } from 'node:crypto';
import type { ConflictReport, LsReport, PushReport, StatusReport, StoreStat } from '@sluice/engine';
import { usePlaces } from './harness/places.js';
import { expectCode } from './harness/process.js';
import { story } from './harness/story.js';
import { createWorkspace, type Workspace } from './harness/workspace.js';

let w: Workspace;
afterEach(() => w?.delete());

/** What a side made of a file of the base. */
const STATES = { unchanged: 'A', x: 'X', y: 'Y', removed: undefined };

interface Case {
  readonly base: string | undefined;
  readonly ours: string | undefined;
  readonly theirs: string | undefined;
}

/** Every pair of states, and what can happen to a file that the base does not have; by the name of the file. */
const CASES: Readonly<Record<string, Case>> = {
  ...Object.fromEntries(
    Object.entries(STATES).flatMap(([a, ours]) =>
      Object.entries(STATES).map(([b, theirs]) => [`${a}-${b}`, { base: 'A', ours, theirs }]),
    ),
  ),
  'new-ours': { base: undefined, ours: 'X', theirs: undefined },
  'new-theirs': { base: undefined, ours: undefined, theirs: 'X' },
  'new-both': { base: undefined, ours: 'X', theirs: 'X' },
  'new-different': { base: undefined, ours: 'X', theirs: 'Y' },
};

const CLASSES = {
  'new-different': 'both-added',
  'removed-x': 'removed-changed',
  'removed-y': 'removed-changed',
  'x-removed': 'changed-removed',
  'x-y': 'both-changed',
  'y-removed': 'changed-removed',
  'y-x': 'both-changed',
};
const MIRROR: Readonly<Record<string, string>> = {
  'removed-changed': 'changed-removed',
  'changed-removed': 'removed-changed',
};

/** Contents have other lengths, so that a conflict tells its sides by their sizes too. */
const LENGTHS: Readonly<Record<string, number>> = { A: 100, X: 200, Y: 300 };

function contentOf(name: string, state: string): string {
  return `${name} ${state} `.padEnd(LENGTHS[state] ?? 0, '.');
}

/** A workspace whose remote has three versions of the dataset, on the branches `main`, `ours` and `theirs`. */
async function threeVersions(prepare: (made: Workspace) => Promise<Workspace>): Promise<Workspace> {
  const raw = { executor: '@sluice/nx:track', cache: false, options: { outs: ['{projectRoot}/raw'] } };
  w = await createWorkspace({ 'p/project.json': { name: 'p', targets: { raw } } });
  const made = await prepare(w);
  for (const side of ['base', 'ours', 'theirs'] as const) {
    if (side !== 'base') await made.git('switch', '--quiet', '--create', side, 'main');
    if (made.exists('p/raw')) made.remove('p/raw');
    made.write({ 'p/raw/kept': 'kept' });
    for (const [name, versions] of Object.entries(CASES)) {
      const state = versions[side];
      if (state !== undefined) made.write({ [`p/raw/${name}`]: contentOf(name, state) });
    }
    await made.sluice('commit');
    await made.sluice('push');
    await made.commitAll(side);
  }
  return made;
}

/** A clone without any data in which `other` is being merged into `branch`; its conflicts. */
async function merging(
  made: Workspace,
  branch: string,
  other: string,
): Promise<readonly [Workspace, readonly ConflictReport[]]> {
  const clone = (await made.clone(`merge-${branch}`)).with(made.env);
  await clone.git('switch', '--quiet', branch);
  await clone.sluice('doctor', '--fix', '--quiet');
  const merge = expectCode(await clone.try('git', 'merge', '--no-edit', `origin/${other}`), 1, 'git merge');
  const { conflicts = [] } = await clone.json<StatusReport>('status');
  for (const { selector } of conflicts) expect(merge.stdout).toContain(selector);
  expect(await clone.json<StoreStat>('store', 'stat')).toMatchObject({ blobs: 0, bytes: 0 });
  return [clone, conflicts];
}

const classes = (conflicts: readonly ConflictReport[]): object =>
  Object.fromEntries(conflicts.map(({ path, class: name }) => [path, name]));

for (const place of usePlaces()) {
  story(`what two sides did to a file, all pairs, merged without data from ${place.name}`, async () => {
    const made = await threeVersions(place.prepare);
    const [clone, conflicts] = await merging(made, 'ours', 'theirs');
    expect(classes(conflicts)).toEqual(CLASSES);
    for (const { path, bytes } of conflicts) {
      const { base, ours, theirs } = CASES[path] ?? {};
      const length = (state: string | undefined): number | null => (state === undefined ? null : (LENGTHS[state] ?? 0));
      expect(bytes).toEqual({ base: length(base), ours: length(ours), theirs: length(theirs) });
    }
    // Our side of a conflict, and of everything else what one side did to it.
    await clone.sluice('resolve', '--ours');
    await clone.commitAll('Merged');
    const expected: Record<string, string> = { kept: 'kept' };
    for (const [name, { base, ours, theirs }] of Object.entries(CASES)) {
      const state = name in CLASSES || ours !== base ? ours : theirs;
      if (state !== undefined) expected[name] = contentOf(name, state);
    }
    const { outs } = await clone.json<LsReport>('ls');
    const digests = Object.entries(expected).map(([name, content]) => [name, `sha256:${sha256(content)}`]);
    expect(Object.fromEntries(outs[0]?.entries.map(({ path, digest }) => [path, digest]) ?? [])).toEqual(
      Object.fromEntries(digests),
    );

    const before = await place.contents();
    expect(await clone.json<PushReport>('push')).toMatchObject({
      files: { sent: 0, reused: Object.keys(expected).length },
      objects: { sent: 1 },
      bytes: { sent: 0 },
    });
    const fresh = [...(await place.contents()).keys()].filter((key) => !before.has(key));
    expect(fresh.map((key) => key.replace(/.*\/(packs|maps)\/.*/, '$1')).sort()).toEqual(['maps', 'packs']);
    expect(await clone.json<StoreStat>('store', 'stat')).toMatchObject({ blobs: 0, bytes: 0 });
    await clone.sluice('pull');
    expect(clone.hashes('p/raw')).toEqual(
      Object.fromEntries(Object.entries(expected).map(([name, content]) => [name, sha256(content)])),
    );

    const [, mirrored] = await merging(made, 'theirs', 'ours');
    const swapped = Object.entries(CLASSES).map(([name, kind]) => [name, MIRROR[kind] ?? kind]);
    expect(classes(mirrored)).toEqual(Object.fromEntries(swapped));
  });
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
