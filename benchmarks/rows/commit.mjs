// @ts-check
import { copy, copyDurably, findAndNode } from '../native.mjs';
import { expectEqual, times } from './row.mjs';

/** @typedef {import('./row.mjs').Row} Row */
/** @typedef {import('./row.mjs').Native} Native */

/** @type {Native} */
const cpR = { name: 'cp -r', run: ({ source }, fresh) => copy(source, fresh) };
/** @type {Native} */
const durably = { name: 'cp + sync -f', run: ({ source }, fresh) => copyDurably(source, fresh) };
/** @type {Native} */
const look = { name: 'find + node', run: ({ workspaces }) => findAndNode(workspaces.trackedOut) };

/** @type {readonly Row[]} */
export const commitRows = [
  { ...firstCommit(), bars: { small: times(0.4), medium: times(0.8) }, native: cpR },
  { ...firstCommit(), bars: { big: times(1.2) }, native: durably },
  {
    name: 'commit, again',
    bars: { small: times(2) },
    native: look,
    prepare: ({ workspaces }) => workspaces.ensureCommitted(),
    run: ({ workspaces }) => workspaces.inTracked('commit'),
    check: (_, { stdout }) => expectEqual('new objects', JSON.parse(stdout).objects.new, 0),
    dvc: { prepare: ({ dvc }) => dvc.ensureCommitted(), run: ({ dvc, set }) => dvc.inTracked('add', set.name) },
  },
  {
    name: 'status, again',
    bars: { small: times(2) },
    native: look,
    prepare: async ({ workspaces }) => {
      await workspaces.ensureCommitted();
      await workspaces.inTracked('status');
    },
    run: ({ workspaces }) => workspaces.inTracked('status'),
    check: (_, { stdout }) => expectEqual('state', JSON.parse(stdout).stages[0].state, 'unchanged'),
    dvc: { prepare: ({ dvc }) => dvc.ensureCommitted(), run: ({ dvc }) => dvc.inTracked('status') },
  },
  {
    name: 'commit, one file changed',
    bars: { small: times(2.5) },
    native: look,
    prepare: ({ workspaces }) => workspaces.oneChanged(),
    run: ({ workspaces }) => workspaces.inTracked('commit'),
    check: ({ set }, { stdout }) => expectEqual('new bytes', JSON.parse(stdout).bytes.new, set.leastBytes),
    dvc: { prepare: ({ dvc }) => dvc.oneChanged(), run: ({ dvc, set }) => dvc.inTracked('add', set.name) },
  },
];

/** @returns {Omit<Row, 'bars' | 'native'>} */
function firstCommit() {
  return {
    name: 'commit, first',
    prepare: ({ workspaces }) => workspaces.bare(),
    run: ({ workspaces }) => workspaces.inTracked('commit'),
    check: ({ set }, { stdout }) => expectEqual('files', JSON.parse(stdout).stages[0].outs[0].files, set.files),
    dvc: { prepare: ({ dvc }) => dvc.bare(), run: ({ dvc, set }) => dvc.inTracked('add', set.name) },
  };
}
