// Two datasets with images in common, from archives to a remote and back, as a notebook would tell it: A1 is what the remote has to take, A11 a workspace that begins anew.
import type { CommitReport, PullReport, PushReport, RemoteStatReport, StatusReport } from '@sluice/engine';
import { zipBytes } from '../packages/engine/src/testing/zip-bytes.js';
import { patternBytes } from './harness/bytes.js';
import { type Place, usePlaces } from './harness/places.js';
import { exactTotals } from './harness/progress.js';
import { story } from './harness/story.js';
import { createWorkspace, type Workspace } from './harness/workspace.js';

/** Five images of both datasets, five of the first only, two of the second only. */
const SHARED = [41_117, 64_003, 52_800, 38_405, 60_400];
const PEOPLE_ONLY = [101_300, 92_781, 70_005, 99_500, 75_000];
const FAMOUS_ONLY = [90_350, 70_001];
const PEOPLE = { files: 10, bytes: 695_311 };
const FAMOUS = { files: 7, bytes: 417_076 };
const BOTH = { files: 5, bytes: 256_725 };
const NEW = { files: 2, bytes: 160_351 };

function images(sizes: readonly number[], kind: string): { name: string; content: Uint8Array }[] {
  return sizes.map((size, at) => ({ name: `${kind}_${at}.jpg`, content: patternBytes(`${kind} ${at}`, size) }));
}

const people = [...images(SHARED, 'both'), ...images(PEOPLE_ONLY, 'people')];
const famous = [...images(SHARED, 'both'), ...images(FAMOUS_ONLY, 'famous')];

const generate = (name: string): string[] => [
  'g',
  '@sluice/nx:dataset',
  'faces',
  `--project=${name}`,
  `--projectRoot=${name}`,
  `--path=${name}/faces`,
  `--from=downloads/${name}.zip`,
  '--unzip',
];

test('the images have the sizes that the story is about', () => {
  const sum = (list: readonly { content: Uint8Array }[]): object => ({
    files: list.length,
    bytes: list.reduce((total, { content }) => total + content.length, 0),
  });
  expect([sum(people), sum(famous)]).toEqual([PEOPLE, FAMOUS]);
  expect([sum(images(SHARED, 'both')), sum(images(FAMOUS_ONLY, 'famous'))]).toEqual([BOTH, NEW]);
});

describe.each(usePlaces().map((place) => [place.name, place] as const))('with a remote in %s', (_, place: Place) => {
  let w: Workspace;
  let clone: Workspace;
  beforeAll(async () => {
    const made = await createWorkspace({
      '.gitignore': 'node_modules/\n.nx/\ndownloads/\n',
      'downloads/people.zip': zipBytes(people),
      'downloads/famous.zip': zipBytes(famous),
    });
    w = await place.prepare(made);
    await w.commitAll('Prepared');
  }, 120_000);
  afterAll(() => w?.delete());

  /** Keys, sizes and times of all that the remote holds, but for the mark that it is one. */
  async function remote(): Promise<unknown[]> {
    return [...(await place.contents())].filter(([key]) => key !== 'format').sort();
  }

  story('A5: a dataset is declared and unpacked from an archive, and twice is the same as once', async () => {
    await w.nx(...generate('people'));
    await w.nx(...generate('famous'));
    const once = await w.git('status', '--porcelain', '--untracked-files=all');
    await w.nx(...generate('people'));
    expect(await w.git('status', '--porcelain', '--untracked-files=all')).toBe(once);
    expect(once).not.toContain('.jpg');
    expect(Object.keys(w.hashes('people/faces'))).toEqual(people.map(({ name }) => name).sort());
    expect(w.hashes('famous/faces')['both_3.jpg']).toBe(w.hashes('people/faces')['both_3.jpg']);
    await w.commitAll('Two datasets');
  });

  story('A6: a commit says in one line what it took, counted to the end', async () => {
    const first = await w.run('sluice', 'commit', 'people');
    expect(first.stdout).toMatch(
      /^committed 10 files \(679[.]0 KiB\) in .+ \(.+\/s\): 11 new objects \(679[.]0 KiB\), 0 stored already$/m,
    );
    for (const ofBars of ['\r', '\u001b']) expect(first.output).not.toContain(ofBars);
    const second = await w.run('sluice', 'commit', 'famous', '--json', '--events');
    const report: CommitReport = JSON.parse(second.stdout);
    expect(report).toMatchObject({
      objects: { new: 3, reused: 5 },
      bytes: { new: NEW.bytes, reused: BOTH.bytes },
    });
    expect(exactTotals(second)).toEqual([`hashing famous/faces: ${FAMOUS.files}, ${FAMOUS.bytes}`]);
    expect((await w.run('sluice', 'commit', '--json')).stderr).toBe('');
  });

  story('A2: nothing has been sent by then', async () => {
    expect(await remote()).toEqual([]);
    const { stages } = await w.json<StatusReport>('status', '--remote');
    expect(stages.map(({ outs: [out] }) => [out?.files, out?.bytes, out?.remote])).toEqual([
      [FAMOUS.files, FAMOUS.bytes, { origin: 'absent' }],
      [PEOPLE.files, PEOPLE.bytes, { origin: 'absent' }],
    ]);
    expect(await w.sluice('status', '--remote')).toMatch(/people\/faces +10 files +679[.]0 KiB .*origin absent/);
  });

  story('A7: a commit needs no network', async () => {
    const nowhere = { url: 's3://nowhere/data', endpoint: 'http://127.0.0.1:9' };
    w.write({ 'sluice.local.json': { remotes: { origin: nowhere } } });
    expect((await w.failure(3, 'remote', 'ping')).code).toMatch(/^ERR_REMOTE_/);
    w.remove('.sluice');
    expect(await w.json<CommitReport>('commit')).toMatchObject({ objects: { new: 14, reused: 5 } });
    w.remove('sluice.local.json');
  });

  story('A8: what git gets are locks', async () => {
    await w.commitAll('First versions');
    const named = await w.git('show', '--name-only', '--format=', 'HEAD');
    expect(named.trim().split('\n')).toEqual(['famous/sluice-lock.json', 'people/sluice-lock.json']);
  });

  story('A1, A9: an image of both datasets is sent once, and what is counted are images', async () => {
    expect(await w.sluice('push', '--dry-run', 'people')).toContain(
      'would push 10 files: 10 new (679.0 KiB), 0 already stored; to origin',
    );
    expect(await remote()).toEqual([]);
    const first = await w.run('sluice', 'push', 'people', '--json', '--events');
    expect(JSON.parse(first.stdout)).toMatchObject({
      files: { sent: PEOPLE.files, reused: 0 },
      objects: { sent: PEOPLE.files + 1, reused: 0 },
      bytes: { sent: PEOPLE.bytes, reused: 0 },
    });
    expect(exactTotals(first)).toEqual([`sending origin: ${PEOPLE.files}, ${PEOPLE.bytes}`]);
    expect(await w.json<RemoteStatReport>('remote', 'stat')).toMatchObject({
      blobs: 10,
      trees: 1,
      referencedBytes: PEOPLE.bytes,
    });

    expect(await w.sluice('push', '--dry-run', 'famous')).toContain(
      'would push 7 files: 2 new (156.6 KiB), 5 already stored (250.7 KiB); to origin',
    );
    const second = await w.run('sluice', 'push', 'famous', '--json', '--events');
    expect(JSON.parse(second.stdout)).toMatchObject({
      files: { sent: NEW.files, reused: BOTH.files },
      objects: { sent: NEW.files + 1, reused: BOTH.files },
      bytes: { sent: NEW.bytes, reused: BOTH.bytes },
    });
    expect(exactTotals(second)).toEqual([`sending origin: ${FAMOUS.files}, ${FAMOUS.bytes}`]);
    expect(await w.json<PushReport>('push')).toMatchObject({
      files: { sent: 0, reused: PEOPLE.files + FAMOUS.files },
      objects: { sent: 0 },
      bytes: { sent: 0 },
      requests: { put: 0, list: 0 },
    });
    expect(await w.sluice('push')).toContain('pushed 17 files: 0 new (0 B), 17 already stored');
  });

  story('A3: what the remote holds can be counted', async () => {
    const listed = [...(await place.contents())];
    const stat = await w.json<RemoteStatReport>('remote', 'stat');
    expect(stat).toMatchObject({ blobs: 12, trees: 2, records: 0, referencedBytes: PEOPLE.bytes + NEW.bytes });
    expect(stat.bytes).toBe(listed.reduce((sum, [, { bytes }]) => sum + bytes, 0));
    expect(stat.packs).toBe(listed.filter(([key]) => key.includes('/packs/')).length);
  });

  story('A10: data is there before what names it', async () => {
    const times = new Map<string, number[]>();
    for (const [key, { atMs }] of await place.contents()) {
      const kind = /\/(packs|maps)\//.exec(key)?.[1] ?? 'format';
      times.set(
        kind,
        [...(times.get(kind) ?? []), atMs].sort((a, b) => a - b),
      );
    }
    const [packs = [], maps = []] = [times.get('packs'), times.get('maps')];
    expect([packs.length, maps.length]).toEqual([4, 2]);
    // A pack of blobs, one of trees, a map; and the same again.
    expect(Math.max(packs[0] ?? 0, packs[1] ?? 0)).toBeLessThanOrEqual(maps[0] ?? 0);
    expect(Math.max(packs[2] ?? 0, packs[3] ?? 0)).toBeLessThanOrEqual(maps[1] ?? 0);
  });

  story('A4: a clone is whole after one command', async () => {
    clone = (await w.clone('clone')).with(w.env);
    expect(await clone.json<PullReport>('pull')).toMatchObject({
      files: { received: PEOPLE.files + FAMOUS.files },
      bytes: { received: PEOPLE.bytes + NEW.bytes },
      workspace: { written: PEOPLE.files + FAMOUS.files },
    });
    for (const path of ['people/faces', 'famous/faces']) expect(clone.hashes(path)).toEqual(w.hashes(path));
    expect(await clone.git('status', '--porcelain')).toBe('');
  });

  story('A11: who begins anew touches nothing on the remote', async () => {
    const before = await remote();
    for (const path of ['.sluice', 'people/faces', 'famous/faces']) clone.remove(path);
    await clone.sluice('pull');
    for (const path of ['people/faces', 'famous/faces']) expect(clone.hashes(path)).toEqual(w.hashes(path));
    expect(await remote()).toEqual(before);
  });
});
