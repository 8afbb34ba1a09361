import { SluiceError } from '../../errors.js';
import { createBreaker } from './breaker.js';

const down = (details = {}): SluiceError => new SluiceError('ERR_REMOTE_DOWN', 'down', { details });

/** A breaker on a clock that the test moves, and how often the call behind it was made. */
function watched(): { now: number; calls: number; run: (outcome?: Error) => Promise<string> } {
  const state = { now: 0, calls: 0, run: async (_?: Error): Promise<string> => '' };
  const breaker = createBreaker({ failures: 2, restMs: 1000 }, () => state.now);
  state.run = (outcome) =>
    breaker.run(async () => {
      state.calls++;
      if (outcome !== undefined) throw outcome;
      return 'done';
    });
  return state;
}

test('opens after failures in a row, lets one call through after the rest, and closes with a success', async () => {
  const state = watched();
  await expect(state.run(down())).rejects.toThrow('down');
  expect(await state.run()).toBe('done');
  await expect(state.run(down())).rejects.toThrow('down');
  await expect(state.run(down())).rejects.toThrow('down');
  await expect(state.run()).rejects.toMatchObject({ code: 'ERR_REMOTE_DOWN' });
  expect(state.calls).toBe(4);
  state.now = 1000;
  await expect(state.run(down())).rejects.toThrow('down');
  await expect(state.run()).rejects.toThrow('down');
  expect(state.calls).toBe(5);
  state.now = 2000;
  expect(await state.run()).toBe('done');
  expect(await state.run()).toBe('done');
});

test('who asks for a longer rest gets it at once; what is denied says nothing about being down', async () => {
  const state = watched();
  for (let i = 0; i < 3; i++) {
    await expect(state.run(new SluiceError('ERR_REMOTE_DENIED', 'no'))).rejects.toThrow('no');
  }
  await expect(state.run(down({ retryAfterMs: 5000 }))).rejects.toThrow('down');
  state.now = 4999;
  await expect(state.run()).rejects.toThrow('down');
  state.now = 5000;
  expect(await state.run()).toBe('done');
});
