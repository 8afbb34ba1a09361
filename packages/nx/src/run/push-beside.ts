import type { BackgroundReport } from '@sluice/engine';

type End = () => Promise<BackgroundReport | undefined>;

/** Pushes under way, by the id of the Nx command: the hook that begins one and the hook that ends it share nothing but their process. */
const underWay = new Map<string, Promise<End>>();

/**
 * Begins to push what the tasks of a command make, if `sluice.json` says so, in this process and beside it; the command does not wait. Where the command is killed and this process is not, it ends
 * by itself.
 */
export function beginPush(id: string, root: string, env: Readonly<Record<string, string | undefined>>): void {
  const beginning = begin(root, env);
  // What goes wrong is told when it ends.
  beginning.catch(() => {});
  underWay.set(id, beginning);
}

/** Pushes what is left. `undefined` if nothing was begun for this command, or it is not asked for. Throws what opening the workspace threw. */
export async function endPush(id: string): Promise<BackgroundReport | undefined> {
  const begun = underWay.get(id);
  underWay.delete(id);
  return await (await begun)?.();
}

async function begin(root: string, env: Readonly<Record<string, string | undefined>>): Promise<End> {
  // The engine is loaded only if there is something to do.
  const { wantedAfterRun } = await import('@sluice/engine/summary');
  if (!wantedAfterRun(root, env).pushWhileRunning) return async () => undefined;
  const { openEngine } = await import('@sluice/engine');
  const engine = await openEngine({ root, env });
  const pusher = engine.pushWhileRunning();
  void pusher.ended.then(() => engine.close());
  return () => pusher.flush();
}
