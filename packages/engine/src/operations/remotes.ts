import { SluiceError } from '../errors.js';
import type { Digest } from '../model/digest.js';
import type { StageRecord } from '../model/record.js';
import type { OutRoot } from '../model/root.js';
import { fetchRoots } from '../remote/fetch.js';
import { readRecord } from '../remote/records.js';
import { isComplete, isUnreachable, willStayComplete } from '../remote/remote.js';
import type { Fetched, RemoteSource, Want } from '../stage/context.js';
import { type Config, remoteNamed } from '../workspace/config.js';
import { type ConnectOptions, connectRemote, type OpenedRemote } from './connect-remote.js';

/** What is known about a root on a remote. `unknown`: not asked, being offline. */
export type RemoteState = 'complete' | 'absent' | 'unknown' | 'down';

/** The remotes of a workspace. */
export interface Remotes extends RemoteSource {
  /** The remote with this name, or the default one. Throws `ERR_REMOTE_UNKNOWN` or `ERR_CONFIG`, and `ERR_REMOTE_DOWN` when offline. */
  open(name: string | undefined): OpenedRemote;
  /** Whether all of a root is on the remote with this name, and no collection is about to delete it. Never throws because a remote does not answer. */
  state(name: string, root: OutRoot): Promise<RemoteState>;
}

/** What the remotes of a workspace need. */
export interface RemotesOptions extends ConnectOptions {
  readonly config: Config;
  /** Versions that share content with a root that no remote has; see `fetchRoots`. */
  readonly relatives?: ((root: OutRoot) => Promise<readonly OutRoot[]>) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Opens remotes by name, each once, when they are first needed. */
export function createRemotes(options: RemotesOptions): Remotes {
  const { config, store, emit, signal } = options;
  const opened = new Map<string, OpenedRemote>();
  const down = new Set<string>();

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

  /** Asks a remote that may be absent, offline or down; `undefined` means that it said nothing. */
  const ask = async <T>(
    name: string | undefined,
    question: (remote: OpenedRemote) => Promise<T>,
  ): Promise<T | undefined> => {
    const label = name ?? config.defaultRemote;
    if (config.offline || label === undefined || down.has(label)) return undefined;
    const remote = open(label);
    try {
      return await question(remote);
    } catch (error) {
      if (!isUnreachable(error)) throw error;
      down.add(label);
      const { message, code, hint } = error as SluiceError;
      emit({
        type: 'warning',
        code,
        message: `remote ${label} is down: ${message}`,
        ...(hint === undefined ? {} : { hint }),
      });
      return undefined;
    }
  };

  return {
    open,
    findRecord: async (fingerprint: Digest): Promise<StageRecord | undefined> =>
      ask(undefined, async ({ remote }) => (await readRecord(remote, fingerprint, signal))?.record),
    has: async ({ root, remote: name }: Want) =>
      (await ask(name, ({ remote }) => isComplete(remote, root.digest, signal))) ?? false,
    state: async (name, root) => {
      if (config.offline) return 'unknown';
      const complete = await ask(name, ({ remote }) => willStayComplete(remote, root.digest, signal));
      return complete === undefined ? 'down' : complete ? 'complete' : 'absent';
    },
    fetch: async (wants, what): Promise<Fetched> => {
      let files = 0;
      let bytes = 0;
      let from: string | undefined;
      for (const [name, group] of byRemote(wants, config.defaultRemote)) {
        const fetched = await ask(name, ({ remote }) =>
          fetchRoots({
            remote,
            store,
            wants: group.map(({ root, filter }) => ({ root, ...(filter === undefined ? {} : { filter }) })),
            treesOnly: what === 'trees',
            relatives: options.relatives,
            ...(signal === undefined ? {} : { signal }),
          }),
        );
        if (fetched === undefined) throw notLocal(name, group, down.has(name ?? ''));
        files += fetched.files.received;
        bytes += fetched.bytes.received;
        from = name;
      }
      store.reader.catalog.refresh();
      return { files, bytes, remote: from };
    },
  };
}

function byRemote(wants: readonly Want[], fallback: string | undefined): Map<string | undefined, Want[]> {
  const groups = new Map<string | undefined, Want[]>();
  for (const want of wants) {
    const name = want.remote ?? fallback;
    groups.set(name, [...(groups.get(name) ?? []), want]);
  }
  return groups;
}

/** Rule 6: what is needed now and is nowhere else is named, with the remote that may have it. */
function notLocal(name: string | undefined, wants: readonly Want[], isDown: boolean): SluiceError {
  const [first] = wants;
  const digest = first?.root.digest ?? '';
  if (isDown) {
    return new SluiceError(
      'ERR_REMOTE_DOWN',
      `${digest} is needed and not in the store, and remote ${name} does not answer`,
      {
        hint: `Try again when it answers: sluice remote ping ${name}`,
        details: { digest },
      },
    );
  }
  return new SluiceError('ERR_NOT_LOCAL', `${digest} is needed and not in the store`, {
    hint:
      name === undefined
        ? 'No remote is configured that could have it.'
        : `Remote ${name} was not asked, being offline.`,
    details: { digest },
  });
}
