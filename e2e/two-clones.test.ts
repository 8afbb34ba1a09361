// How people share versioned data over a remote, step by step, as two clones of one repository see it. The numbers of the steps are those of the story that they retell: D6 is the first push,
// D25 a look at what the bookkeeping holds. Samples are a hundredth of what the benchmark `rates` takes.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type {
  CheckoutReport,
  FetchReport,
  LogReport,
  LsReport,
  PullReport,
  PushReport,
  StatusReport,
  StoreStat,
  SummaryReport,
  VerifyReport,
} from '@sluice/engine';
import { patternBytes } from './harness/bytes.js';
import { type Place, type Stored, usePlaces } from './harness/places.js';
import { type Ended, expectCode } from './harness/process.js';
import { exactTotals } from './harness/progress.js';
import { story } from './harness/story.js';
import { createWorkspace, type Workspace } from './harness/workspace.js';

const TEST = { files: 103, each: 117, bytes: 103 * 117 };
const TRAIN = { files: 927, each: 234, bytes: 927 * 234 };

const PROJECT = {
  name: 'census',
  targets: {
    test: { executor: '@sluice/nx:track', cache: false, options: { outs: ['{projectRoot}/test'] } },
    train: { executor: '@sluice/nx:track', cache: false, options: { outs: ['{projectRoot}/train'] } },
    count: {
      executor: '@sluice/nx:stage',
      cache: false,
      options: {
        command: 'ls test | wc -l > count.txt',
        deps: ['{projectRoot}/test'],
        outs: ['{projectRoot}/count.txt'],
      },
    },
  },
};

function sample(out: 'test' | 'train', at: number, version = 1): Record<string, Uint8Array> {
  const bytes = patternBytes(`${out} ${at} v${version}`, out === 'test' ? TEST.each : TRAIN.each);
  return { [`census/${out}/${String(at).padStart(4, '0')}.bin`]: bytes };
}

function samples(out: 'test' | 'train'): Record<string, Uint8Array> {
  const count = out === 'test' ? TEST.files : TRAIN.files;
  return Object.assign({}, ...Array.from({ length: count }, (_, at) => sample(out, at)));
}

/** A command of `sluice` with its document and its events. */
async function told<T>(at: Workspace, ...args: string[]): Promise<{ readonly report: T; readonly ended: Ended }> {
  const ended = await at.run('sluice', ...args, '--json', '--events');
  return { report: JSON.parse(ended.stdout), ended };
}

const blobs = async (at: Workspace): Promise<number> => (await at.json<StoreStat>('store', 'stat')).blobs;

/** What a reader is told who asks no remote and cannot have the file. */
async function refused(at: Workspace, file: string): Promise<string> {
  return expectCode(await at.try('sluice', 'cat', file, '--offline'), 4, `cat ${file}`).stderr;
}

/** Bytes that blocks on the disk take, as `du` says it. */
async function du(at: Workspace, path: string): Promise<number> {
  return Number.parseInt((await at.run('du', '-sk', path)).stdout, 10) * 1024;
}

/** All bytes of all files below a directory, as text of one byte per character. */
function allBytes(directory: string): string {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return entries.map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1')).join('\n');
}

describe.each(usePlaces().map((place) => [place.name, place] as const))('with a remote in %s', (_, place: Place) => {
  /** Who makes the data, who uses it, and who merges without having it. */
  let ada: Workspace;
  let ben: Workspace;
  let cleo: Workspace;
  let afterMain: ReadonlyMap<string, Stored>;
  let merged: string;

  beforeAll(async () => {
    ada = await place.prepare(await createWorkspace({ 'census/project.json': PROJECT }));
    ada.write(samples('test'));
    await ada.sluice('commit');
    await ada.commitAll('Test samples');
  }, 120_000);
  afterAll(() => ada?.delete());

  story('D6: the first push sends each sample once, packs before the map that names them', async () => {
    const { report, ended } = await told<PushReport>(ada, 'push');
    expect(report).toMatchObject({
      files: { sent: TEST.files, reused: 0 },
      objects: { sent: TEST.files + 1, reused: 0 },
      bytes: { sent: TEST.bytes, reused: 0 },
    });
    expect(exactTotals(ended)).toEqual([`sending origin: ${TEST.files}, ${TEST.bytes}`]);
    afterMain = await place.contents();
    const times = (part: string): number[] =>
      [...afterMain].filter(([key]) => key.includes(part)).map(([, { atMs }]) => atMs);
    expect([times('/packs/').length, times('/maps/').length]).toEqual([2, 1]);
    expect(Math.max(...times('/packs/'))).toBeLessThanOrEqual(Math.min(...times('/maps/')));
  });

  story('D7: the push of a branch sends its samples, and nothing of what main has', async () => {
    await ada.git('switch', '--quiet', '--create', 'add-train');
    ada.write(samples('train'));
    await ada.sluice('commit');
    await ada.commitAll('Training samples');
    const { report, ended } = await told<PushReport>(ada, 'push');
    expect(report).toMatchObject({
      files: { sent: TRAIN.files, reused: TEST.files },
      objects: { sent: TRAIN.files + 1, reused: TEST.files + 1 },
      bytes: { sent: TRAIN.bytes, reused: TEST.bytes },
    });
    expect(exactTotals(ended)).toEqual([`sending origin: ${TRAIN.files}, ${TRAIN.bytes}`]);
    const now = await place.contents();
    for (const [key, { bytes }] of afterMain) expect(now.get(key)?.bytes).toBe(bytes);
  });

  story('D8: whatever is counted ends at exactly its total', async () => {
    const clone = (await ada.clone('counted')).with(ada.env);
    const pulled = await told<PullReport>(clone, 'pull');
    expect(exactTotals(pulled.ended)).toEqual([
      `receiving origin: ${TEST.files}, ${TEST.bytes}`,
      `receiving origin: ${TRAIN.files}, ${TRAIN.bytes}`,
      `writing files census/test: ${TEST.files}, ${TEST.bytes}`,
      `writing files census/train: ${TRAIN.files}, ${TRAIN.bytes}`,
    ]);
    clone.remove('.sluice');
    const committed = await told(clone, 'commit');
    expect(exactTotals(committed.ended)).toEqual([
      `hashing census/test: ${TEST.files}, ${TEST.bytes}`,
      `hashing census/train: ${TRAIN.files}, ${TRAIN.bytes}`,
    ]);
    // Two datasets that share packs on their way have one total.
    const other = await await createWorkspace({ 'census/project.json': PROJECT });
    try {
      await other.sluice('init', '--remote', 'file:../remote');
      other.write({ ...samples('test'), ...samples('train') });
      await other.sluice('commit');
      const pushed = await told(other, 'push');
      const all = `${TEST.files + TRAIN.files}, ${TEST.bytes + TRAIN.bytes}`;
      expect(exactTotals(pushed.ended)).toEqual([`sending origin: ${all}`]);
    } finally {
      other.delete();
    }
  });

  story('D9: every transfer says files, objects, bytes, requests and time', async () => {
    const report = await ada.json<PushReport>('push');
    expect(report).toMatchObject({
      files: { sent: 0, reused: TEST.files + TRAIN.files },
      objects: { sent: 0, reused: TEST.files + TRAIN.files + 2 },
      bytes: { sent: 0, reused: TEST.bytes + TRAIN.bytes },
      requests: { put: 0, list: 0, delete: 0 },
    });
    expect(report.ms).toBeGreaterThanOrEqual(0);
    expect(report.requests.head + report.requests.get).toBeLessThanOrEqual(3);
  });

  story('D11: a clone lists all files and their sizes, and no data moves', async () => {
    await ada.git('switch', '--quiet', 'main');
    ben = (await ada.clone('ben')).with(ada.env);
    const { files, bytes, outs } = await ben.json<LsReport>('ls');
    expect([files, bytes]).toEqual([TEST.files, TEST.bytes]);
    expect(outs[0]?.entries.filter((entry) => entry.kind === 'file')).toHaveLength(TEST.files);
    expect(outs[0]?.entries[0]).toMatchObject({ path: '0000.bin', bytes: TEST.each, stored: false });
    expect(await ben.json<StoreStat>('store', 'stat')).toMatchObject({ blobs: 0, trees: 1, bytes: 0 });
  });

  story('D12: a branch is fetched by git, and so is all that it says of data', async () => {
    await ben.git('switch', '--quiet', 'add-train');
    expect(await ben.json<LsReport>('ls')).toMatchObject({
      files: TEST.files + TRAIN.files,
      bytes: TEST.bytes + TRAIN.bytes,
    });
    expect(await blobs(ben)).toBe(0);
    await ben.git('switch', '--quiet', 'main');
  });

  story('D13: a checkout without data says what is missing and what brings it', async () => {
    const ended = await ben.run('sluice', 'checkout');
    expect(ended.stderr).toMatch(/warning: .*census:test.* 103 files \(11[.]8 KiB\) .*reference-only/);
    expect(ended.stderr).toContain('sluice pull census:test');
    const { referenceOnly } = await ben.json<CheckoutReport>('checkout');
    expect(referenceOnly).toMatchObject([{ path: 'census/test', files: TEST.files, bytes: TEST.bytes }]);
    expect((await ben.failure(4, 'checkout', '--strict')).code).toBe('ERR_NOT_LOCAL');
  });

  story('D14: the status counts what of an out is here and what is there', async () => {
    await ben.sluice('pull', 'census:test#000?.bin');
    const [, stage] = (await ben.json<StatusReport>('status', '--remote')).stages;
    expect(stage?.outs).toMatchObject([
      {
        path: 'census/test',
        files: TEST.files,
        bytes: TEST.bytes,
        workspace: 'partial',
        store: 'partial',
        stored: { files: 10, bytes: 10 * TEST.each },
        remote: { origin: 'complete' },
      },
    ]);
  });

  story(
    'D15: who reads what is not here is told its digest and the command, and a stage gets what it declared',
    async () => {
      const away = await refused(ben, 'census:test#0050.bin');
      expect(away).toMatch(
        /ERR_NOT_LOCAL: "census\/test\/0050[.]bin" \(sha256:[0-9a-f]{12}, 117 B\) is not in the store/,
      );
      expect(away).toContain('sluice fetch');
      const offline = await ben.with({ ...ben.env, SLUICE_OFFLINE: '1' }).try('nx', 'run', 'census:count');
      expect([offline.code, offline.output]).toEqual([1, expect.stringMatching(/ERR_NOT_LOCAL: .*sha256:[0-9a-f]+/)]);
      await ben.nx('run', 'census:count');
      expect(ben.read('census/count.txt').trim()).toBe(String(TEST.files));
      expect(await blobs(ben)).toBe(TEST.files + 1);
      await ben.git('checkout', '--quiet', '--', '.');
    },
  );

  story('D16: a fetch takes one out of one revision, so many bytes, or the whole history', async () => {
    ben.remove('.sluice');
    const some = await told<FetchReport>(ben, 'fetch', '--rev', 'add-train', '--max-bytes', '5000', 'census:train');
    expect(some.report).toMatchObject({
      files: { received: 21 },
      bytes: { received: 21 * TRAIN.each },
      left: { files: TRAIN.files - 21, bytes: TRAIN.bytes - 21 * TRAIN.each },
    });
    expect(exactTotals(some.ended)).toEqual([`receiving origin: 21, ${21 * TRAIN.each}`]);
    const rest = await ben.json<FetchReport>('fetch', '--rev', 'add-train', 'census:train');
    expect(rest).toMatchObject({
      files: { received: TRAIN.files - 21, reused: 21 },
      bytes: { received: TRAIN.bytes - 21 * TRAIN.each, reused: 21 * TRAIN.each },
      left: { files: 0, bytes: 0 },
    });
    ben.remove('.sluice');
    await ben.git('switch', '--quiet', 'add-train');
    expect(await ben.json<FetchReport>('fetch', '--history')).toMatchObject({
      files: { received: TEST.files + TRAIN.files },
      bytes: { received: TEST.bytes + TRAIN.bytes },
    });
    await ben.git('switch', '--quiet', 'main');
  });

  story('D17: a pull of main brings its samples and none of the other branch', async () => {
    for (const path of ['.sluice', 'census/test']) ben.remove(path);
    await ben.git('switch', '--quiet', 'add-train');
    const { report, ended } = await told<PullReport>(ben, 'pull', '--rev', 'main');
    expect(report).toMatchObject({
      files: { received: TEST.files, reused: 0 },
      objects: { received: TEST.files + 1 },
      bytes: { received: TEST.bytes },
      workspace: { written: TEST.files },
    });
    expect(exactTotals(ended)).toEqual([
      `receiving origin: ${TEST.files}, ${TEST.bytes}`,
      `writing files census/test: ${TEST.files}, ${TEST.bytes}`,
    ]);
    expect(await ben.json<StoreStat>('store', 'stat')).toMatchObject({ blobs: TEST.files, bytes: TEST.bytes });
    expect(ben.hashes('census/test')).toEqual(ada.hashes('census/test'));
  });

  story('D18: one out is here and can be read, the other one is not and says so', async () => {
    const { stages } = await ben.json<StatusReport>('status', 'census:test', 'census:train');
    expect(stages.map(({ outs: [out] }) => [out?.path, out?.workspace, out?.store])).toEqual([
      ['census/test', 'present', 'complete'],
      ['census/train', 'absent', 'absent'],
    ]);
    expect((await ben.sluice('cat', 'census:test#0007.bin', '--offline')).length).toBeGreaterThan(0);
    expect(await refused(ben, 'census:train#0007.bin')).toContain('ERR_NOT_LOCAL');
    await ben.git('switch', '--quiet', 'main');
  });

  story('D19: two branches are merged in a clone that has no data, and the union is right', async () => {
    // Main gets a sample and changes one; the branch drops one.
    ada.write({ ...sample('test', 1, 2), ...sample('test', TEST.files) });
    await ada.sluice('commit');
    await ada.sluice('push');
    await ada.commitAll('More test samples');
    await ada.git('switch', '--quiet', 'add-train');
    await ada.sluice('checkout');
    ada.remove('census/test/0050.bin');
    await ada.sluice('commit');
    await ada.sluice('push');
    await ada.commitAll('One test sample less');
    await ada.git('switch', '--quiet', 'main');
    await ada.sluice('checkout', 'census:test');

    cleo = (await ada.clone('cleo')).with(ada.env);
    await cleo.sluice('doctor', '--fix', '--quiet');
    expect(await cleo.git('merge', '--no-edit', 'origin/add-train')).toContain('merged census/sluice-lock.json');
    merged = (await cleo.git('rev-parse', 'HEAD')).trim();
    expect(await blobs(cleo)).toBe(0);
    const { outs } = await cleo.json<LsReport>('ls');
    expect(outs.map(({ target, files, bytes }) => [target, files, bytes])).toEqual([
      ['test', TEST.files, TEST.bytes],
      ['train', TRAIN.files, TRAIN.bytes],
    ]);
    const names = outs[0]?.entries.map(({ path }) => path) ?? [];
    expect([names.includes('0050.bin'), names.includes('0103.bin')]).toEqual([false, true]);
  });

  story('D20: the log draws how the versions came about', async () => {
    const { commits } = await cleo.json<LogReport>('log', 'census:test', '--stat');
    expect(commits.map(({ subject, parents, outs }) => [subject.split(' ')[0], parents.length, outs[0]?.stat])).toEqual(
      [
        ['Merge', 2, expect.anything()],
        expect.arrayContaining(['One', 1, expect.objectContaining({ deleted: 1, added: 0, modified: 0 })]),
        expect.arrayContaining(['More', 1, expect.objectContaining({ added: 1, modified: 1, deleted: 0 })]),
        ['Test', 0, expect.objectContaining({ added: TEST.files, bytesAdded: TEST.bytes })],
      ],
    );
    const graph = (await cleo.sluice('log', 'census:test', '--graph')).split('\n');
    const drawn = graph
      .filter((line) => /[0-9a-f]{10} \d{4}-/.test(line))
      .map((line) => line.replace(/[0-9a-f]{10}.*/, ''));
    expect(drawn).toEqual(['*   ', '| * ', '* | ', '* ']);
    expect(graph.join('\n')).toContain('census/test  103 files, 11.8 KiB');
  });

  story('D22: the push of a merge sends no data', async () => {
    const before = await place.contents();
    const { report, ended } = await told<PushReport>(cleo, 'push');
    expect(report).toMatchObject({ files: { sent: 0 }, objects: { sent: 1 }, bytes: { sent: 0 } });
    exactTotals(ended);
    const fresh = [...(await place.contents())].filter(([key]) => !before.has(key));
    expect(fresh.map(([key]) => key.replace(/.*\/(packs|maps)\/.*/, '$1')).sort()).toEqual(['maps', 'packs']);
    // One tree of 103 entries, and where its blobs lie: no sample fits into that.
    expect(fresh.reduce((sum, [, { bytes }]) => sum + bytes, 0)).toBeLessThan(TEST.bytes);
    await cleo.git('push', '--quiet', 'origin', 'HEAD:merged');
  });

  story('D23: the other clone sees nothing of it until it asks git, and then brings what is new', async () => {
    const old = await ben.git('rev-parse', 'HEAD');
    expect(await ben.json<LsReport>('ls', 'census:test#0103.bin')).toMatchObject({ files: 0, bytes: 0 });
    expect(await ben.git('rev-parse', 'HEAD')).toBe(old);
    await ben.git('fetch', '--quiet');
    await ben.git('merge', '--quiet', '--ff-only', 'origin/merged');
    expect((await ben.git('rev-parse', 'HEAD')).trim()).toBe(merged);
    const { report, ended } = await told<PullReport>(ben, 'pull', 'census:test');
    expect(report).toMatchObject({
      files: { received: 2 },
      bytes: { received: 2 * TEST.each },
      workspace: { written: 2, removed: 1 },
    });
    expect(exactTotals(ended)[0]).toBe(`receiving origin: 2, ${2 * TEST.each}`);
    const expected = ada.hashes('census/test');
    delete expected['0050.bin'];
    expect(ben.hashes('census/test')).toEqual(expected);
  });

  story('D21: the summary says what the disk says', async () => {
    const { outs, store, distinct } = await ben.json<SummaryReport>('summary');
    expect(outs.map(({ path, files, stored, remote }) => [path, files, stored?.files, remote])).toEqual([
      ['census/test', TEST.files, TEST.files, { origin: 'complete' }],
      ['census/train', TRAIN.files, 0, { origin: 'complete' }],
    ]);
    expect(distinct).toEqual({ files: TEST.files + TRAIN.files, bytes: TEST.bytes + TRAIN.bytes });
    expect([outs[0]?.disk.bytes, outs[1]?.disk.bytes]).toEqual([await du(ben, 'census/test'), 0]);
    expect(store.disk.bytes).toBe(await du(ben, '.sluice'));
  });

  story('D24: clones of one commit may hold more or less of its data, and each is whole', async () => {
    await cleo.sluice('pull');
    const [here, there] = [ben, cleo].map((at) => at.read('census/sluice-lock.json'));
    expect(here).toBe(there);
    expect([await blobs(ben), await blobs(cleo)]).toEqual([TEST.files + 2, TEST.files + TRAIN.files]);
    for (const at of [ben, cleo]) {
      expect(await at.json<VerifyReport>('verify', '--deep')).toMatchObject({ findings: [] });
    }
  });

  story('D25: locks and trees hold no places', async () => {
    const fresh = (await cleo.clone('bookkeeping')).with(cleo.env);
    await fresh.sluice('ls');
    expect(await fresh.json<StoreStat>('store', 'stat')).toMatchObject({ blobs: 0, trees: 2 });
    const [, url = ''] = /"url": "(?:\w+:[/.]*)([^"]+)"/.exec(fresh.read('sluice.json')) ?? [];
    const kept = ['objects', 'packs']
      .map((name) => fresh.path('.sluice', name))
      .filter((path) => fresh.exists(path.slice(fresh.root.length + 1)));
    const bookkeeping = [fresh.read('census/sluice-lock.json'), ...kept.map(allBytes)].join('\n');
    expect(bookkeeping).toContain('0103.bin');
    for (const where of [url, fresh.root, 'origin', '.sluice', 's3:', 'file:', 'packs/']) {
      expect(where).not.toBe('');
      expect(bookkeeping).not.toContain(where);
    }
  });
});
