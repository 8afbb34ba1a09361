import { SluiceError } from '../errors.js';
import type { RelPath } from '../model/path.js';
import { pendingOf } from '../workspace/hash-snapshot.js';
import { type Look, observedFrom } from '../workspace/observe.js';
import type { PartMark } from '../workspace/stat-index.js';
import { type Stage, stageName } from './stage.js';

/** Throws `ERR_OUT_PART` if Sluice put only a part of an out in place: whoever commits it would lose the rest. */
export function refusePart(stage: Stage, path: RelPath, mark: PartMark | undefined): void {
  if (mark?.partOf === undefined && mark?.changedPartOf === undefined) return;
  const name = stageName(stage.id);
  const isChanged = mark.partOf === undefined;
  const dataset = stage.command === undefined;
  const rest = isChanged
    ? `\`sluice pull --force ${name}\` gets all of it and keeps your changes aside in the store`
    : `\`sluice pull ${name}\` gets all of it`;
  const take = dataset ? `; \`sluice commit --force ${name}\` takes what lies there for all of it` : '';
  throw new SluiceError(
    'ERR_OUT_PART',
    `${name}: only a part of ${path} was put in the workspace${isChanged ? ', and changed since' : ''}`,
    { hint: `${rest}${take}.`, details: { path, of: mark.partOf ?? mark.changedPartOf } },
  );
}

/** {@link refusePart} for what was looked at, before any file is read. */
export function refuseLookedPart(stage: Stage, path: RelPath, seen: Look): void {
  const { snapshot, index } = seen;
  if (snapshot === undefined || index === undefined) return;
  // Where digests are not known yet, neither is whether something changed.
  refusePart(stage, path, pendingOf(snapshot).length === 0 ? observedFrom(snapshot, seen) : index);
}
