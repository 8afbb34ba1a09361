import fs from 'node:fs';
import { dirname } from 'node:path';
import { openEngine } from '../engine.js';
import type { Engine } from '../engine-api.js';
import type { SluiceEvent } from '../events.js';
import { type Digest, hexOf } from '../model/digest.js';
import { parseRecord, type StageRecord } from '../model/record.js';
import type { OutRoot } from '../model/root.js';
import { directoryPlace, type Place } from './places.js';

/** The key of those who are strict. */
const KEY = 'the-key-of-the-team-that-eve-has-not';
/** A stage that says what it was given. */
export const MAKE = {
  executor: '@sluice/nx:stage',
  options: {
    command: 'mkdir out && cp in out/copy && echo ran >> ../runs',
    deps: ['{projectRoot}/in'],
    outs: ['{projectRoot}/out'],
  },
};
const DATA = { executor: '@sluice/nx:track', options: { outs: ['{projectRoot}/data'] } };

/** Somebody with a clone and a store of their own. */
export interface Actor {
  readonly engine: Engine;
  readonly at: (path: string) => string;
  /** `CODE: message` of each warning since the last call. */
  readonly warnings: () => string[];
  /** What was decided, and why. */
  readonly decisions: () => { readonly decision: string; readonly reasons: string }[];
}

/** Who somebody is. `env`: besides that of the process. */
export interface ActorOptions {
  readonly area: string;
  readonly trust?: 'areas' | 'strict';
  readonly key?: string;
  readonly input?: string;
  readonly data?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** The actors of the tests of a file. */
export interface Actors {
  /** A new clone with an empty store. */
  actor(place: Pick<Place, 'remote'>, options: ActorOptions): Promise<Actor>;
  /** What a stage of this input will be called and give, known by running it somewhere else. */
  foreseen(input?: string): Promise<StageRecord>;
  /** A place that nobody knows. */
  newPlace(): Place;
}

/** Makes actors below a directory, which is new for each test, and ends their engines. */
export function useActors(temp: (...below: string[]) => string): Actors {
  const open = new Set<Engine>();
  let count = 0;
  afterEach(async () => {
    for (const engine of open) await engine.close();
    open.clear();
  });
  const actor: Actors['actor'] = async (place, options) => {
    const one = await newActor(temp(`clone-${++count}`), place, options);
    open.add(one.engine);
    return one;
  };
  const newPlace = (): Place => directoryPlace(temp(`place-${++count}`));
  return {
    actor,
    newPlace,
    foreseen: async (input = 'input') => {
      const elsewhere = await actor(newPlace(), { ...MAIN, input });
      expect(await run(elsewhere)).toBe('ran');
      return recordOf(elsewhere);
    },
  };
}

async function newActor(
  root: string,
  place: Pick<Place, 'remote'>,
  { area, trust = 'areas', key, input = 'input', data, env: more }: ActorOptions,
): Promise<Actor> {
  const at = (path: string): string => `${root}/${path}`;
  const write = (path: string, content: string): void => {
    fs.mkdirSync(dirname(at(path)), { recursive: true });
    fs.writeFileSync(at(path), content);
  };
  write('nx.json', '{}');
  write('sluice.json', JSON.stringify({ remotes: { main: place.remote }, defaultRemote: 'main' }));
  write('p/project.json', JSON.stringify({ name: 'p', targets: { make: MAKE, data: DATA } }));
  write('p/in', input);
  if (data !== undefined) write('p/data/file', data);
  const events: SluiceEvent[] = [];
  const { SLUICE_SIGNING_KEY: _, ...others } = process.env;
  const env = { ...others, ...more, ...(key === undefined ? {} : { SLUICE_SIGNING_KEY: key }) };
  const engine = await openEngine({ root, env, area, trust, threads: 0, emit: (event) => events.push(event) });
  return {
    engine,
    at,
    warnings: () => {
      const told = events.flatMap((event) => (event.type === 'warning' ? [`${event.code}: ${event.message}`] : []));
      events.splice(0);
      return told;
    },
    decisions: () =>
      events.flatMap((event) =>
        event.type === 'decision' ? [{ decision: event.decision, reasons: JSON.stringify(event.reasons) }] : [],
      ),
  };
}

/** A run of the default branch. */
export const MAIN: ActorOptions = { area: 'trusted' };
/** {@link MAIN}, when it is strict. */
export const STRICT: ActorOptions = { ...MAIN, trust: 'strict', key: KEY };

/** Runs the stage; returns how that ended. */
export async function run({ engine }: Pick<Actor, 'engine'>): Promise<string> {
  const id = { project: 'p', target: 'make' };
  return (await engine.runStage({ id }, { force: false, wait: true, materialize: true })).outcome;
}

/** What lies in the place of the stage's out. */
export function made({ at }: Actor): string {
  return fs.readFileSync(at('p/out/copy'), 'utf8');
}

/** The records of a store. */
function recordsOf({ at }: Actor): StageRecord[] {
  return fs
    .readdirSync(at('.sluice/records'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => parseRecord(fs.readFileSync(`${entry.parentPath}/${entry.name}`, 'utf8'), entry.name));
}

/** The record of what somebody has made. */
export function recordOf(who: Actor): StageRecord {
  const record = recordsOf(who).find(({ tracked }) => !tracked);
  if (record === undefined) throw new Error('nothing was made');
  return record;
}

/** The root of the dataset. */
export function dataOf(who: Actor): OutRoot {
  const [root] =
    recordsOf(who)
      .find(({ tracked }) => tracked)
      ?.outs.values() ?? [];
  if (root === undefined) throw new Error('nothing is tracked');
  return root;
}

/** A digest as it stands in keys. */
export function fanned(digest: Digest): string {
  return `${hexOf(digest).slice(0, 2)}/${hexOf(digest).slice(2)}`;
}
