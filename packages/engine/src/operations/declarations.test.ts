import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { useTempDir } from '../testing/temp-dir.js';
import { readWorkspace } from '../workspace/projects.js';
import { checkDeclarations, type DeclarationsReport } from './declarations.js';

const at = useTempDir();

function report(files: Record<string, string>): DeclarationsReport {
  for (const [path, text] of Object.entries({ 'nx.json': '{}', ...files })) {
    mkdirSync(dirname(at(path)), { recursive: true });
    writeFileSync(at(path), text);
  }
  return checkDeclarations(at(), readWorkspace(at()));
}

const stage = (options: string): string =>
  `{\n  "name": "p",\n  "targets": {\n    "make": {\n      "executor": "@sluice/nx:stage",\n      "options": ${options}\n    }\n  }\n}\n`;

test('names the stages and the targets by which Nx runs them', () => {
  const options = '{ "matrix": { "n": [1, 2] }, "command": "make {matrix.n}", "outs": ["{projectRoot}/o{matrix.n}"] }';
  const { stages, targets, problems } = report({ 'p/project.json': stage(options) });
  expect(problems).toEqual([]);
  expect(targets).toEqual(['make']);
  expect(stages).toHaveLength(2);
});

test('says who makes what for whom, by the names of Nx', () => {
  const make = '{ "matrix": { "n": [1, 2] }, "command": "make {matrix.n}", "outs": ["p/o{matrix.n}"] }';
  const use = '{ "command": "x", "deps": ["p/o1", "p/o2"], "outs": ["q/o"] }';
  const { edges } = report({
    'p/project.json': stage(make),
    'q/project.json': stage(use).replace('"p"', '"q"').replace('"make"', '"use"'),
  });
  expect(edges).toEqual([['p:make', 'q:use']]);
});

test('a wrong option is told with its line', () => {
  const { problems } = report({
    'p/project.json': stage(
      '{\n        "command": "make",\n        "outs": ["{projectRoot}/o"],\n        "cwd": 3\n      }',
    ),
  });
  expect(problems).toMatchObject([
    {
      code: 'ERR_STAGE_DEFINITION',
      stage: 'p:make',
      file: 'p/project.json',
      line: 9,
      message: expect.stringContaining('cwd'),
    },
  ]);
});

test('an option that is missing is told with the line of the options, one that is not known with its own', () => {
  const { problems } = report({
    'p/project.json': stage('{ "command": "make",\n "typo": 1, "outs": ["{projectRoot}/o"] }'),
  });
  expect(problems).toMatchObject([{ line: 7 }]);
  const { problems: noOuts } = report({ 'p/project.json': stage('{}') });
  expect(noOuts).toMatchObject([{ file: 'p/project.json', line: 6 }]);
});

test('a file that is no JSON, and stages that collide, are problems too', () => {
  const { problems } = report({
    'a/project.json': '{',
    'b/project.json': stage('{ "command": "x", "outs": ["shared/o"] }').replace('"p"', '"b"'),
    'c/project.json': stage('{ "command": "x", "outs": ["shared/o"] }').replace('"p"', '"c"'),
  });
  expect(problems.map(({ code, file }) => [code, file])).toEqual([
    ['ERR_WORKSPACE', 'a/project.json'],
    ['ERR_STAGE_DEFINITION', undefined],
  ]);
});
