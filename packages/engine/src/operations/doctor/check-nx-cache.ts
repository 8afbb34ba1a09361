import { posix } from 'node:path';
import { isWithin, type RelPath, tryParseRelPath } from '../../model/path.js';
import { replaceTokens } from '../../stage/declared-path.js';
import { stageName } from '../../stage/stage.js';
import { isStageExecutor } from '../../workspace/executors.js';
import { readDeclaredProjects } from '../../workspace/projects.js';
import type { Diagnosis, Patient } from './finding.js';

/** Finds targets whose outputs Nx copies into its own cache although they are data of Sluice: stages, and others that name an out among their outputs. */
export function checkNxCache({ root, files, stages }: Patient): Diagnosis[] {
  const owners = stages.flatMap((stage) =>
    stage.outs.filter(({ cache }) => cache).map(({ path }) => ({ path, owner: stageName(stage.id) })),
  );
  return readDeclaredProjects(root, files).flatMap(({ name, root: projectRoot, file, targets }) =>
    [...targets]
      .filter(([, { cache }]) => cache === true)
      .flatMap(([target, { executor, outputs }]): Diagnosis[] => {
        const subject = `${name}:${target}`;
        if (typeof executor === 'string' && isStageExecutor(executor)) {
          return [
            {
              check: 'nx-cache',
              level: 'problem',
              subject,
              message:
                'has "cache": true, so Nx replays it without asking Sluice, and copies what it calls its outputs',
              fix: `Set "cache": false in ${file}, or take it out of "targetDefaults" in nx.json.`,
            },
          ];
        }
        const paths = (Array.isArray(outputs) ? outputs : []).flatMap((output: unknown) =>
          typeof output === 'string' ? outputPath(output, { name, root: projectRoot }) : [],
        );
        const shared = owners.find(({ path }) => paths.some((own) => isWithin(own, path) || isWithin(path, own)));
        if (shared === undefined) return [];
        return [
          {
            check: 'nx-cache',
            level: 'problem',
            subject,
            message: `is cached by Nx with outputs that hold ${shared.path}, which ${shared.owner} makes: Nx stores and restores it over the data of Sluice`,
            fix: `Take it out of "outputs" in ${file}, or set "cache": false.`,
          },
        ];
      }),
  );
}

/** The path of an output, or of the directory that its pattern begins with. One that depends on options is not known here. */
function outputPath(output: string, project: { readonly name: string; readonly root: string }): RelPath[] {
  const replaced = replaceTokens(output, project);
  if (!replaced.ok || output.startsWith('!') || /\{[A-Za-z.]+\}/.test(replaced.value)) return [];
  const literal = posix.normalize(replaced.value.split(/(?<=^|\/)[^/]*[*?[{]/)[0] ?? '').replace(/^\.$|\/$/, '');
  const path = tryParseRelPath(literal);
  return path === undefined ? [] : [path];
}
