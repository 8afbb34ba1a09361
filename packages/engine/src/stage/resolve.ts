import { SluiceError } from '../errors.js';
import { type Digest, digestFromRaw, digestOf, RAW_DIGEST_BYTES, rawOf, tryParseDigest } from '../model/digest.js';
import type { Lock, LockedStage } from '../model/lock.js';
import { fingerprintOf, type Part } from '../model/parts.js';
import { compareUtf8, type RelPath } from '../model/path.js';
import { filterBelow } from '../model/path-filter.js';
import type { StageRecord } from '../model/record.js';
import type { OutRoot } from '../model/root.js';
import { TREE } from '../model/tree.js';
import { believesRecord } from '../remote/areas.js';
import { readRecord } from '../store/records.js';
import { readIfPresent } from '../util/read-if-present.js';
import { type Observed, type ObserveOptions, observe } from '../workspace/observe.js';
import { entryPath } from '../workspace/snapshot.js';
import type { StageContext, Want } from './context.js';
import { declaredParts, runtimePart } from './fingerprint.js';
import { globMatcher } from './glob.js';
import { type Producer, producersOf } from './out-index.js';
import { paramName, paramPart, paramValue, readParamFile } from './params.js';
import { type Problem, problemOf } from './problem.js';
import { type Dep, type Param, type Stage, type StageId, stageName } from './stage.js';
import { filesInside, kindWord, rootValue, valueInside } from './tree-entry.js';

/** What decides a stage's result, as it is now. The fingerprint is there exactly if there are no problems. */
export interface Resolved {
  readonly parts: readonly Part[];
  readonly fingerprint: Digest | undefined;
  readonly problems: readonly Problem[];
}

/** An out as its consumers see it. */
export interface ResolvedOut {
  readonly root: OutRoot | undefined;
  /** Whole in the workspace, so that it can be read there. */
  readonly inPlace: boolean;
}

/**
 * Finds out what stages and outs are now, each question once. The answers are those of one moment: a resolver serves one operation and is thrown
 * away when something ran. Deps in place count by their own bytes; an absent dep that a stage makes counts by the root that the
 * stage's lock, or the record of its present fingerprint, names, and no byte of it is needed.
 */
export class Resolver {
  readonly context: StageContext;
  private readonly stages = new Map<string, Promise<Resolved>>();
  private readonly outs = new Map<RelPath, Promise<ResolvedOut>>();
  private readonly seen = new Map<RelPath, Promise<Observed | undefined>>();
  private readonly locks = new Map<RelPath, Lock>();
  private readonly looking: Pick<ObserveOptions, 'readIgnore' | 'signal'>;

  constructor(context: StageContext) {
    this.context = context;
    this.looking = { readIgnore: readingOnce(), signal: context.signal };
  }

  /** The parts and the fingerprint of a stage. A tracked dataset has neither. */
  stage(stage: Stage): Promise<Resolved> {
    return remember(this.stages, stageName(stage.id), () => this.resolveStage(stage));
  }

  /** The root of an out: its bytes if it is in place, otherwise what its stage's lock or record says. */
  out(producer: Stage, path: RelPath): Promise<ResolvedOut> {
    return remember(this.outs, path, () => this.resolveOut(producer, path));
  }

  /** What lies in the place of an out. */
  observed(path: RelPath): Promise<Observed | undefined> {
    return remember(this.seen, path, () => observe(this.context.workspace, path, { as: 'out', ...this.looking }));
  }

  /** Takes over what was just seen in the place of an out. */
  prime(path: RelPath, seen: Observed | undefined): void {
    this.seen.set(path, Promise.resolve(seen));
  }

  /** The stage's entry in its project's lock. */
  locked(stage: Stage): LockedStage | undefined {
    const lock = this.locks.get(stage.projectRoot) ?? this.context.readLock(stage.projectRoot);
    this.locks.set(stage.projectRoot, lock);
    return lock.stages.get(stage.id.target);
  }

  /** The record of a fingerprint, from the store or else from a remote. A store may have been that of a pull request before: areas count here as they do there. */
  async record(fingerprint: Digest): Promise<StageRecord | undefined> {
    const { workspace, remotes, area } = this.context;
    const here = readRecord(workspace.store, fingerprint);
    return here !== undefined && believesRecord(area, here) ? here : await remotes.findRecord(fingerprint);
  }

  private async resolveStage(stage: Stage): Promise<Resolved> {
    if (stage.command === undefined) return { parts: [], fingerprint: undefined, problems: [] };
    const locked = this.locked(stage);
    if (stage.frozen && locked?.fingerprint !== undefined) {
      return { parts: locked.parts, fingerprint: locked.fingerprint, problems: [] };
    }
    const producers = producersOf(stage, this.context.stages.outs);
    const problems: Problem[] = [];
    const parts = declaredParts(stage, this.context.env);
    const add = async (name: string, find: () => Promise<Part | undefined>): Promise<void> => {
      try {
        const part = await find();
        if (part !== undefined) parts.push(part);
      } catch (error) {
        problems.push(problemOf(name, error));
      }
    };
    const paramFiles = new Map<RelPath, Promise<unknown>>();
    for (const param of stage.params) {
      const made = producers.find(({ dep }) => dep.kind === 'path' && dep.path === param.file);
      await add(param.file, () => this.paramPart(param, made, locked, paramFiles, problems));
    }
    for (const command of stage.runtime) await add(command, () => runtimePart(stage, command, this.context));
    for (const dep of stage.deps) {
      const mine = producers.filter((producer) => producer.dep === dep);
      await add(nameOfDep(dep), () => this.depPart(dep, mine, locked, problems));
    }
    const fingerprint = problems.length === 0 ? fingerprintOf(parts) : undefined;
    return { parts, fingerprint, problems };
  }

  private async resolveOut(producer: Stage, path: RelPath): Promise<ResolvedOut> {
    const observed = await this.observed(path);
    if (observed !== undefined && observed.partOf === undefined) return { root: observed.root, inPlace: true };
    return { root: await this.namedRoot(producer, path), inPlace: false };
  }

  /** What lock and records say about an out that is not in place. */
  private async namedRoot(producer: Stage, path: RelPath): Promise<OutRoot | undefined> {
    const locked = this.locked(producer);
    if (producer.command === undefined || producer.frozen) return locked?.outs.get(path);
    const { fingerprint } = await this.stage(producer);
    if (fingerprint === undefined) return undefined;
    if (fingerprint === locked?.fingerprint && !producer.always) return locked.outs.get(path);
    return (await this.record(fingerprint))?.outs.get(path);
  }

  private async depPart(
    dep: Dep,
    producers: readonly Producer[],
    locked: LockedStage | undefined,
    problems: Problem[],
  ): Promise<Part | undefined> {
    const name = nameOfDep(dep);
    const [first] = producers;
    const before = locked?.parts.find((part) => part.kind === 'dep' && part.name === name);
    if (dep.kind === 'path' && first !== undefined && first.relation !== 'contains') {
      return this.partOfOut(dep.path, first, before, problems);
    }
    const value = await this.ownValue(dep, producers, problems);
    if (value === undefined) {
      if (producers.length === 0) problems.push({ name, producer: undefined });
      return undefined;
    }
    return { kind: 'dep', name, value };
  }

  /** A param of a file that another stage makes has the value that the lock names while the out is the same, so that nothing need be read. */
  private async paramPart(
    param: Param,
    made: Producer | undefined,
    locked: LockedStage | undefined,
    files: Map<RelPath, Promise<unknown>>,
    problems: Problem[],
  ): Promise<Part | undefined> {
    const read = (): Promise<Buffer> => readParamFile(this.context.workspace.root, param.file);
    const value = (bytes: () => Promise<Buffer>): Promise<unknown> =>
      remember(files, param.file, async () => paramValue(param.file, await bytes()));
    if (made === undefined || made.relation === 'contains') return paramPart(param, await value(read));
    const producer = this.mustGet(made.producer);
    const { root, inPlace } = await this.out(producer, made.out);
    if (root === undefined) {
      problems.push({ name: param.file, producer: made.producer });
      return undefined;
    }
    const via = root.digest;
    const before = locked?.parts.find(({ kind, name }) => kind === 'param' && name === paramName(param));
    if (before?.via === via) return before;
    const below = param.file.slice(made.out.length + 1);
    const bytes = inPlace ? read : () => this.fileInOut(producer, made.out, root, below);
    return { ...paramPart(param, await value(bytes)), via };
  }

  /** The bytes of a small file in an out that is not in place. Throws `ERR_PARAM` if there is no such file. */
  private async fileInOut(stage: Stage, out: RelPath, root: OutRoot, below: string): Promise<Buffer> {
    const bytes = await this.withObjects(stage, out, { root, filter: filterBelow(below) }, 'everything', (reader) => {
      const [kind = '', digest] = valueInside(reader, root, below)?.split(' ') ?? [];
      const found = kind === 'blob' || kind === 'exec' ? tryParseDigest(digest) : undefined;
      return found === undefined ? undefined : Buffer.from(reader.read('blob', rawOf(found)));
    });
    if (bytes !== undefined) return bytes;
    const path = below === '' ? out : `${out}/${below}`;
    throw new SluiceError('ERR_PARAM', `param file ${path} is no file in the result of ${stageName(stage.id)}`, {
      hint: 'Correct "params", or let that stage make the file.',
    });
  }

  /** A dep that is an out of another stage or lies inside one. */
  private async partOfOut(
    path: RelPath,
    { producer, out }: Producer,
    before: Part | undefined,
    problems: Problem[],
  ): Promise<Part | undefined> {
    const stage = this.mustGet(producer);
    const resolved = await this.out(stage, out);
    const below = path.slice(out.length + 1);
    if (resolved.root === undefined) {
      problems.push({ name: path, producer });
      return undefined;
    }
    if (below === '') return { kind: 'dep', name: path, value: rootValue(resolved.root) };
    const via = resolved.root.digest;
    const value = before?.via === via ? before.value : await this.inside(stage, out, resolved.root, below);
    if (value === undefined) {
      problems.push({ name: path, producer: undefined });
      return undefined;
    }
    return { kind: 'dep', name: path, value, via };
  }

  /** The value of a part of an out: from the workspace where it lies there, else from its tree, whose nodes a remote may have. */
  private async inside(stage: Stage, out: RelPath, root: OutRoot, below: string): Promise<string | undefined> {
    const observed = await this.observed(out);
    if (observed !== undefined && observed.root.digest === root.digest) {
      return insideSnapshot(observed, below) ?? undefined;
    }
    const want = { root, filter: filterBelow(below) };
    return this.withObjects(stage, out, want, 'trees', (reader) => valueInside(reader, root, below));
  }

  /** Uses objects of an out, after bringing from a remote what of them is not here. */
  private async withObjects<T>(
    stage: Stage,
    out: RelPath,
    want: Omit<Want, 'remote'>,
    what: 'trees' | 'everything',
    use: (reader: StageContext['workspace']['store']['reader']) => T,
  ): Promise<T> {
    const { reader } = this.context.workspace.store;
    try {
      return use(reader);
    } catch (error) {
      // What is damaged has been set aside, so it is missing now.
      const isGone = error instanceof SluiceError && /^ERR_OBJECT_(MISSING|DAMAGED)$/.test(error.code);
      if (!isGone) throw error;
      const remote = stage.outs.find(({ path }) => path === out)?.remote;
      await this.context.remotes.fetch([{ ...want, remote }], what);
      reader.catalog.refresh();
      return use(reader);
    }
  }

  /** A dep with files of its own, among which outs of other stages may lie: those count by their roots, in place or not. */
  private async ownValue(dep: Dep, producers: readonly Producer[], problems: Problem[]): Promise<string | undefined> {
    if (dep.kind === 'path') {
      const own = await this.observeAround(dep.path, producers);
      if (own === undefined && producers.length === 0) return undefined;
      if (producers.length === 0) return own === undefined ? undefined : rootValue(own.root);
      const lines = [`. ${own === undefined ? 'absent' : rootValue(own.root)}`];
      for (const { producer, out } of producers) {
        const { root } = await this.out(this.mustGet(producer), out);
        if (root === undefined) problems.push({ name: dep.path, producer });
        else lines.push(`${out} ${rootValue(root)}`);
      }
      return problems.some(({ name }) => name === dep.path)
        ? undefined
        : `list ${digestOf(lines.sort(compareUtf8).join('\n'))}`;
    }
    return this.globValue(dep, producers, problems);
  }

  private async observeAround(path: RelPath, producers: readonly Producer[]): Promise<Observed | undefined> {
    const outs = new Set(producers.map(({ out }) => (path === '' ? out : out.slice(path.length + 1))));
    const only =
      outs.size === 0
        ? undefined
        : { name: `around ${[...outs].join('\0')}`, ignore: (below: string) => outs.has(below as RelPath) };
    return observe(this.context.workspace, path, { as: 'dep', only, ...this.looking });
  }

  private async globValue(
    dep: Extract<Dep, { kind: 'glob' }>,
    producers: readonly Producer[],
    problems: Problem[],
  ): Promise<string | undefined> {
    const matches = globMatcher(dep.pattern);
    const outs = new Set<string>(producers.map(({ out }) => out));
    const lines: string[] = [];
    const full = (below: string): string => (dep.base === '' ? below : `${dep.base}/${below}`);
    const inOut = [...outs].some((out) => dep.base === out || dep.base.startsWith(`${out}/`));
    if (!inOut) {
      const ignore = (below: string, isDirectory: boolean): boolean => {
        if (outs.has(full(below))) return true;
        return isDirectory ? isModules(below) : !matches(full(below));
      };
      const observed = await observe(this.context.workspace, dep.base, {
        as: 'dep',
        only: { name: `glob ${dep.pattern}`, ignore },
        ...this.looking,
      });
      for (const directory of observed?.snapshot.directories ?? []) {
        for (let i = 0; i < directory.names.length; i++) {
          if (directory.kinds[i] === TREE) continue;
          const digest = digestFromRaw(directory.digests, i * RAW_DIGEST_BYTES);
          lines.push(`${full(entryPath(directory, i))} ${kindWord(directory.kinds[i])} ${digest}`);
        }
      }
    }
    for (const { producer, out } of producers)
      lines.push(...(await this.globInOut(dep.pattern, producer, out, matches, problems)));
    if (problems.some(({ name }) => name === dep.pattern)) return undefined;
    return `list ${digestOf(lines.sort(compareUtf8).join('\n'))}`;
  }

  private async globInOut(
    pattern: string,
    producer: StageId,
    out: RelPath,
    matches: (path: string) => boolean,
    problems: Problem[],
  ): Promise<string[]> {
    const stage = this.mustGet(producer);
    const { root, inPlace } = await this.out(stage, out);
    if (root === undefined) {
      problems.push({ name: pattern, producer });
      return [];
    }
    const observed = inPlace ? await this.observed(out) : undefined;
    const files =
      observed === undefined
        ? await this.withObjects(stage, out, { root }, 'trees', (reader) => [...filesInside(reader, root)])
        : filesOfSnapshot(observed);
    return files
      .map(([path, value]) => [path === '' ? out : `${out}/${path}`, value] as const)
      .filter(([path]) => matches(path))
      .map(([path, value]) => `${path} ${value}`);
  }

  private mustGet(id: StageId): Stage {
    const stage = this.context.stages.get(id);
    if (stage === undefined) throw new SluiceError('ERR_SELECTOR', `no stage ${stageName(id)}`);
    return stage;
  }
}

/** Packages of Node are never what a pattern means. */
function isModules(path: string): boolean {
  return path === 'node_modules' || path.endsWith('/node_modules');
}

function nameOfDep(dep: Dep): string {
  return dep.kind === 'path' ? dep.path : dep.pattern;
}

function insideSnapshot({ snapshot }: Observed, below: string): string | undefined {
  const directory = snapshot.directories.find(({ path }) => path === below);
  if (directory?.node !== undefined) return `tree ${digestFromRaw(directory.node)}`;
  const at = below.lastIndexOf('/');
  const parent = snapshot.directories.find(({ path }) => path === below.slice(0, Math.max(0, at)));
  const entry = parent?.names.indexOf(below.slice(at + 1)) ?? -1;
  if (parent === undefined || entry < 0) return undefined;
  return `${kindWord(parent.kinds[entry])} ${digestFromRaw(parent.digests, entry * RAW_DIGEST_BYTES)}`;
}

function filesOfSnapshot({ snapshot, root }: Observed): (readonly [string, string])[] {
  if (snapshot.shape === 'file') return [['', rootValue(root)]];
  return snapshot.directories.flatMap((directory) =>
    directory.names.flatMap((_, i) =>
      directory.kinds[i] === TREE
        ? []
        : [
            [
              entryPath(directory, i),
              `${kindWord(directory.kinds[i])} ${digestFromRaw(directory.digests, i * RAW_DIGEST_BYTES)}`,
            ] as const,
          ],
    ),
  );
}

/** Reads files, each once. */
function readingOnce(): (path: string) => string | undefined {
  const texts = new Map<string, string | undefined>();
  return (path) => {
    if (!texts.has(path)) texts.set(path, readIfPresent(path));
    return texts.get(path);
  };
}

function remember<K, V>(memo: Map<K, Promise<V>>, key: K, make: () => Promise<V>): Promise<V> {
  const known = memo.get(key);
  if (known !== undefined) return known;
  const made = make();
  memo.set(key, made);
  return made;
}
