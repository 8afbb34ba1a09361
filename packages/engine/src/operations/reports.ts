import type { ErrorWire } from '../errors.js';
import type { Digest } from '../model/digest.js';
import type { ConflictClass } from '../model/merge/merge-entry.js';
import type { Part } from '../model/parts.js';
import type { Reason } from '../model/reason.js';
import type { Decision } from '../stage/decide.js';

/** An out with its root, as reports show it. */
export interface OutReport {
  readonly path: string;
  readonly digest: Digest;
  readonly files: number;
  readonly bytes: number;
}

/** Two sides of a count: what was new or sent or received, and what was there already. */
export interface Split<A extends string> {
  readonly files: Readonly<Record<A | 'reused', number>>;
  readonly objects: Readonly<Record<A | 'reused', number>>;
  readonly bytes: Readonly<Record<A | 'reused', number>>;
}

/** Requests to a remote. `put` counts every request that carries bytes. */
export interface RequestCount {
  readonly head: number;
  readonly get: number;
  readonly put: number;
  readonly list: number;
  readonly delete: number;
}

/** What `commit` did. */
export interface CommitReport {
  readonly stages: readonly {
    readonly project: string;
    readonly target: string;
    readonly outs: readonly OutReport[];
  }[];
  readonly objects: { readonly new: number; readonly reused: number };
  readonly bytes: { readonly new: number; readonly reused: number };
  readonly ms: number;
}

/** A dataset that was brought in from elsewhere and committed. */
export interface ImportReport extends OutReport {
  readonly project: string;
  readonly target: string;
  /** `false`: it was this version already. */
  readonly changed: boolean;
  readonly ms: number;
}

/** What an export wrote, and what was there already with the right bytes. */
export interface ExportReport {
  /** Absolute path, or URL of a bucket and prefix. */
  readonly to: string;
  readonly written: number;
  readonly unchanged: number;
  /** Of what was written. */
  readonly bytes: number;
  readonly ms: number;
}

/** Files of the workspace that were made, removed and left as they were. */
export interface WorkspaceCount {
  readonly written: number;
  readonly removed: number;
  readonly unchanged: number;
}

/** What `checkout` did. `referenceOnly`: outs whose data is not in the store, with the command that fetches it in the warning. */
export interface CheckoutReport {
  readonly workspace: WorkspaceCount;
  readonly bytes: number;
  readonly referenceOnly: readonly {
    readonly project: string;
    readonly target: string;
    readonly path: string;
    readonly files: number;
    readonly bytes: number;
  }[];
  readonly ms: number;
}

/** What `push` did: on all remotes together, and on each of them. */
export interface PushReport extends Split<'sent'> {
  /** The first of {@link PushReport.remotes}. */
  readonly remote: string;
  readonly remotes: readonly RemotePush[];
  readonly requests: RequestCount;
  readonly dryRun: boolean;
  readonly ms: number;
}

/** What `push` did on one remote. With an `error` it does not have everything. */
export interface RemotePush extends Split<'sent'> {
  readonly remote: string;
  readonly requests: RequestCount;
  readonly ms: number;
  readonly error: ErrorWire | null;
}

/** What `fetch` did; `left` is what a limit left out. */
export interface FetchReport extends Split<'received'> {
  /** The remote that was asked first. */
  readonly remote: string;
  /** Who gave how much, in bytes of blobs; in the order in which they were first needed. */
  readonly sources: readonly { readonly remote: string; readonly bytes: number }[];
  readonly requests: RequestCount;
  readonly left: { readonly files: number; readonly bytes: number };
  readonly ms: number;
}

/** What `pull` did. */
export interface PullReport extends FetchReport {
  readonly workspace: WorkspaceCount;
}

/** Distinct blobs and trees with the bytes of the blobs. */
export interface ObjectSum {
  readonly blobs: number;
  readonly trees: number;
  readonly bytes: number;
}

/** What `gc` did, or would do. */
export interface GcReport {
  readonly removed: ObjectSum;
  readonly kept: ObjectSum;
  readonly keptUnpushed: ObjectSum;
  readonly dryRun: boolean;
  readonly ms: number;
}

/** What the collection of a remote did, or would do, in the writer's own area. */
export interface GcRemoteReport extends GcReport {
  readonly remote: string;
  /** What is not needed and goes when nobody needs it in `dueMs`; counted apart from `kept`. */
  readonly condemned: ObjectSum;
  /** `null` if nothing is condemned. */
  readonly dueMs: number | null;
  /** Roots that are kept because no commit of this repository names them. */
  readonly foreignRoots: number;
  /** Objects of the remote that were deleted, with their bytes as they lay there. */
  readonly freed: { readonly objects: number; readonly bytes: number };
  /** Packs that were mostly dead, and the bytes that were copied out of them. */
  readonly repacked: { readonly packs: number; readonly bytes: number };
  /** Large objects that somebody began to send, of which nothing came since (ISO 8601, UTC); their parts were deleted. */
  readonly unfinished: readonly { readonly key: string; readonly bytes: number; readonly since: string }[];
}

/** Why an object would be kept: every root that reaches it, and what names that root. Empty: nothing does. */
export interface GcExplanation {
  readonly digest: Digest;
  readonly keptBy: readonly string[];
}

/** What a store holds. */
export interface StoreStat extends ObjectSum {
  readonly objects: number;
  readonly records: number;
  readonly path: string;
}

/** That a remote answered. */
export interface PingReport {
  readonly remote: string;
  /** Whether anything was ever pushed to it. */
  readonly used: boolean;
  /** Until it answered. */
  readonly ms: number;
  /** The proxy on the way to it, and the variable that names it: `http://proxy:3128 (HTTPS_PROXY)`. Never with a password. */
  readonly proxy: string | null;
}

/** What a remote holds. `blobs` and `trees`: distinct ones that its maps name. */
export interface RemoteStatReport {
  readonly remote: string;
  readonly blobs: number;
  readonly trees: number;
  readonly packs: number;
  readonly records: number;
  /** Of all objects under the remote's prefix. */
  readonly bytes: number;
  /** Of the blobs that its maps name, each counted once, before packing. */
  readonly referencedBytes: number;
}

/** Something that is not as it should be, and what became of it. */
export interface Finding {
  readonly where: 'store' | 'link' | 'workspace' | 'remote' | 'lock';
  /** A digest or a path, in a lock with its stage; on a remote the key of an object, or a root that is not there at all. */
  readonly name: string;
  readonly problem: ErrorWire;
  readonly repaired: boolean;
}

/** What `verify` found. `checked` counts objects, and files of the workspace. */
export interface VerifyReport {
  readonly findings: readonly Finding[];
  readonly checked: { readonly objects: number; readonly files: number; readonly bytes: number };
  readonly ms: number;
}

/** Why a stage would run or not: each part before and after. */
export interface ExplainReport {
  readonly project: string;
  readonly target: string;
  readonly state: Decision['kind'];
  /** The locked result is kept whatever the inputs say, so they are not looked at. */
  readonly frozen: boolean;
  readonly reasons: readonly Reason[];
  readonly fingerprint: { readonly before: Digest | null; readonly after: Digest | null };
  readonly parts: readonly {
    readonly kind: Part['kind'];
    readonly name: string;
    readonly before: string | null;
    readonly after: string | null;
    readonly changed: boolean;
  }[];
}

/** A configured remote. */
export interface RemoteReport {
  readonly name: string;
  readonly url: string;
  readonly default: boolean;
  readonly readOnly: boolean;
}

/** What `init` made; empty when everything was there. */
export interface InitReport {
  readonly written: readonly string[];
  /** Only if hooks were asked for. */
  readonly hooks?: HooksReport;
}

/** Hooks of git by name: those that were written, those that were there, and those of others, with the line that each needs. */
export interface HooksReport {
  readonly written: readonly string[];
  readonly unchanged: readonly string[];
  readonly foreign: readonly { readonly hook: string; readonly path: string; readonly line: string }[];
}

/** A conflict that a merge left in a lock. */
export interface ConflictReport {
  readonly project: string;
  readonly target: string;
  /** Names it to `resolve`. */
  readonly selector: string;
  readonly out: string;
  /** Below the out; empty for the whole out. */
  readonly path: string;
  readonly class: ConflictClass;
  /** `null` where a side has nothing. */
  readonly bytes: { readonly base: number | null; readonly ours: number | null; readonly theirs: number | null };
  /** A tree that could not be had, so that nothing of the out is merged yet. */
  readonly missing: Digest | null;
}

/** What the merge of a lock did. `text`: it could not be read as a lock, so git merged its lines; `markers`: and left markers in it. */
export interface MergeLocksReport {
  /** Of the lock, from the workspace root. */
  readonly path: string;
  /** Targets whose entries are not those of our side any more. */
  readonly stages: readonly string[];
  readonly conflicts: readonly ConflictReport[];
  readonly text: boolean;
  readonly markers?: boolean;
}

/** Conflicts that were ended, and those of the selected stages that are left; `locks` were written. */
export interface ResolveReport {
  readonly resolved: readonly ConflictReport[];
  readonly left: readonly ConflictReport[];
  readonly locks: readonly string[];
}

/** What was found before git published commits: how many roots were looked for, and what was pushed because a remote lacked it. */
export interface PrePushReport {
  readonly checked: number;
  readonly pushed: PushReport | null;
}

/** Files that are private and writable now, with the bytes that were copied, and those that were so already. */
export interface UnlockReport {
  readonly unlocked: readonly string[];
  readonly unchanged: readonly string[];
  readonly bytes: number;
}
