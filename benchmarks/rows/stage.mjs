// @ts-check
import { copy, find } from '../native.mjs';
import { measureTree } from '../sets.mjs';
import { expectEqual, times } from './row.mjs';

/** Time inside the engine's call, in a process that has opened the engine. @type {readonly import('./row.mjs').Row[]} */
export const stageRows = [
  {
    name: 'stage, unchanged (in process)',
    bars: { small: times(2), medium: times(2) },
    native: { name: 'find', run: ({ workspaces }) => find(workspaces.madeOut) },
    prepare: async ({ workspaces }) => {
      await workspaces.ensureMade();
      // Whatever made the data before, this looks at it once.
      await workspaces.callStage();
    },
    run: ({ workspaces }) => workspaces.callStage(),
    check: (_, { stdout }) => expectEqual('outcome', JSON.parse(stdout).outcome, 'unchanged'),
    dvc: { prepare: ({ dvc }) => dvc.ensureMade(), run: ({ dvc }) => dvc.reproduce() },
  },
  {
    name: 'stage, restored (in process)',
    bars: { small: times(1), medium: times(1) },
    native: { name: 'cp -r', run: ({ source }, fresh) => copy(source, fresh) },
    prepare: ({ workspaces }) => workspaces.withoutMade(),
    run: ({ workspaces }) => workspaces.callStage(),
    check: ({ set, workspaces }, { stdout }) => {
      expectEqual('outcome', JSON.parse(stdout).outcome, 'restored');
      expectEqual('files', measureTree(workspaces.madeOut).files, set.files);
    },
    dvc: {
      prepare: ({ dvc }) => dvc.withoutMade(),
      run: ({ dvc }) => dvc.reproduce(),
    },
  },
];
