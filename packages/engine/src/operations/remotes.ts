import { SluiceError } from '../errors.js';
import type { Digest } from '../model/digest.js';
import type { StageRecord } from '../model/record.js';
import type { OutRoot } from '../model/root.js';
import { fetchRoots } from '../remote/fetch.js';
import { type FoundRecord, readRecord } from '../remote/records.js';
import { isComplete, isUnreachable, type Reach, type Remote } from '../remote/remote.js';
import { willStayComplete } from '../remote/will-stay.js';
import type { Fetched, RemoteSource, Want } from '../stage/context.js';
import type { Receiver } from '../store/receiver.js';
import { type Config, readingOrder, remoteNamed } from '../workspace/config.js';
import { isUsable } from '../workspace/remote-url.js';
import { type ConnectOptions, connectRemote, type OpenedRemote } from './connect-remote.js';
import { sharedFailure, shareFailure } from './shared-failure.js';

/** What is known about a root on a remote. `unknown`: not asked, being offline or of a kind that this version cannot use. */
export type RemoteState = 'complete' | 'absent' | 'unknown' | 'down';

/** The remotes of a workspace. */
export interface Remotes extends RemoteSource {
  /** The remote with this name, or the default one. Throws `ERR_REMOTE_UNKNOWN` or `ERR_CONFIG`, and `ERR_REMOTE_DOWN` when offline. */
  open(name: string | undefined): OpenedRemote;
  /**
   * The remotes that may have what belongs on `first`, or on the default one: that one, then the others in their order, without those that cannot be used in this
   * place. Throws like {@link Remotes.open}.
   */
  openAll(first: string | undefined): OpenedRemote[];
  /** Whether all of a root is on the remote with this name, and no collection is about to delete it. Never throws because a remote does not answer. */
  state(name: string, root: OutRoot): Promise<RemoteState>;
  /** Who does not answer. */
  readonly reach: Reach;
}

/** What the remotes of a workspace need. */
export interface RemotesOptions extends ConnectOptions {
  readonly config: Config;
  /** Writes and hashes large files that come. */
  readonly receiver?: Receiver | undefined;
  /** See `EngineOptions`. */
  readonly runDir?: string | undefined;
  /** Versions that share content with a root that no remote has; see `fetchRoots`. */
  readonly relatives?: ((root: OutRoot) => Promise<readonly OutRoot[]>) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Opens remotes by name, each once, when they are first needed. One that does not answer is told of once and not asked again. */
export function createRemotes(options: RemotesOptions): Remotes {
  const { config, store, receiver, emit, signal } = options;
  const opened = new Map<string, OpenedRemote>();
  const reach = createReach(options, opened);
  const misplaced = new Set<string>();

  const open = (name: string | undefined): OpenedRemote => {
    const settings = remoteNamed(config, name);
    if (config.offline) {
      throw new SluiceError('ERR_REMOTE_DOWN', `remote ${settings.name} is not asked: Sluice is offline`, {
        hint: 'Remove --offline or SLUICE_OFFLINE.',
      });
    }
    const known = opened.get(settings.name) ?? connectRemote(settings, options);
    opened.set(settings.name, known);
    return known;
  };

  /** `undefined` for one that has no place here, such as the cache of GitHub Actions on a laptop; it is told of once. */
  const tryOpen = (name: string): OpenedRemote | undefined => {
    try {
      return misplaced.has(name) ? undefined : open(name);
    } catch (error) {
      if (!isUnreachable(error)) throw error;
      misplaced.add(name);
      if (name === config.defaultRemote) {
        const { code, message, hint } = error;
        emit({
          type: 'warning',
          code,
          message: `remote ${name} is down: ${message}`,
          ...(hint === undefined ? {} : { hint }),
        });
      }
      return undefined;
    }
  };

  const openAll = (first: string | undefined): OpenedRemote[] =>
    readingOrder(config, first).flatMap((name) => tryOpen(name) ?? []);

  /** Asks a remote that may be down; `undefined` means that it said nothing. */
  const ask = async <T>(
    asked: OpenedRemote,
    question: (remote: OpenedRemote) => Promise<T>,
  ): Promise<T | undefined> => {
    if (reach.failure(asked.remote) !== undefined) return undefined;
    try {
      return await question(asked);
    } catch (error) {
      // A remote of a newer format may be in use beside the default one.
      const isUsed = asked.name !== config.defaultRemote && isOfNewerFormat(error);
      if (!isUnreachable(error) && !isUsed) throw error;
      reach.lost(asked.remote, error);
      return undefined;
    }
  };

  return {
    open,
    openAll,
    reach,
    findRecord: async (fingerprint: Digest): Promise<StageRecord | undefined> => {
      let incomplete: FoundRecord | undefined;
      for (const asked of config.offline ? [] : openAll(undefined)) {
        const found = await ask(asked, ({ remote }) => readRecord(remote, fingerprint, signal));
        if (found?.missing.length === 0) return found.record;
        incomplete ??= found;
      }
      return incomplete?.record;
    },
    has: async ({ root, remote: name }: Want) => {
      for (const asked of config.offline ? [] : openAll(name)) {
        if (await ask(asked, ({ remote }) => isComplete(remote, root.digest, signal))) return true;
      }
      return false;
    },
    state: async (name, root) => {
      if (config.offline || !isUsable(remoteNamed(config, name).location)) return 'unknown';
      const asked = tryOpen(name);
      const complete =
        asked === undefined
          ? undefined
          : await ask(asked, ({ remote }) => willStayComplete(remote, root, store.reader, signal));
      return complete === undefined ? 'down' : complete ? 'complete' : 'absent';
    },
    fetch: async (wants, what, from): Promise<Fetched> => {
      const total = { files: 0, bytes: 0 };
      const sources = new Set<string>();
      for (const [name, group] of byRemote(wants)) {
        const asked = from !== undefined ? from.map(open) : config.offline ? [] : openAll(name);
        const [first, ...others] = asked.map(({ remote }) => remote);
        if (first === undefined) throw notAsked(readingOrder(config, name), group);
        const fetched = await fetchRoots({
          remote: first,
          others,
          reach,
          store,
          receiver,
          wants: group,
          treesOnly: what === 'trees',
          relatives: options.relatives,
          arrived: (remote) => {
            const source = asked.find((candidate) => candidate.remote === remote);
            if (source !== undefined) sources.add(source.name);
          },
          signal,
        }).catch((error: unknown) => {
          throw withRemotes(error, from ?? asked.map((one) => one.name));
        });
        total.files += fetched.files.received;
        total.bytes += fetched.bytes.received;
        if (sources.size === 0) sources.add(asked[0]?.name ?? '');
      }
      store.reader.catalog.refresh();
      return { ...total, remote: sources.size === 0 ? undefined : [...sources].join(', ') };
    },
  };
}

/** Tells of each remote once that it is down, or was never used. */
function createReach({ emit, runDir }: RemotesOptions, opened: ReadonlyMap<string, OpenedRemote>): Reach {
  const failures = new Map<Remote, SluiceError>();
  const unused = new Set<Remote>();
  const nameOf = (remote: Remote): string =>
    [...opened.values()].find((known) => known.remote === remote)?.name ?? remote.description;
  return {
    unused: (remote) => {
      if (unused.has(remote)) return;
      unused.add(remote);
      emit({
        type: 'warning',
        message: `remote ${nameOf(remote)} was never used: nothing is at ${remote.description} yet`,
        hint: 'If somebody has pushed to it, check its URL, and that the directory is mounted; otherwise the first push makes it.',
      });
    },
    failure: (remote) => {
      const known = failures.get(remote) ?? sharedFailure(runDir, remote.description);
      if (known !== undefined) failures.set(remote, known);
      return known;
    },
    lost: (remote, { message, code, hint }) => {
      if (failures.has(remote)) return;
      const what = code === 'ERR_FORMAT_VERSION' ? 'cannot be used' : 'is down';
      const told = new SluiceError(
        code,
        `remote ${nameOf(remote)} ${what}: ${message}`,
        hint === undefined ? {} : { hint },
      );
      failures.set(remote, told);
      if (!shareFailure(runDir, remote.description, told)) return;
      emit({ type: 'warning', code, message: told.message, ...(hint === undefined ? {} : { hint }) });
    },
  };
}

function isOfNewerFormat(error: unknown): error is SluiceError {
  return error instanceof SluiceError && error.code === 'ERR_FORMAT_VERSION';
}

function byRemote(wants: readonly Want[]): Map<string | undefined, Want[]> {
  const groups = new Map<string | undefined, Want[]>();
  for (const want of wants) groups.set(want.remote, [...(groups.get(want.remote) ?? []), want]);
  return groups;
}

/** What remotes are called here, the fetch does not know. */
function withRemotes(error: unknown, remotes: readonly string[]): unknown {
  if (!(error instanceof SluiceError) || error.details?.digest === undefined) return error;
  const { code, message, hint, cause, details } = error;
  return new SluiceError(code, message, {
    cause,
    ...(hint === undefined ? {} : { hint }),
    details: { ...details, remotes: [...remotes] },
  });
}

function notAsked(remotes: readonly string[], wants: readonly Want[]): SluiceError {
  const digest = wants[0]?.root.digest ?? '';
  const [first] = remotes;
  return new SluiceError('ERR_NOT_LOCAL', `${digest} is needed and not in the store`, {
    hint:
      first === undefined
        ? 'No remote is configured that could have it.'
        : `Remote ${first} was not asked, being offline.`,
    details: { digest, remotes: [...remotes] },
  });
}
