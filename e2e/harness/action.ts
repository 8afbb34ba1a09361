import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ROOT } from '../../scripts/run-tool.mjs';
import { type Ended, type Running, start } from './process.js';
import type { Workspace } from './workspace.js';

/** A job of GitHub Actions on this machine: the committed `dist/` as processes, with files and variables as a runner gives them. */
export interface Job {
  readonly env: Record<string, string>;
  start(step: 'main' | 'post' | 'restore' | 'plan', inputs?: Record<string, string>): Running;
  /** Runs a step to its end. What it said to the runner is in the result. */
  run(step: 'main' | 'post' | 'restore' | 'plan', inputs?: Record<string, string>): Promise<StepEnd>;
  /** What a step that has ended said to the runner. */
  read(ended: Ended): StepEnd;
}

/** How a step ended. */
export interface StepEnd extends Ended {
  readonly outputs: Record<string, string>;
  readonly summary: string;
}

/** What decides how far a run is trusted; a push to `main` unless it says something else. */
export interface JobOptions {
  readonly event?: string;
  readonly ref?: string;
  readonly payload?: object;
  readonly env?: Record<string, string>;
}

/** What a runner gives to actions, and stages must never have. */
export const SECRETS = {
  ACTIONS_RUNTIME_TOKEN: 'runtime-token-value',
  ACTIONS_RUNTIME_URL: 'https://runtime.invalid/',
  ACTIONS_RESULTS_URL: 'https://results.invalid/',
  ACTIONS_ID_TOKEN_REQUEST_URL: 'https://identity.invalid/',
  ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'identity-token-value',
  ACTIONS_CACHE_SERVICE_V2: 'true',
};

/** Begins a job in a workspace. The state that one step saves is there for the next. */
export function beginJob(workspace: Workspace, options: JobOptions = {}): Job {
  const { event = 'push', ref = 'refs/heads/main', payload = {} } = options;
  const temp = mkdtempSync(join(dirname(workspace.root), 'runner-'));
  const file = (name: string): string => {
    const path = join(temp, name);
    writeFileSync(path, '');
    return path;
  };
  writeFileSync(
    join(temp, 'event.json'),
    JSON.stringify({ repository: { default_branch: 'main', full_name: 'acme/data' }, ...payload }),
  );
  const files = {
    GITHUB_OUTPUT: file('output'),
    GITHUB_STATE: file('state'),
    GITHUB_ENV: file('env'),
    GITHUB_PATH: file('path'),
    GITHUB_STEP_SUMMARY: file('summary'),
  };
  const env = {
    ...workspace.env,
    ...SECRETS,
    ...files,
    GITHUB_ACTIONS: 'true',
    GITHUB_WORKSPACE: workspace.root,
    GITHUB_EVENT_NAME: event,
    GITHUB_EVENT_PATH: join(temp, 'event.json'),
    GITHUB_REF: ref,
    GITHUB_REPOSITORY: 'acme/data',
    GITHUB_RUN_ID: '1',
    RUNNER_ENVIRONMENT: 'github-hosted',
    RUNNER_TEMP: temp,
    ...options.env,
  };
  mkdirSync(temp, { recursive: true });
  const read = (ended: Ended): StepEnd => ({
    ...ended,
    outputs: entriesOf(readFileSync(files.GITHUB_OUTPUT, 'utf8')),
    summary: readFileSync(files.GITHUB_STEP_SUMMARY, 'utf8'),
  });
  const startStep: Job['start'] = (step, inputs = {}) => {
    const given = Object.entries(inputs).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]);
    const state = Object.entries(entriesOf(readFileSync(files.GITHUB_STATE, 'utf8')));
    for (const path of [files.GITHUB_OUTPUT, files.GITHUB_STEP_SUMMARY]) writeFileSync(path, '');
    return start(process.execPath, [join(ROOT, 'dist', `${step}.mjs`)], {
      cwd: workspace.root,
      env: {
        ...env,
        ...Object.fromEntries(given),
        ...(step === 'post' ? Object.fromEntries(state.map(([name, value]) => [`STATE_${name}`, value])) : {}),
      },
    });
  };
  return {
    env,
    start: startStep,
    run: async (step, inputs) => read(await startStep(step, inputs).ended),
    read,
  };
}

/** The entries of a file that the runner reads: `name<<end`, lines, `end`. */
function entriesOf(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(/^(.+?)<<(.+)\n([\s\S]*?)\n\2$/gm)].map(([, name = '', , value = '']) => [name, value]),
  );
}
