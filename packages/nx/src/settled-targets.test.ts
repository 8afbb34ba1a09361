import { settledTargets } from './settled-targets.js';
import { executorContext } from './testing/executor-context.js';

const stage = { executor: '@sluice/nx:stage' };
const chosen = { id: { project: 'p', target: 'train' }, options: { matrix: { seed: [1, 2] } } };
const tasks = {
  'p:train@1': stage,
  'p:train@2': stage,
  'q:train@3': stage,
  'p:build': stage,
  'p:train': { ...stage, needs: ['p:train@1', 'p:train@2', 'q:train@3', 'p:build'] },
};

test('the stages of a matrix that Nx has run before the target that stands for them', () => {
  expect(settledTargets(executorContext('/w', 'p:train', tasks), chosen)).toEqual(['train@1', 'train@2']);
});

test('none without the plugin, and none for a stage that stands for itself', () => {
  const alone = { 'p:train@1': stage, 'p:train': stage };
  expect(settledTargets(executorContext('/w', 'p:train', alone), chosen)).toEqual([]);
  expect(settledTargets(executorContext('/w', 'p:train', tasks), { ...chosen, options: {} })).toEqual([]);
  expect(settledTargets({ root: '/w' }, chosen)).toEqual([]);
});
