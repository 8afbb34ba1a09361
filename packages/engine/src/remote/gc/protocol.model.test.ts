import { beginning, keyOf, problemOf, type Rule, type Scene, stepsFrom } from '../../testing/gc-protocol.js';

const ONE: Scene = { pushers: ['M'], collections: [1], list: { at: -3 }, lastTick: 2 };
const RENEWED_LATE: Scene = { pushers: ['M'], collections: [1], list: { at: 0 }, lastTick: 4 };
const LISTED: Scene = { pushers: ['N'], collections: [1], list: { at: 0 }, lastTick: 4 };
const NOTHING_LISTED: Scene = { pushers: ['N'], collections: [2], list: { at: -1, isEmpty: true }, lastTick: 2 };
const FROM_THE_START: Scene = { pushers: ['N'], collections: [2], lastTick: 4 };
const YOUNG: Scene = { pushers: ['M'], collections: [2], writtenAt: 0, lastTick: 3 };
const TWO: Scene = { pushers: ['M'], collections: [1, 1], list: { at: -3 }, lastTick: 1 };

/** Plays every order of steps, each world once, up to the first problem. */
function play(scene: Scene, without?: Rule): { readonly problem: string | undefined; readonly worlds: number } {
  const seen = new Set<string>();
  const open = [beginning(scene)];
  for (let world = open.pop(); world !== undefined; world = open.pop()) {
    const key = keyOf(world);
    if (seen.has(key)) continue;
    seen.add(key);
    const problem = problemOf(world);
    if (problem !== undefined) return { problem, worlds: seen.size };
    open.push(...stepsFrom(world, without, scene.lastTick));
  }
  return { problem: undefined, worlds: seen.size };
}

/** The long version lets two collections wait until one is forgotten. */
const MORE: readonly Scene[] =
  process.env.SLUICE_PROPERTY_RUNS === undefined
    ? []
    : [RENEWED_LATE, { ...TWO, lastTick: 2 }, { ...TWO, pushers: ['N'], lastTick: 2 }, { ...LISTED, lastTick: 5 }];

test.each([ONE, LISTED, NOTHING_LISTED, FROM_THE_START, YOUNG, TWO, ...MORE])(
  'no order of steps, deaths and waits breaks a map: %j',
  (scene) => {
    const { problem, worlds } = play(scene);
    expect(problem).toBeUndefined();
    expect(worlds).toBeGreaterThan(1000);
  },
  300_000,
);

const SHOWN_BY: readonly (readonly [Rule, Scene])[] = [
  ['a pusher looks at the list', LISTED],
  ['a pusher writes its map soon after it looked', FROM_THE_START],
  ['a pusher looks at the holds after it renewed', RENEWED_LATE],
  ['a pusher looks whether what it renewed is there', RENEWED_LATE],
  ['what is young is not listed', YOUNG],
  ['what is listed stays for the grace period', FROM_THE_START],
  ['what a map names by now stays', FROM_THE_START],
  ['what was written by now stays', RENEWED_LATE],
  ['maps go before packs', LISTED],
  ['one collection at a time', TWO],
  ['a collection ends before its hold is forgotten', ONE],
  ['a list is replaced, never added to', NOTHING_LISTED],
];

test.each(SHOWN_BY)(
  'without this rule a map breaks: %s',
  (rule, scene) => {
    expect(play(scene, rule).problem).toBeDefined();
  },
  60_000,
);
