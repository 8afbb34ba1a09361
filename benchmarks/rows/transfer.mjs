// @ts-check
import { copy } from '../native.mjs';
import { expectEqual, seconds, times } from './row.mjs';

/** @type {import('./row.mjs').Native} */
const cpR = { name: 'cp -r', run: ({ source }, fresh) => copy(source, fresh) };

/** @type {readonly import('./row.mjs').Row[]} */
export const transferRows = [
  {
    name: 'push, first',
    bars: { small: times(0.5), medium: times(1), big: undefined },
    native: cpR,
    prepare: ({ workspaces }) => workspaces.unpushed(),
    run: ({ workspaces }) => workspaces.inTracked('push'),
    check: ({ set }, { stdout }) => expectEqual('files sent', JSON.parse(stdout).files.sent, set.files),
    dvc: { prepare: ({ dvc }) => dvc.unpushed(), run: ({ dvc }) => dvc.inTracked('push') },
  },
  {
    name: 'push, again',
    bars: { small: seconds(0.4), medium: seconds(0.4) },
    prepare: ({ workspaces }) => workspaces.ensurePushed(),
    run: ({ workspaces }) => workspaces.inTracked('push'),
    check: (_, { stdout }) => expectEqual('files sent', JSON.parse(stdout).files.sent, 0),
    dvc: { prepare: ({ dvc }) => dvc.ensurePushed(), run: ({ dvc }) => dvc.inTracked('push') },
  },
  {
    name: 'fetch',
    bars: { small: times(0.5), medium: times(1.2), big: undefined },
    native: cpR,
    prepare: ({ workspaces }) => workspaces.freshClone(),
    run: ({ workspaces }) => workspaces.inClone('fetch'),
    check: ({ set }, { stdout }) => expectEqual('files received', JSON.parse(stdout).files.received, set.files),
    dvc: { prepare: ({ dvc }) => dvc.freshClone(), run: ({ dvc }) => dvc.inClone('fetch') },
  },
];
