// @ts-check
// The process that Nx starts for one task, without Nx: `node run-stage.mjs <workspace> <project:target>`.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import stageExecutor from '../../packages/nx/dist/stage/executor.js';

const [root = '', id = ''] = process.argv.slice(2);
const [projectName = '', targetName = ''] = id.split(':');
const { targets } = JSON.parse(
  readFileSync(join(root, projectName, 'project.json'), 'utf8').replaceAll('{projectRoot}', projectName),
);
const { success } = await stageExecutor(targets[targetName].options, { root, projectName, targetName });
process.exit(success ? 0 : 1);
