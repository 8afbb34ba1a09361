import { whenAborted } from './when-aborted.js';

test('many can wait for one signal without a warning of a leak, and only those that still wait are told', () => {
  const controller = new AbortController();
  const told: number[] = [];
  const ends = Array.from({ length: 40 }, (_, i) => whenAborted(controller.signal, () => told.push(i)));
  // 0: no number of listeners makes Node write its warning to the terminal of the user. `getMaxListeners` does not know the signals of another realm, such as that of a test.
  const limit = Object.getOwnPropertySymbols(controller.signal).find((one) =>
    /maxEventTargetListeners$/.test(String(one.description)),
  );
  expect(limit).toBeDefined();
  expect(Reflect.get(controller.signal, limit ?? '')).toBe(0);
  for (const end of ends.slice(1)) end();
  controller.abort();
  expect(told).toEqual([0]);
});

test('without a signal nothing happens', () => {
  whenAborted(undefined, () => {
    throw new Error('told');
  })();
});
