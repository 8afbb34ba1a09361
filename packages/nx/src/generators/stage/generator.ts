import { addTarget } from '@sluice/engine';
import { type CommonOptions, generate } from '../generate.js';
import { type ListOption, listOption } from '../list-option.js';
import { onlyGiven } from '../only-given.js';
import type { AfterWriting, NxTree } from '../tree.js';

/** Options of `nx g @sluice/nx:stage`. */
export interface StageOptions extends CommonOptions {
  readonly name: string;
  readonly project: string;
  readonly projectRoot?: string;
  readonly command: string;
  readonly deps?: ListOption;
  readonly params?: ListOption;
  readonly env?: ListOption;
  readonly runtime?: ListOption;
  readonly outs?: ListOption;
  /** Files with numbers, kept by git. */
  readonly metrics?: ListOption;
  readonly cwd?: string;
}

/** Declares a stage: a target with a command, what it reads and what it makes. Throws an `Error` that says code and hint. */
export default async function stageGenerator(tree: NxTree, options: StageOptions): Promise<AfterWriting> {
  return await generate(tree, options, (files) => {
    const { project, target } = addTarget(tree.root, files, {
      kind: 'stage',
      project: options.project,
      projectRoot: options.projectRoot,
      target: options.name,
      options: onlyGiven({
        command: options.command,
        deps: listOption(options.deps),
        params: listOption(options.params),
        env: listOption(options.env),
        runtime: listOption(options.runtime),
        outs: outsOf(options),
        cwd: options.cwd,
      }),
    });
    return { next: [`next: nx run ${project}:${target}`] };
  });
}

function outsOf({ outs, metrics }: StageOptions): unknown[] | undefined {
  const kept = (listOption(metrics) ?? []).map((path) => ({ path, cache: false, metrics: true }));
  const all = [...(listOption(outs) ?? []), ...kept];
  return all.length === 0 ? undefined : all;
}
