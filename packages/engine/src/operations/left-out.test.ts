import fs from 'node:fs';
import { openEngine } from '../engine.js';
import { useTempDir } from '../testing/temp-dir.js';

const temp = useTempDir();

test('a project that cannot be read is told of by what is about all stages', async () => {
  for (const name of ['a', 'b', 'c']) fs.mkdirSync(temp('ws', name), { recursive: true });
  const stage = { executor: '@sluice/nx:stage', options: { command: 'true', outs: ['a/o'] } };
  fs.writeFileSync(temp('ws/nx.json'), '{}');
  fs.writeFileSync(temp('ws/a/project.json'), JSON.stringify({ name: 'a', targets: { make: stage } }));
  fs.writeFileSync(temp('ws/b/project.json'), '<<<<<<< ours');
  fs.writeFileSync(
    temp('ws/c/project.json'),
    JSON.stringify({ name: 'c', targets: { bad: { ...stage, options: { x: 1 } } } }),
  );
  const told: unknown[] = [];
  const emit = (event: object): void => void told.push(event);
  const engine = await openEngine({ root: temp('ws'), env: {}, threads: 0, emit });
  const { stages } = await engine.status({ select: [] });
  expect(stages.map(({ project }) => project)).toEqual(['a']);
  expect(told).toEqual([
    expect.objectContaining({
      type: 'warning',
      code: 'ERR_WORKSPACE',
      message: expect.stringMatching(/^what b\/project\.json declares is left out: it is not JSON: /),
    }),
    expect.objectContaining({
      type: 'warning',
      code: 'ERR_STAGE_DEFINITION',
      message: expect.stringMatching(/^c:bad is left out: /),
    }),
  ]);
  await engine.close();
});
