import { measureRemote } from '../remote/measure.js';
import type { OperationContext } from './context.js';
import type { RemoteStatReport } from './reports.js';

/** Counts what a remote holds. Throws `ERR_REMOTE_DOWN`, `ERR_REMOTE_DENIED`, or `ERR_USAGE` for a remote that cannot be listed. */
export async function remoteStat(context: OperationContext, name: string | undefined): Promise<RemoteStatReport> {
  const opened = context.remotes.open(name);
  const { workspace, emit, signal } = context;
  const { reader } = workspace.store;
  reader.catalog.refresh();
  const { unreadable, ...measured } = await measureRemote(opened.remote, reader, signal);
  for (const { code, message } of unreadable) {
    emit({ type: 'warning', code, message: `not counted in full: ${message}` });
  }
  return { remote: opened.name, ...measured };
}
