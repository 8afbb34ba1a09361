// D10 of the story in `two-clones.test.ts`: what happens when two push at once, when a push dies half-way, and when two made different results of the same inputs.
import type { PullReport, PushReport, VerifyReport } from '@sluice/engine';
import { patternBytes } from './harness/bytes.js';
import { type Place, usePlaces } from './harness/places.js';
import { story } from './harness/story.js';
import { createWorkspace, type Workspace } from './harness/workspace.js';

let w: Workspace;
afterEach(() => w?.delete());

function tracked(path: string): object {
  return { executor: '@sluice/nx:track', cache: false, options: { outs: [`{projectRoot}/${path}`] } };
}

const DICE = {
  executor: '@sluice/nx:stage',
  cache: false,
  options: { command: 'date +%s%N > dice.txt', outs: ['{projectRoot}/dice.txt'] },
};

/** A workspace with a remote in the place, and a clone of it. */
async function twoOf(place: Place): Promise<readonly [Workspace, Workspace]> {
  w = await createWorkspace({
    'p/project.json': { name: 'p', targets: { same: tracked('same'), other: tracked('other'), dice: DICE } },
  });
  const ada = await place.prepare(w);
  await ada.commitAll('Prepared');
  return [ada, (await ada.clone('ben')).with(ada.env)];
}

function files(seed: string, count: number, sizeBytes: number): Record<string, Uint8Array> {
  return Object.fromEntries(
    Array.from({ length: count }, (_, at) => [`${at}.bin`, patternBytes(`${seed} ${at}`, sizeBytes)]),
  );
}

function into(directory: string, contents: Record<string, Uint8Array>): Record<string, Uint8Array> {
  return Object.fromEntries(Object.entries(contents).map(([name, bytes]) => [`${directory}/${name}`, bytes]));
}

describe.each(usePlaces().map((place) => [place.name, place] as const))('with a remote in %s', (_, place: Place) => {
  story('two push the same root and roots of their own at the same time: all of them are complete', async () => {
    const [ada, ben] = await twoOf(place);
    for (const [at, seed] of [
      [ada, 'ada'],
      [ben, 'ben'],
    ] as const) {
      at.write({ ...into('p/same', files('same', 50, 700)), ...into('p/other', files(seed, 50, 700)) });
      await at.sluice('commit');
    }
    const reports = await Promise.all([ada, ben].map((at) => at.json<PushReport>('push')));
    for (const { files: counted } of reports) expect(counted.sent + counted.reused).toBe(100);
    for (const at of [ada, ben]) {
      expect(await at.json<VerifyReport>('verify', '--remote', '--deep')).toMatchObject({ findings: [] });
      const before = [at.hashes('p/same'), at.hashes('p/other')];
      for (const path of ['.sluice', 'p/same', 'p/other']) at.remove(path);
      expect(await at.json<PullReport>('pull')).toMatchObject({ files: { received: 100 } });
      expect([at.hashes('p/same'), at.hashes('p/other')]).toEqual(before);
    }
  });

  story('a push that is killed half-way leaves no map, and the next one sends only the rest', async () => {
    const [ada, ben] = await twoOf(place);
    const large = files('large', 10, 9_000_000);
    ada.write(into('p/same', large));
    await ada.sluice('commit');
    await ada.commitAll('Large files');
    const total = 90_000_000;
    const running = ada.start('sluice', 'push', '--events');
    let said = '';
    running.child.stderr?.on('data', (piece: string) => {
      said += piece;
      if (sentIn(said) >= total / 2) running.child.kill('SIGKILL');
    });
    expect((await running.ended).signal).toBe('SIGKILL');
    const sent = sentIn(said);
    const keys = [...(await place.contents()).keys()];
    expect(keys.filter((key) => key.includes('/maps/'))).toEqual([]);

    const rest = await ada.json<PushReport>('push');
    expect(rest.files.sent + rest.files.reused).toBe(10);
    expect(rest.bytes.sent + rest.bytes.reused).toBe(total);
    // What had arrived as a whole before the kill does not cross the line again.
    expect(rest.files.reused).toBeGreaterThanOrEqual(Math.floor((sent - 9_000_000 * 4) / 9_000_000));
    expect(rest.files.reused).toBeGreaterThan(0);
    await ben.git('pull', '--quiet');
    await ben.sluice('pull');
    expect(ben.hashes('p/same')).toEqual(ada.hashes('p/same'));
  });

  story(
    'two made different results of the same inputs: the first record stays, and the second pusher is told',
    async () => {
      const [ada, ben] = await twoOf(place);
      for (const at of [ada, ben]) await at.nx('run', 'p:dice', '--skip-nx-cache');
      expect(ben.read('p/dice.txt')).not.toBe(ada.read('p/dice.txt'));
      await ada.sluice('push');
      const second = await ben.run('sluice', 'push');
      expect(second.stderr).toMatch(/warning: origin has another result of p:dice for the same inputs, .*it stays/);
      // Whoever has no lock gets the first one.
      const cleo = (await ada.clone('cleo')).with(ada.env);
      expect(await cleo.nx('run', 'p:dice')).toContain('from origin');
      expect(cleo.read('p/dice.txt')).toBe(ada.read('p/dice.txt'));
    },
  );
});

/** Bytes that the last event of a push counts. */
function sentIn(stderr: string): number {
  const counts = [...stderr.matchAll(/"phase":"sending".*"bytes":(\d+)/g)].map(([, bytes]) => Number(bytes));
  return counts.at(-1) ?? 0;
}
