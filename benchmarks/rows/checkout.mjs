// @ts-check
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { copy, linkAndNode } from '../native.mjs';
import { measureTree, pathInSet } from '../sets.mjs';
import { expectEqual, times } from './row.mjs';

/** @typedef {import('./row.mjs').Row} Row */

/** @type {readonly Row[]} */
export const checkoutRows = [
  {
    ...checkout('checkout, copies', false),
    bars: { small: times(0.9), medium: times(0.9), big: undefined },
    native: { name: 'cp -r', run: ({ source }, fresh) => copy(source, fresh) },
  },
  {
    ...checkout('checkout, hard links', true),
    bars: { links: times(1.6) },
    native: { name: 'cp -al + node', run: ({ source }, fresh) => linkAndNode(source, fresh) },
  },
];

/** @param {string} name @param {boolean} linked whether files are links to the store's; outs of earlier runs are further names of them @returns {Omit<Row, 'bars'>} */
function checkout(name, linked) {
  return {
    name,
    prepare: ({ workspaces }) => workspaces.withoutData(),
    run: ({ workspaces }) => workspaces.inTracked('checkout'),
    check: ({ set, workspaces: { trackedOut } }) => {
      expectEqual('files', measureTree(trackedOut).files, set.files);
      expectEqual('linked', statSync(join(trackedOut, pathInSet(set, 0))).nlink > 1, linked);
    },
    dvc: { prepare: ({ dvc }) => dvc.withoutData(), run: ({ dvc }) => dvc.inTracked('checkout') },
  };
}
