import { SluiceError } from '../errors.js';
import { partKey } from '../model/parts.js';
import { compareUtf8 } from '../model/path.js';
import { decide, isFrozen } from '../stage/decide.js';
import { Resolver } from '../stage/resolve.js';
import type { OperationContext } from './context.js';
import type { ExplainReport } from './reports.js';
import type { Selected } from './select.js';

/** Why a stage would run or not, part by part. Throws `ERR_USAGE` if the selector names more than one stage. */
export async function explain(context: OperationContext, selected: readonly Selected[]): Promise<ExplainReport> {
  const [first, ...others] = selected;
  if (first === undefined || others.length > 0) {
    throw new SluiceError('ERR_USAGE', 'one stage is explained at a time', { hint: 'Name it as project:target.' });
  }
  const { stage } = first;
  const resolver = new Resolver(context);
  const decision = await decide(resolver, stage);
  const locked = resolver.locked(stage);
  const before = new Map((locked?.parts ?? []).map((part) => [partKey(part), part]));
  const after = new Map(decision.parts.map((part) => [partKey(part), part]));
  const keys = [...new Set([...before.keys(), ...after.keys()])].sort(compareUtf8);
  return {
    ...stage.id,
    state: decision.kind,
    frozen: isFrozen(stage, locked),
    reasons: decision.reasons,
    fingerprint: { before: locked?.fingerprint ?? null, after: decision.fingerprint ?? null },
    parts: keys.flatMap((key) => {
      const part = after.get(key) ?? before.get(key);
      if (part === undefined) return [];
      const was = before.get(key)?.value ?? null;
      const is = after.get(key)?.value ?? null;
      return [{ kind: part.kind, name: part.name, before: was, after: is, changed: was !== is }];
    }),
  };
}
