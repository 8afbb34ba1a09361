import { createPace, type Pace } from './pace.js';

/** A place that answers after `answerMs(running)` and complains above `bears`, on a clock of its own. */
async function play(
  pace: Pace,
  clock: { ms: number },
  requests: number,
  { answerMs = (_running: number): number => 20, bears = Number.POSITIVE_INFINITY, bytes = 1000 } = {},
): Promise<{ mostRunning: number; complaints: number }> {
  const result = { mostRunning: 0, complaints: 0 };
  const running: { endMs: number; end: () => void }[] = [];
  let left = requests;
  const begins = Array.from({ length: requests }, () =>
    pace.begin().then((end) => {
      const isTooMuch = running.length >= bears;
      running.push({
        endMs: clock.ms + answerMs(running.length + 1),
        end: () => {
          if (isTooMuch) result.complaints++;
          end(isTooMuch ? 'slower' : 'done', bytes);
        },
      });
      result.mostRunning = Math.max(result.mostRunning, running.length);
    }),
  );
  while (left > 0) {
    await new Promise(setImmediate);
    running.sort((a, b) => a.endMs - b.endMs);
    const next = running.shift();
    if (next === undefined) throw new Error('nothing runs, and something waits');
    clock.ms = Math.max(clock.ms, next.endMs);
    next.end();
    left--;
  }
  await Promise.all(begins);
  return result;
}

const start = (most: number): { pace: Pace; clock: { ms: number } } => {
  const clock = { ms: 0 };
  return { pace: createPace(most, () => clock.ms), clock };
};

test('begins with eight, grows to the most that is allowed and not further', async () => {
  const { pace, clock } = start(32);
  expect(pace.limit).toBe(8);
  expect((await play(pace, clock, 500)).mostRunning).toBe(32);
  expect(pace.limit).toBe(32);
  expect(start(4).pace.limit).toBe(4);
});

test('does not grow where nothing waits', async () => {
  const { pace, clock } = start(32);
  for (let i = 0; i < 50; i++) await play(pace, clock, 3);
  expect(pace.limit).toBe(8);
});

test('stays near what a place bears that complains', async () => {
  const { pace, clock } = start(100);
  await play(pace, clock, 2000, { bears: 20 });
  const { complaints } = await play(pace, clock, 2000, { bears: 20 });
  // Each time the limit is passed, all that begin until the first complaint comes back are too many.
  expect(complaints).toBeLessThan(300);
  expect(pace.limit).toBeGreaterThanOrEqual(8);
  expect(pace.limit).toBeLessThanOrEqual(22);
});

test('many complaints at once count as one', async () => {
  const { pace } = start(64);
  const ends = await Promise.all(Array.from({ length: 8 }, () => pace.begin()));
  for (const end of ends) end('slower', 0);
  expect(pace.limit).toBe(4);
});

test('never comes to a stop', async () => {
  const { pace, clock } = start(16);
  for (let i = 0; i < 20; i++) {
    (await pace.begin())('slower', 0);
    clock.ms += 10;
  }
  expect(pace.limit).toBe(1);
  await play(pace, clock, 300);
  expect(pace.limit).toBeGreaterThan(4);
});

test('goes back where answers wait in a queue, and takes no notice of slow large bodies', async () => {
  const queue = { answerMs: (running: number) => (running <= 16 ? 50 : 50 * (running - 10)) };
  const small = start(100);
  await play(small.pace, small.clock, 3000, queue);
  expect(small.pace.limit).toBeLessThan(40);
  const large = start(100);
  await play(large.pace, large.clock, 3000, { ...queue, bytes: 8 * 1024 * 1024 });
  expect(large.pace.limit).toBe(100);
});

test('an end that is told twice counts once, and failures say nothing', async () => {
  const { pace } = start(1);
  const end = await pace.begin();
  end('failed', 0);
  end('slower', 0);
  expect(pace.limit).toBe(1);
  (await pace.begin())('done', 0);
});
