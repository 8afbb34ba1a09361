import { type Digest, digestOf } from './digest.js';
import { compareUtf8 } from './path.js';

/** What a part of a fingerprint is about. The table of all parts is in `docs/fingerprint.md`. */
export type PartKind = 'command' | 'cwd' | 'dep' | 'env' | 'foreach' | 'out' | 'param' | 'runtime';

/**
 * One named part of a fingerprint. `value` is what is compared and what a person is shown:
 * a digest for deps and env, the text for commands, canonical JSON for params.
 */
export interface Part {
  readonly kind: PartKind;
  /** `''` for the kinds of which a stage has one (`command`, `cwd`, `foreach`). */
  readonly name: string;
  readonly value: string;
  /** For a dep or param file inside another stage's out: the root of that out. Not part of the fingerprint. */
  readonly via?: Digest;
}

/** One difference between two sets of parts; `null` where a side does not have the part. */
export interface PartChange {
  readonly kind: PartKind;
  readonly name: string;
  readonly before: string | null;
  readonly after: string | null;
}

/** The key of a part in a lock and in the fingerprint: `kind` or `kind:name`. */
export function partKey(part: { readonly kind: PartKind; readonly name: string }): string {
  return part.name === '' ? part.kind : `${part.kind}:${part.name}`;
}

/** Sorts parts by the UTF-8 bytes of their keys. */
export function sortParts(parts: readonly Part[]): Part[] {
  return [...parts].sort((a, b) => compareUtf8(partKey(a), partKey(b)));
}

/** The digest of a stage's parts: SHA-256 of the canonical form in `docs/fingerprint.md`. */
export function fingerprintOf(parts: readonly Part[]): Digest {
  const lines = sortParts(parts).map((part) => JSON.stringify([partKey(part), part.value]));
  return digestOf(`sluice-fingerprint-1\n${lines.join('\n')}\n`);
}

/** What changed between two sets of parts, in the order of their keys. Empty exactly if the fingerprints are equal. */
export function diffParts(before: readonly Part[], after: readonly Part[]): PartChange[] {
  const old = new Map(before.map((part) => [partKey(part), part]));
  const changes: PartChange[] = [];
  for (const part of after) {
    const was = old.get(partKey(part));
    old.delete(partKey(part));
    if (was?.value !== part.value) changes.push(change(part, was?.value ?? null, part.value));
  }
  for (const part of old.values()) changes.push(change(part, part.value, null));
  return changes.sort((a, b) => compareUtf8(partKey(a), partKey(b)));
}

function change(part: Part, before: string | null, after: string | null): PartChange {
  return { kind: part.kind, name: part.name, before, after };
}
