import { dataIsRead as isRead } from './data-is-read.js';
import type { ExecutorContext } from './nx-context.js';
import { executorContext } from './testing/executor-context.js';

function dataIsRead(context: ExecutorContext, endIsRead?: boolean): boolean {
  return isRead(context, { project: context.projectName ?? '', target: context.targetName ?? '' }, endIsRead);
}

const stage = { executor: '@sluice/nx:stage' };

test('the last task of a chain is read by the user', () => {
  const tasks = { 'p:a': stage, 'p:b': { ...stage, needs: ['p:a'] } };
  expect(dataIsRead(executorContext('/w', 'p:b', tasks))).toBe(true);
  expect(dataIsRead(executorContext('/w', 'p:a', tasks))).toBe(false);
});

test('a task that is not ours looks for files', () => {
  const tasks = {
    'p:a': stage,
    'q:b': { ...stage, needs: ['p:a'] },
    'q:report': { executor: 'nx:run-commands', needs: ['p:a'] },
  };
  expect(dataIsRead(executorContext('/w', 'p:a', tasks))).toBe(true);
});

test('a dataset does not read for others', () => {
  const tasks = { 'p:raw': { executor: '@sluice/nx:track' }, 'p:a': { ...stage, needs: ['p:raw'] } };
  expect(dataIsRead(executorContext('/w', 'p:raw', tasks))).toBe(false);
});

test('where results are for others, the end of a chain is not read, but what another task waits for is', () => {
  expect(dataIsRead(executorContext('/w', 'p:a', { 'p:a': stage }), false)).toBe(false);
  const tasks = { 'p:a': stage, 'q:report': { executor: 'nx:run-commands', needs: ['p:a'] } };
  expect(dataIsRead(executorContext('/w', 'p:a', tasks), false)).toBe(true);
});

test('edges of Nx 24', () => {
  const context = executorContext('/w', 'p:a', { 'p:a': stage, 'p:b': stage });
  const { taskGraph } = context;
  const edges = { 'p:b': [{ id: 'p:a', waitFor: 'completion' }] };
  expect(dataIsRead({ ...context, taskGraph: { tasks: taskGraph?.tasks ?? {}, dependencies: edges } })).toBe(false);
});

test('a configuration is part of the id of a task', () => {
  const context = executorContext('/w', 'p:a');
  const target = (name: string) => ({ target: { project: 'p', target: name } });
  const taskGraph = {
    tasks: { 'p:a:fast': target('a'), 'p:b:fast': target('b') },
    dependencies: { 'p:b:fast': ['p:a:fast'] },
  };
  const projectsConfigurations = { projects: { p: { targets: { a: stage, b: stage } } } };
  expect(dataIsRead({ ...context, taskGraph, projectsConfigurations })).toBe(false);
});

test('executors are found in the project graph too, and an unknown one is not ours', () => {
  const { taskGraph, ...context } = executorContext('/w', 'p:a', { 'p:a': stage, 'p:b': { ...stage, needs: ['p:a'] } });
  const projectGraph = { nodes: { p: { data: { targets: { b: stage } } } } };
  const empty = { ...context, taskGraph, projectsConfigurations: { projects: {} } };
  expect(dataIsRead({ ...empty, projectGraph })).toBe(false);
  expect(dataIsRead(empty)).toBe(true);
});

test('without a task graph the data is wanted', () => {
  const { taskGraph: _, ...context } = executorContext('/w', 'p:a');
  expect(dataIsRead(context)).toBe(true);
});
