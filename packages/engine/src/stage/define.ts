import { SluiceError } from '../errors.js';
import { type RelPath, tryParseRelPath } from '../model/path.js';
import { isStageExecutor, STAGE_EXECUTOR, TRACK_EXECUTOR } from '../workspace/executors.js';
import { MATRIX_OF_CONFIGURATION, matrixProblem } from '../workspace/matrix.js';
import { isObject } from '../workspace/merge-target.js';
import type { TokenValues } from './declared-path.js';
import { defineCommand, defineCwd, defineEnv, defineRuntime } from './define-command.js';
import { defineDeps, defineParams } from './define-deps.js';
import { defineForeach, itemsPath } from './define-foreach.js';
import { type DeclaredOut, defineOuts } from './define-outs.js';
import { choiceOption, flagOption, type OptionProblem, openOptions } from './option-reader.js';
import type { Foreach, Out, Stage } from './stage.js';

/** A target as it is declared. */
export interface StageDeclaration {
  /** `root` is relative to the workspace root; `''` and `.` are the root itself. */
  readonly project: TokenValues;
  readonly target: string;
  readonly executor: string;
  /** The options of the target, tokens replaced or not. */
  readonly options: unknown;
}

const OPTIONS = [
  'command',
  'deps',
  'params',
  'env',
  'outs',
  'cwd',
  'always',
  'frozen',
  'runtime',
  'materialize',
  'onDepChange',
  'matrix',
  'foreach',
  'groupBy',
  'itemsAtOnce',
] as const;

/**
 * Checks the options of a target and says what they mean. All problems are reported in one `ERR_STAGE_DEFINITION` (`ERR_ENV_NAME` when
 * only names of environment variables are wrong) that names project, target, options and what to do; `details.problems` lists them.
 */
export function defineStage(declaration: StageDeclaration): Stage {
  const { project, target, executor, options } = declaration;
  const problems: OptionProblem[] = [];
  const projectRoot = projectRootOf(declaration);
  const reader = openOptions(options ?? {}, '', OPTIONS, problems);
  const declared = defineOuts(reader, project, projectRoot);
  const command = defineCommand(reader, project, executor, declared);
  const foreach = defineForeach(reader, project, declared);
  const outs = withItems(declared, foreach);
  const deps = defineDeps(reader, project, outs, foreach?.glob);
  const stage: Stage = {
    id: { project: project.name, target },
    projectRoot,
    command,
    cwd: defineCwd(reader, project, projectRoot, outs),
    foreach,
    deps,
    params: defineParams(reader, project, outs),
    env: defineEnv(reader),
    runtime: defineRuntime(reader, project),
    outs: outs.map(withoutPlace),
    always: flagOption(reader, 'always', false),
    frozen: flagOption(reader, 'frozen', false),
    materialize: choiceOption(reader, 'materialize', ['eager', 'lazy']),
    onDepChange: choiceOption(reader, 'onDepChange', ['fail', 'warn']) ?? 'fail',
  };
  const declaredMatrix = isObject(options) && options.matrix !== undefined ? MATRIX_OF_CONFIGURATION : undefined;
  const matrix = matrixProblem(isObject(options) ? options : {}) ?? declaredMatrix;
  if (matrix !== undefined) problems.push({ option: 'matrix', ...matrix });
  if (!isStageExecutor(executor)) {
    problems.push({
      option: 'executor',
      message: `is ${executor}`,
      hint: `A stage has the executor ${STAGE_EXECUTOR} or ${TRACK_EXECUTOR}.`,
    });
  }
  if (problems.length > 0) throw definitionError(declaration, problems);
  return stage;
}

function projectRootOf({ project, target }: StageDeclaration): RelPath {
  const root = tryParseRelPath(project.root === '.' ? '' : project.root);
  if (root !== undefined && project.name !== '' && target !== '' && target !== '__proto__') return root;
  throw new SluiceError(
    'ERR_STAGE_DEFINITION',
    `target ${JSON.stringify(target)} of project ${JSON.stringify(project.name)} (${project.root}) has a name or a root that cannot be used`,
    {
      hint: 'Give the project and the target another name, and keep the project inside the workspace.',
    },
  );
}

function withoutPlace({ option: _, ...out }: DeclaredOut): Out {
  return out;
}

/** The list of items is an out like any other, so that whoever has the data can go on from it. */
function withItems(outs: readonly DeclaredOut[], foreach: Foreach | undefined): readonly DeclaredOut[] {
  const out = outs.find(({ path }) => path === foreach?.out);
  if (out === undefined) return outs;
  return [...outs, { ...out, path: itemsPath(out.path), metrics: false }];
}

function definitionError({ project, target }: StageDeclaration, problems: readonly OptionProblem[]): SluiceError {
  const code = problems.every(({ option }) => option.startsWith('env[')) ? 'ERR_ENV_NAME' : 'ERR_STAGE_DEFINITION';
  const name = `${project.name}:${target}`;
  const [first] = problems;
  if (problems.length === 1 && first !== undefined) {
    return new SluiceError(code, `stage ${name}: option ${first.option}: ${first.message}`, {
      hint: first.hint,
      details: { problems },
    });
  }
  const lines = problems.map(
    ({ option, message, hint }) => `\n  ${option}: ${message}${/[.?]$/.test(message) ? '' : '.'} ${hint}`,
  );
  return new SluiceError(code, `stage ${name} has ${problems.length} problems in its options:${lines.join('')}`, {
    hint: `Correct the target ${JSON.stringify(target)} of project ${JSON.stringify(project.name)}.`,
    details: { problems },
  });
}
