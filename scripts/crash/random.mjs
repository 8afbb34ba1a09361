// @ts-check

/** Numbers below 1 that look random and follow from a seed (mulberry32). @param {number} seed @returns {() => number} */
export function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** One of a list. @template T @param {() => number} random @param {readonly [T, ...T[]]} list @returns {T} */
export function pick(random, list) {
  return list[Math.floor(random() * list.length)] ?? list[0];
}
