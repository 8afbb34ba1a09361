import { compareUtf8 } from '../../model/path.js';
import type { Reason } from '../../model/reason.js';
import type { OutRoot } from '../../model/root.js';
import { needsOf } from '../../stage/circle.js';
import { type Decision, isFrozen } from '../../stage/decide.js';
import { producersOf } from '../../stage/out-index.js';
import { Resolver } from '../../stage/resolve.js';
import { type Stage, stageName } from '../../stage/stage.js';
import { completeness } from '../../store/complete.js';
import { reasonsText } from '../../text/reasons.js';
import type { OperationContext } from '../context.js';
import { decideAll } from '../decide-all.js';
import type { Select } from '../options.js';
import type { Selected } from '../select.js';
import { foldLevels } from './fold-levels.js';
import { packGroups } from './pack-groups.js';
import { planWork, type SeenStage, type StageAction, type StageWork } from './plan-work.js';
import { runTimes } from './run-times.js';

/** How a plan is made. */
export interface PlanOptions {
  readonly select: Select;
  /** As many levels at most; 4 if it is not given. */
  readonly maxLevels?: number;
  /** As many entries in each level at most; 256 if it is not given. */
  readonly shards?: number;
}

/** A stage about which something has to be done, or may have to be. */
export interface PlannedStage {
  readonly project: string;
  readonly target: string;
  readonly action: Exclude<StageAction, 'none'>;
  readonly reasons: readonly Reason[];
  /** The same for a person. */
  readonly why: string;
  /** Bytes that would come from a remote for it: of its result, or of deps. What does not exist yet is not counted, and of an out that is read in part all is. */
  readonly bytes: number;
}

/** Stages that one machine makes, in an order in which it can. */
export interface PlanEntry {
  /** Short, and unlike that of any other entry. */
  readonly name: string;
  /** `project:target` */
  readonly stages: readonly string[];
  /** What decides that there is something to do. */
  readonly why: string;
}

/** What would be done, before anything runs. */
export interface PlanReport {
  /** Sorted by project and target. */
  readonly stages: readonly PlannedStage[];
  /** Stages that nothing has to be done about. */
  readonly unchanged: number;
  /** What runs or may run, without what is left: each level needs those before it, its entries need nothing of each other. */
  readonly levels: readonly (readonly PlanEntry[])[];
}

/** What GitHub takes as the entries of one matrix. */
const MOST_ENTRIES = 256;
const MOST_LEVELS = 4;

/** What would be done to bring the selected stages, and what they read, up to date, and how several machines share it. Runs nothing and moves no data. */
export async function plan(
  context: OperationContext,
  selected: readonly Selected[],
  { maxLevels = MOST_LEVELS, shards = MOST_ENTRIES }: Omit<PlanOptions, 'select'>,
): Promise<PlanReport> {
  const resolver = new Resolver(context);
  const stages = withUpstream(
    context,
    selected.map(({ stage }) => stage),
  );
  const decisions = await decideAll(
    resolver,
    [...stages].map(([, stage]) => stage),
  );
  const works = planWork([...stages].map(([name, stage]) => seen(resolver, name, stage, decisions.get(name))));
  const planned: PlannedStage[] = [];
  for (const work of works) {
    const [stage, decision] = [stages.get(work.name), decisions.get(work.name)];
    if (work.action === 'none' || stage === undefined || decision === undefined) continue;
    planned.push({
      ...stage.id,
      action: work.action,
      reasons: decision.reasons,
      why: whyOf(work, decision),
      bytes: await bytesToCome(resolver, stage, decision),
    });
  }
  const toRun = works.filter(({ action }) => action === 'run' || action === 'may-run');
  const times = await runTimes(
    context,
    toRun.flatMap(({ name }) => stages.get(name) ?? []),
  );
  const nodes = toRun.flatMap((work) => {
    const stage = stages.get(work.name);
    return stage === undefined ? [] : [{ ...work, needs: needsOf(stage, context.stages.outs), ms: times(work.name) }];
  });
  const why = new Map(planned.map((stage) => [stageName(stage), stage.why]));
  return {
    stages: planned.sort((a, b) => compareUtf8(a.project, b.project) || compareUtf8(a.target, b.target)),
    unchanged: stages.size - planned.length,
    levels: foldLevels(nodes, maxLevels).map((groups) =>
      packGroups(groups, shards).map((group) => {
        const names = group.map(({ name }) => name);
        const [first = ''] = names;
        const certain = group.find(({ action }) => action === 'run')?.name ?? first;
        return { name: shortName(names), stages: names, why: why.get(certain) ?? '' };
      }),
    ),
  };
}

/** The stages, and those that make what they read, and so on; by name. */
function withUpstream({ stages }: OperationContext, selected: readonly Stage[]): Map<string, Stage> {
  const found = new Map<string, Stage>();
  const open = [...selected];
  for (let stage = open.pop(); stage !== undefined; stage = open.pop()) {
    if (found.has(stageName(stage.id))) continue;
    found.set(stageName(stage.id), stage);
    for (const { producer } of producersOf(stage, stages.outs)) open.push(...[stages.get(producer) ?? []].flat());
  }
  return new Map([...found].sort(([a], [b]) => compareUtf8(a, b)));
}

function seen(resolver: Resolver, name: string, stage: Stage, decision: Decision | undefined): SeenStage {
  return {
    name,
    state: decision?.kind ?? 'new',
    // What is frozen does not follow what it reads.
    needs: isFrozen(stage, resolver.locked(stage)) ? [] : needsOf(stage, resolver.context.stages.outs),
    staysHere: staysHere(stage),
  };
}

/** Others find a result by its record; these have none, or one without its data. */
function staysHere({ command, always, outs }: Stage): string | undefined {
  if (command === undefined) return 'data that is kept by hand has to be committed where it is';
  if (always) return 'what is declared as "always" leaves no record';
  if (outs.some(({ persist }) => persist)) return 'what is declared as "persist" leaves no record';
  return outs.some(({ push }) => !push) ? 'an out of it is not pushed' : undefined;
}

function whyOf({ action, because }: StageWork, { reasons }: Decision): string {
  if (action === 'may-run') return `after ${because.join(', ')}`;
  const own = reasons.length === 0 ? [] : [reasonsText(reasons)];
  return (action === 'left' ? [...own, ...because] : own).join('; ');
}

async function bytesToCome(resolver: Resolver, stage: Stage, decision: Decision): Promise<number> {
  const roots: OutRoot[] = [];
  if (decision.kind === 'restorable') roots.push(...decision.record.outs.values());
  else {
    const { stages } = resolver.context;
    const outs = new Map(producersOf(stage, stages.outs).map(({ out, producer }) => [out, stages.get(producer)]));
    for (const [path, producer] of outs) {
      if (producer === undefined) continue;
      const { root, inPlace } = await resolver.out(producer, path);
      if (root !== undefined && !inPlace) roots.push(root);
    }
  }
  const { reader } = resolver.context.workspace.store;
  return roots.reduce((sum, root) => sum + (completeness(reader, root) === 'complete' ? 0 : root.bytes), 0);
}

function shortName([first = '', ...others]: readonly string[]): string {
  return others.length === 0 ? first : `${first} and ${others.length} more`;
}
