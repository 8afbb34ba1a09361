/*
 * The protocol of `docs/adr/0012-collecting-a-remote.md` as a small machine, for tests that play every order of its steps. A world has one clock, one
 * area, pushers and collections; each step of an actor is one request, or one decision that needs none.
 */

/** The rules that keep maps whole. Each can be left out. */
export type Rule =
  | 'a pusher looks at the list'
  | 'a pusher writes its map soon after it looked'
  | 'a pusher looks at the holds after it renewed'
  | 'a pusher looks whether what it renewed is there'
  | 'what is young is not listed'
  | 'what is listed stays for the grace period'
  | 'what a map names by now stays'
  | 'what was written by now stays'
  | 'maps go before packs'
  | 'one collection at a time'
  | 'a collection ends before its hold is forgotten'
  | 'a list is replaced, never added to';

/** How long things take, in ticks. */
const GRACE = 3;
const LIMIT = 1;
const COLLECTS = 1;
const STALE = 2;

/** What a pusher wants: another map that needs what lies in pack `p`, or the map `M` that a collection takes for dead. */
type Wish = 'N' | 'M';

interface Thing {
  /** When it was written. */
  readonly at: number;
  readonly names: readonly string[];
}

type Listed = Readonly<Record<string, number>>;

interface Pusher {
  readonly is: 'pusher';
  readonly wish: Wish;
  readonly step: 'look' | 'choose' | 'send' | 'write' | 'holds' | 'there' | 'done';
  readonly lookedAt: number;
  readonly listed: readonly string[];
  readonly pack: string;
}

interface Collection {
  readonly is: 'collection';
  readonly id: number;
  readonly rounds: number;
  readonly step: 'hold' | 'alone' | 'survey' | 'delete' | 'list' | 'end' | 'done';
  readonly since: number;
  readonly seen: Readonly<Record<string, Thing>>;
  /** Still to be deleted. */
  readonly due: readonly string[];
  /** Whether a list was found that is not due, so that it stays. */
  readonly waits: boolean;
}

/** Everything there is, at one moment. */
export interface World {
  readonly now: number;
  readonly things: Readonly<Record<string, Thing>>;
  readonly list: { readonly at: number; readonly keys: Listed } | undefined;
  readonly holds: Readonly<Record<string, number>>;
  readonly actors: readonly (Pusher | Collection)[];
  /** What was told to be on the remote, and until when it has to be there at least. */
  readonly promises: Readonly<Record<string, number>>;
}

/** How a world begins. */
export interface Scene {
  readonly pushers: readonly Wish[];
  /** How often each collection is run. */
  readonly collections: readonly number[];
  /** When map and pack were written: long before the world begins, unless it is said. */
  readonly writtenAt?: number;
  /** When a collection made a list, of both or of nothing. */
  readonly list?: { readonly at: number; readonly isEmpty?: boolean };
  /** After this no time passes. */
  readonly lastTick: number;
}

/** Map `M` of a root that nothing names any more, and its pack. */
export function beginning({ pushers, collections, writtenAt = -9, list }: Scene): World {
  const keys: Listed = list?.isEmpty === true ? {} : { M: writtenAt, p: writtenAt };
  return {
    now: 0,
    things: { M: { at: writtenAt, names: ['p'] }, p: { at: writtenAt, names: [] } },
    list: list === undefined ? undefined : { at: list.at, keys },
    holds: {},
    actors: [
      ...pushers.map((wish): Pusher => ({ is: 'pusher', wish, step: 'look', lookedAt: 0, listed: [], pack: 'p' })),
      ...collections.map(
        (rounds, id): Collection => ({
          is: 'collection',
          id,
          rounds,
          step: 'hold',
          since: 0,
          seen: {},
          due: [],
          waits: false,
        }),
      ),
    ],
    promises: {},
  };
}

/** The same for worlds from which the same can follow. */
export function keyOf({ now, things, list, holds, actors, promises }: World): string {
  const sorted = (named: object): unknown => Object.entries(named).sort(([a], [b]) => (a < b ? -1 : 1));
  const left = actors.map((actor) => {
    if (actor.step === 'done') return 0;
    return actor.is === 'pusher' ? actor : { ...actor, seen: sorted(actor.seen) };
  });
  const open = sorted(Object.fromEntries(Object.entries(promises).filter(([, until]) => until > now)));
  const listed = list === undefined ? 0 : [list.at, sorted(list.keys)];
  return JSON.stringify([now, sorted(things), listed, sorted(holds), left, open]);
}

/** What is wrong with a world; `undefined` if nothing is. */
export function problemOf({ things, promises, now }: World): string | undefined {
  for (const [name, { names }] of Object.entries(things)) {
    const lost = names.find((named) => things[named] === undefined);
    if (lost !== undefined) return `${name} names ${lost}, which is gone`;
  }
  const broken = Object.entries(promises).find(([name, until]) => things[name] === undefined && now < until);
  return broken === undefined ? undefined : `${broken[0]} was told to be there and is gone`;
}

/** Every world that one step leads to: an actor goes on, dies, or time passes. */
export function* stepsFrom(world: World, without: Rule | undefined, lastTick: number): Generator<World> {
  const holds = (rule: Rule): boolean => rule !== without;
  for (const [i, actor] of world.actors.entries()) {
    if (actor.step === 'done') continue;
    const act = (step: Step): World => ({
      ...world,
      ...step.world,
      actors: world.actors.map((other, n) => (n === i ? ({ ...actor, ...step.actor } as typeof other) : other)),
    });
    yield act(actor.is === 'pusher' ? push(world, actor, holds) : collect(world, actor, holds));
    // Who never goes on is dead too; a collection is started again, and its hold stays.
    if (actor.is === 'collection' && actor.step === 'delete') yield act(nextRound(actor));
  }
  if (world.now < lastTick) yield { ...world, now: world.now + 1 };
}

interface Step {
  readonly world?: Partial<World>;
  readonly actor: Partial<Omit<Pusher, 'is'>> | Partial<Omit<Collection, 'is'>>;
}

type Holds = (rule: Rule) => boolean;

function push(world: World, actor: Pusher, holds: Holds): Step {
  const { now, things } = world;
  const { wish, listed, pack, lookedAt } = actor;
  const isListed = (name: string): boolean => holds('a pusher looks at the list') && listed.includes(name);
  switch (actor.step) {
    case 'look':
      return { actor: { step: 'choose', lookedAt: now, listed: Object.keys(world.list?.keys ?? {}) } };
    case 'choose': {
      if (things[wish] !== undefined && !isListed(wish)) return promise(world, wish, lookedAt + GRACE);
      const isThere = things.p !== undefined && !isListed('p');
      return { actor: isThere ? { step: 'write', pack: 'p' } : { step: 'send', pack: `q${wish}${now}` } };
    }
    case 'send':
      return { world: { things: { ...things, [pack]: { at: now, names: [] } } }, actor: { step: 'write' } };
    case 'write': {
      if (holds('a pusher writes its map soon after it looked') && now - lookedAt > LIMIT) {
        return { actor: { step: 'look' } };
      }
      const written = { things: { ...things, [wish]: { at: now, names: [pack] } } };
      if (isListed(wish)) return { world: written, actor: { step: 'holds' } };
      return promise({ ...world, ...written }, wish, now + GRACE);
    }
    case 'holds': {
      const isAlone = liveHolds(world, now).length === 0 || !holds('a pusher looks at the holds after it renewed');
      return { actor: { step: isAlone ? 'there' : 'write' } };
    }
    default: {
      const isThere = things[wish] !== undefined || !holds('a pusher looks whether what it renewed is there');
      return isThere ? promise(world, wish, now + GRACE) : { actor: { step: 'write' } };
    }
  }
}

function promise({ things, promises }: World, name: string, until: number): Step {
  return { world: { things, promises: { ...promises, [name]: until } }, actor: { step: 'done' } };
}

function collect(world: World, actor: Collection, holds: Holds): Step {
  const { now, things, list } = world;
  const { id, seen, due, since, waits } = actor;
  switch (actor.step) {
    case 'hold':
      return { world: { holds: { ...world.holds, [id]: now } }, actor: { step: 'alone', since: now } };
    case 'alone': {
      const others = liveHolds(world, since).filter((other) => other !== String(id));
      const mayGo = others.length === 0 || !holds('one collection at a time');
      return { actor: { step: mayGo ? 'survey' : 'end' } };
    }
    case 'survey': {
      const isDue =
        list !== undefined && (since - list.at >= GRACE || !holds('what is listed stays for the grace period'));
      const found = isDue ? dueOf(things, list.keys, holds) : [];
      return { actor: { step: 'delete', seen: things, due: found, waits: list !== undefined && !isDue } };
    }
    case 'delete': {
      const [next, ...rest] = due;
      if (next === undefined) return { actor: { step: 'list' } };
      if (now - since > COLLECTS && holds('a collection ends before its hold is forgotten')) {
        return { actor: { step: 'end' } };
      }
      const { [next]: _, ...left } = things;
      return { world: { things: left }, actor: { due: rest } };
    }
    case 'list': {
      const oldest = holds('what is young is not listed') ? since - GRACE : now;
      const unneeded = unneededOf(seen, things, oldest);
      const adds = waits && list !== undefined && !holds('a list is replaced, never added to');
      if (adds)
        return { world: { list: { at: list.at, keys: { ...list.keys, ...unneeded } } }, actor: { step: 'end' } };
      return { world: waits ? {} : { list: { at: now, keys: unneeded } }, actor: { step: 'end' } };
    }
    default: {
      const { [id]: _, ...left } = world.holds;
      return { world: { holds: left }, ...nextRound(actor) };
    }
  }
}

/** A round has a hold of its own. */
function nextRound({ id, rounds }: Collection): Step {
  const step = rounds > 1 ? 'hold' : 'done';
  return { actor: { id: id + 10, rounds: rounds - 1, step, since: 0, seen: {}, due: [], waits: false } };
}

/** What of a list may go, in order. `M` is the only map that nothing wants; what else was written is somebody's. */
function dueOf(things: Readonly<Record<string, Thing>>, listed: Listed, holds: Holds): string[] {
  const mayGo = (name: string): boolean =>
    things[name] !== undefined && (things[name].at === listed[name] || !holds('what was written by now stays'));
  const maps = mayGo('M') && listed.M !== undefined ? ['M'] : [];
  const needed = Object.entries(things).flatMap(([name, { names }]) => (maps.includes(name) ? [] : names));
  const packs = Object.keys(listed).filter(
    (name) => isPack(name) && mayGo(name) && !(needed.includes(name) && holds('what a map names by now stays')),
  );
  return holds('maps go before packs') ? [...maps, ...packs] : [...packs, ...maps];
}

/** `M`, and packs that no other map names. */
function unneededOf(
  seen: Readonly<Record<string, Thing>>,
  things: Readonly<Record<string, Thing>>,
  oldest: number,
): Listed {
  const needed = Object.entries(seen).flatMap(([name, { names }]) => (name === 'M' ? [] : names));
  return Object.fromEntries(
    Object.entries(seen).flatMap(([name, { at }]) => {
      const isUnneeded = name === 'M' || (isPack(name) && !needed.includes(name));
      return isUnneeded && at <= oldest && things[name] !== undefined ? [[name, at]] : [];
    }),
  );
}

function isPack(name: string): boolean {
  return name === 'p' || name.startsWith('q');
}

function liveHolds({ holds }: World, now: number): string[] {
  return Object.keys(holds).filter((id) => now - (holds[id] ?? 0) < STALE);
}
