import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { ROOT } from '../../scripts/run-tool.mjs';
import { beginJob, type JobOptions, type StepEnd } from './action.js';
import type { Workspace } from './workspace.js';

/** A workflow of GitHub Actions, as far as the recipes of `docs/github-action.md` need it. */
interface WorkflowFile {
  readonly jobs: Readonly<Record<string, JobFile>>;
}

interface JobFile {
  readonly needs?: string | readonly string[];
  readonly if?: string;
  readonly outputs?: Readonly<Record<string, string>>;
  readonly strategy?: { readonly matrix: { readonly include: string } };
  readonly steps: readonly {
    readonly id?: string;
    readonly uses?: string;
    readonly run?: string;
    readonly with?: Readonly<Record<string, string | boolean>>;
  }[];
}

/** One machine of a job that ran. */
export interface Machine {
  readonly workspace: Workspace;
  /** `matrix.name`, or nothing. */
  readonly name: string;
  readonly ended: StepEnd;
}

/** A job that has run on its machines, or was skipped. */
export interface JobEnd {
  readonly status: 'success' | 'failure' | 'skipped';
  readonly outputs: Readonly<Record<string, string>>;
  readonly machines: readonly Machine[];
}

/** Where a workflow runs. */
export interface WorkflowOptions {
  readonly job?: JobOptions;
  /** Gives each machine a fresh checkout. */
  readonly checkout: () => Promise<Workspace>;
  /** Called when a machine has its checkout, before its step with an action. */
  readonly beforeAction?: (job: string) => Promise<void>;
  /** Inputs that a test gives besides those of the workflow. */
  readonly inputs?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** Machines at once. */
const AT_ONCE = 3;

/** The workflow in the recipe with this heading, as readers copy it. */
export function recipe(heading: string): WorkflowFile {
  const page = readFileSync(join(ROOT, 'docs/github-action.md'), 'utf8');
  const [, text = ''] = page.slice(page.indexOf(`### ${heading}\n`)).split(/^```(?:yaml)?\n/m);
  return parse(text);
}

/** Runs a workflow as GitHub does: jobs in the order of their needs, each machine on its own checkout, with the committed bundle of the action. */
export async function runWorkflow(
  { jobs }: WorkflowFile,
  { job: jobOptions, checkout, beforeAction, inputs = {} }: WorkflowOptions,
): Promise<Record<string, JobEnd>> {
  const ends: Record<string, JobEnd> = {};
  for (const [name, job] of Object.entries(jobs)) {
    const needs = [job.needs ?? []].flat();
    const facts: Facts = {
      needs: pick(ends, needs),
      hasFailed: ancestors(jobs, name).some((up) => ends[up]?.status === 'failure'),
    };
    if (!isWanted(job, facts)) {
      ends[name] = { status: 'skipped', outputs: {}, machines: [] };
      continue;
    }
    const entries = job.strategy === undefined ? [{}] : listOf(value(job.strategy.matrix.include, facts));
    const machines = await inTurns(entries, AT_ONCE, async (matrix): Promise<Machine & { readonly steps: Steps }> => {
      const workspace = await checkout();
      const steps: Record<string, StepEnd> = {};
      let ended: StepEnd | undefined;
      for (const step of job.steps) {
        const action = actionOf(step.uses);
        if (action === undefined) continue;
        await beforeAction?.(name);
        const given = Object.entries(step.with ?? {}).map(([key, text]) => [
          key,
          String(value(String(text), { ...facts, matrix })),
        ]);
        const running = beginJob(workspace, jobOptions);
        ended = await running.run(action, { ...defaultsOf(step.uses), ...Object.fromEntries(given), ...inputs[name] });
        if (step.id !== undefined) steps[step.id] = ended;
        if (action === 'main') await running.run('post', Object.fromEntries(given));
      }
      if (ended === undefined) throw new Error(`job ${name} uses no action`);
      return { workspace, name: matrix.name ?? '', ended, steps };
    });
    const status = machines.every(({ ended }) => ended.code === 0) ? 'success' : 'failure';
    const outputs = Object.entries(job.outputs ?? {}).map(([key, text]) => [
      key,
      String(value(text, { ...facts, steps: machines[0]?.steps ?? {} })),
    ]);
    ends[name] = { status, outputs: Object.fromEntries(outputs), machines };
  }
  return ends;
}

/** Inputs and outputs that jobs of a workflow use of our actions, and that the actions do not have. */
export function unknownNames({ jobs }: WorkflowFile): string[] {
  return Object.values(jobs).flatMap((job) =>
    job.steps.flatMap(({ id, uses, with: given = {} }) => {
      if (actionOf(uses) === undefined) return [];
      const { inputs = {}, outputs = {} } = actionFile(uses);
      const read = Object.values(job.outputs ?? {}).flatMap((text) => {
        const [, step, output] = /steps[.]([\w-]+)[.]outputs[.]([\w-]+)/.exec(text) ?? [];
        return step === id && output !== undefined ? [output] : [];
      });
      return [
        ...Object.keys(given).filter((name) => !(name in inputs)),
        ...read.filter((name) => !(name in outputs)),
      ].map((name) => `${uses}: ${name}`);
    }),
  );
}

type Steps = Readonly<Record<string, StepEnd>>;

/** What expressions can see. */
interface Facts {
  readonly needs: Readonly<Record<string, JobEnd>>;
  readonly hasFailed: boolean;
  readonly steps?: Steps;
  readonly matrix?: Readonly<Record<string, string>>;
}

/** Without a function that asks for it, a job runs only if all that it needs succeeded. */
function isWanted({ if: condition = '' }: JobFile, facts: Facts): boolean {
  const asks = /\b(?:failure|cancelled|always|success)\(\)/.test(condition);
  const hasAll = Object.values(facts.needs).every(({ status }) => status === 'success');
  if (!asks && !hasAll) return false;
  return condition === '' || value(condition, facts) === true;
}

/** The value of a text with one expression, or of one without. */
function value(text: string, facts: Facts): unknown {
  const [, expression] = /^\$\{\{(.*)\}\}$/.exec(text.trim()) ?? [];
  return expression === undefined ? text : evaluate(expression.trim(), facts);
}

function evaluate(expression: string, facts: Facts): unknown {
  const parts = expression.split('&&').map((part) => part.trim());
  if (parts.length > 1) return parts.every((part) => evaluate(part, facts) === true);
  if (expression === '!failure()') return !facts.hasFailed;
  if (expression === '!cancelled()') return true;
  const [, left, operator, right] = /^(.+?) (==|!=) '(.*)'$/.exec(expression) ?? [];
  if (left !== undefined) return (evaluate(left, facts) === right) === (operator === '==');
  const [, list] = /^fromJSON\((.+)\)$/.exec(expression) ?? [];
  if (list !== undefined) return JSON.parse(String(evaluate(list, facts)));
  const [kind, first = '', , third = ''] = expression.split('.');
  if (kind === 'needs') return facts.needs[first]?.outputs[third] ?? '';
  if (kind === 'steps') return facts.steps?.[first]?.outputs[third] ?? '';
  if (kind === 'matrix') return facts.matrix?.[first] ?? '';
  throw new Error(`no such expression: ${expression}`);
}

/** Our bundles by the name that a workflow uses; other actions only prepare what a test has prepared. */
function actionOf(uses = ''): 'main' | 'plan' | 'restore' | undefined {
  const [, folder = ''] = /^OWNER\/sluice(?:\/(\w+))?@/.exec(uses) ?? [];
  if (!uses.startsWith('OWNER/')) return undefined;
  return folder === 'plan' || folder === 'restore' ? folder : 'main';
}

interface ActionFile {
  readonly inputs?: Readonly<Record<string, { readonly default?: string }>>;
  readonly outputs?: Readonly<Record<string, object>>;
}

function actionFile(uses = ''): ActionFile {
  const action = actionOf(uses);
  return parse(readFileSync(join(ROOT, action === 'main' ? '.' : (action ?? '.'), 'action.yml'), 'utf8'));
}

/** A runner gives the defaults as inputs. */
function defaultsOf(uses: string | undefined): Record<string, string> {
  return Object.fromEntries(
    Object.entries(actionFile(uses).inputs ?? {}).flatMap(([name, input]) =>
      input.default === undefined ? [] : [[name, input.default]],
    ),
  );
}

function ancestors(jobs: WorkflowFile['jobs'], name: string): string[] {
  const needs = [jobs[name]?.needs ?? []].flat();
  return [...needs, ...needs.flatMap((need) => ancestors(jobs, need))];
}

function pick<T>(from: Readonly<Record<string, T>>, names: readonly string[]): Record<string, T> {
  return Object.fromEntries(Object.entries(from).filter(([name]) => names.includes(name)));
}

function listOf(entries: unknown): readonly Readonly<Record<string, string>>[] {
  if (!Array.isArray(entries) || entries.length === 0) throw new Error('an empty matrix is an error');
  if (entries.length > 256) throw new Error('a matrix has at most 256 entries');
  return entries;
}

async function inTurns<T, R>(items: readonly T[], atOnce: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let at = 0; at < items.length; at += atOnce)
    results.push(...(await Promise.all(items.slice(at, at + atOnce).map(work))));
  return results;
}
