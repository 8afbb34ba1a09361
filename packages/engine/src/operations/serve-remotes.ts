import { guardArea } from '../remote/broker/allow.js';
import { believedRecords } from '../remote/broker/believed-records.js';
import { type Broker, type Served, startBroker } from '../remote/broker/serve.js';
import { limited } from '../remote/storage/limit.js';
import { type MeteredStorage, metered, type Traffic } from '../remote/storage/metered.js';
import type { Config, RemoteConfig } from '../workspace/config.js';
import { CONCURRENCY, type ConnectOptions, type Driver, type OpenDriver, openDriver } from './connect-remote.js';
import { signaturesOf, tellRefused } from './signatures-of.js';

/** How remotes are served. */
export interface ServeOptions {
  /** Whether results of this run may be sent. */
  readonly mayWrite: boolean;
  /** An existing directory for a socket; its path is short. */
  readonly dir: string;
}

/** Remotes that other processes reach through this one. */
export interface ServedRemotes extends Broker {
  /** What went to and came from each remote so far, for this process and for all others. */
  traffic(): readonly RemoteTraffic[];
}

/** The traffic of one remote. `kind` is the scheme of its URL. Times in ms. */
export interface RemoteTraffic extends Readonly<Traffic> {
  readonly remote: string;
  readonly kind: string;
  readonly requests: number;
}

/** Drivers that stay open for as long as a process lives, so that it asks once what it asks of all, and all is counted in one place. */
export interface KeptDrivers {
  readonly open: OpenDriver;
  traffic(): readonly RemoteTraffic[];
}

/** Opens each remote once. */
export function keepDrivers(): KeptDrivers {
  const kept = new Map<
    string,
    { readonly kind: string; readonly storage: MeteredStorage; readonly requests: Driver['requests'] }
  >();
  return {
    open: (settings, options) => {
      const known = kept.get(settings.name);
      if (known !== undefined) return { driver: known.storage, requests: known.requests };
      const { driver, requests } = openDriver(settings, options);
      const storage = metered(driver, () => performance.now());
      kept.set(settings.name, { kind: settings.location.kind, storage, requests });
      return { driver: storage, requests };
    },
    traffic: () =>
      [...kept].map(([remote, { kind, storage, requests }]) => ({
        remote,
        kind,
        requests: Object.values(requests).reduce((sum, count) => sum + count, 0),
        ...storage.traffic,
      })),
  };
}

/** Serves the remotes of a configuration with the keys of this process. */
export async function serveRemotes(
  config: Config,
  drivers: KeptDrivers,
  connect: ConnectOptions,
  { mayWrite, dir }: ServeOptions,
): Promise<ServedRemotes> {
  const served = new Map<string, Served>();
  const open = (settings: RemoteConfig): Served => {
    const { driver } = drivers.open(settings, connect);
    const signatures = signaturesOf(settings, connect);
    const refused = tellRefused(settings.name, signatures, connect.emit);
    const bounded = limited(driver, settings.concurrency ?? CONCURRENCY);
    const storage = believedRecords({ storage: bounded, description: driver.description, signatures, refused });
    const opened = { storage, guard: guardArea(connect.area, mayWrite, signatures) };
    served.set(settings.name, opened);
    return opened;
  };
  // What is wrong with the keys is told before anything runs.
  const strict = [...config.remotes.values()].some((settings) => signaturesOf(settings, connect).needed.maps);
  const broker = await startBroker({
    area: connect.area,
    isStrict: strict,
    dir,
    open: (name) => {
      const settings = config.remotes.get(name);
      return settings === undefined || config.offline ? undefined : (served.get(name) ?? open(settings));
    },
  });
  return { ...broker, traffic: drivers.traffic };
}
