import { isWithin, type RelPath } from '../model/path.js';
import { parseDeclaredDep, type TokenValues } from './declared-path.js';
import type { DeclaredOut } from './define-outs.js';
import { type GlobDep, globMatcher, globReaches } from './glob.js';
import { type OptionReader, reportTwice, textsOption } from './option-reader.js';
import { parseDeclaredParam } from './param-syntax.js';
import type { Dep, Param } from './stage.js';

/** Reads and checks the deps of a stage, with the pattern of its items. A dep that touches one of the stage's own outs is a problem. */
export function defineDeps(
  reader: OptionReader,
  project: TokenValues,
  outs: readonly DeclaredOut[],
  items?: GlobDep,
): Dep[] {
  const declared = textsOption(reader, 'deps').flatMap(({ option, text }) => {
    const dep = parseDeclaredDep(text, project);
    if (dep.ok) return [{ option, dep: dep.value }];
    reader.problems.push({ option, message: `${JSON.stringify(text)} ${dep.message}`, hint: dep.hint });
    return [];
  });
  if (items !== undefined) declared.push({ option: 'foreach', dep: items });
  reportTwice(
    reader.problems,
    declared.map(({ option, dep }) => [option, dep.kind === 'path' ? dep.path : dep.pattern]),
  );
  for (const { option, dep } of declared) reportOwnOut(reader, option, dep, outs);
  return declared.map(({ dep }) => dep);
}

/** Reads and checks the params of a stage; a param file inside one of the stage's own outs is a problem. */
export function defineParams(reader: OptionReader, project: TokenValues, outs: readonly DeclaredOut[]): Param[] {
  const declared = textsOption(reader, 'params').flatMap(({ option, text }) => {
    const param = parseDeclaredParam(text, project);
    if (param.ok) return [{ option, param: param.value }];
    reader.problems.push({ option, message: `${JSON.stringify(text)} ${param.message}`, hint: param.hint });
    return [];
  });
  reportTwice(
    reader.problems,
    declared.map(({ option, param: { file, key } }) => [option, key === undefined ? file : `${file}:${key}`]),
  );
  for (const { option, param } of declared) reportOwnOut(reader, option, { kind: 'path', path: param.file }, outs);
  return declared.map(({ param }) => param);
}

function reportOwnOut(reader: OptionReader, option: string, dep: Dep, outs: readonly DeclaredOut[]): void {
  for (const out of outs) {
    const relation = dep.kind === 'path' ? pathRelation(dep.path, out.path) : globRelation(dep, out.path);
    if (relation === undefined) continue;
    const persist = out.persist
      ? ' With "persist" the command finds its last result in place without declaring it.'
      : '';
    const wide = dep.kind === 'glob' ? narrowing(dep.pattern) : '';
    reader.problems.push({
      option,
      message: `${relation} ${out.option} of the same stage, ${JSON.stringify(out.path)}`,
      hint: `A stage cannot depend on what it makes: declare the files that it only reads.${persist}${wide}`,
    });
  }
}

function pathRelation(dep: RelPath, out: RelPath): string | undefined {
  const shown = JSON.stringify(dep === '' ? '.' : dep);
  if (dep === out) return `${shown} is`;
  if (isWithin(dep, out)) return `${shown} lies inside`;
  return isWithin(out, dep) ? `${shown} holds` : undefined;
}

function globRelation(dep: Extract<Dep, { kind: 'glob' }>, out: RelPath): string | undefined {
  if (!globReaches(dep, out)) return undefined;
  const certain = isWithin(dep.base, out) || globMatcher(dep.pattern)(out);
  return `${JSON.stringify(dep.pattern)} ${certain ? 'matches' : 'may match files inside'}`;
}

function narrowing(pattern: string): string {
  if (pattern.includes('**')) return ' Begin "**" in a directory that holds no outs.';
  return /\{[^}]*\//.test(pattern) ? ' Write braces that hold a slash as several deps.' : '';
}
