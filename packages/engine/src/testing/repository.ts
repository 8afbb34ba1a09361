import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { dirname } from 'node:path';
import { openEngine } from '../engine.js';
import type { Engine, EngineOptions } from '../engine-api.js';
import type { SluiceEvent } from '../events.js';
import { useTempDir } from './temp-dir.js';

/** A workspace in a git repository, with an engine and what it told. */
export interface TestRepository {
  readonly root: string;
  readonly engine: Engine;
  readonly events: SluiceEvent[];
  at(...below: string[]): string;
  write(files: Readonly<Record<string, string | Buffer | object>>): void;
  git(...args: string[]): string;
  /** Commits everything that git does not ignore; returns the commit. */
  commit(subject: string): string;
  warnings(): string[];
}

/** Repositories for each test of a file: `create` makes one with the remote `shelf`, `clone` one of it without data. Engines are closed with the test. */
export function useRepositories(): {
  readonly temp: (...below: string[]) => string;
  readonly create: (files: Parameters<TestRepository['write']>[0]) => Promise<TestRepository>;
  readonly clone: (
    of: Pick<TestRepository, 'root'>,
    name: string,
    options?: Partial<EngineOptions>,
    ...args: readonly string[]
  ) => Promise<TestRepository>;
} {
  const temp = useTempDir();
  const opened: Engine[] = [];
  afterEach(async () => {
    for (const engine of opened.splice(0)) await engine.close();
  });
  const open = async (root: string, options: Partial<EngineOptions> = {}): Promise<TestRepository> => {
    const events: SluiceEvent[] = [];
    const at = (...below: string[]): string => [root, ...below].join('/');
    const write: TestRepository['write'] = (files) => {
      for (const [path, content] of Object.entries(files)) {
        fs.mkdirSync(dirname(at(path)), { recursive: true });
        const isBytes = typeof content === 'string' || Buffer.isBuffer(content);
        fs.writeFileSync(at(path), isBytes ? content : JSON.stringify(content));
      }
    };
    if (!fs.existsSync(at('nx.json'))) write({ 'nx.json': {} });
    const emit = (event: SluiceEvent): void => void events.push(event);
    const engine = await openEngine({ root, env: process.env, threads: 0, emit, ...options });
    opened.push(engine);
    const git = (...args: string[]): string =>
      execFileSync('git', ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', ...args], {
        cwd: root,
        stdio: 'pipe',
        encoding: 'utf8',
      }).trim();
    return {
      root,
      engine,
      events,
      at,
      write,
      git,
      commit: (subject) => {
        git('add', '-A');
        git('commit', '-q', '--allow-empty', '-m', subject);
        return git('rev-parse', 'HEAD');
      },
      warnings: () => events.flatMap((event) => (event.type === 'warning' ? [event.message] : [])),
    };
  };
  return {
    temp,
    create: async (files) => {
      fs.mkdirSync(temp('ws'), { recursive: true });
      execFileSync('git', ['init', '-q', '-b', 'main', temp('ws')]);
      const repository = await open(temp('ws'));
      repository.write(files);
      await repository.engine.init({});
      await repository.engine.addRemote({ name: 'shelf', url: `file://${temp('shelf')}` });
      return repository;
    },
    clone: async (of, name, options, ...args) => {
      execFileSync('git', ['clone', '-q', ...args, of.root, temp(name)], { stdio: 'pipe' });
      return open(temp(name), options);
    },
  };
}

/** The declaration of a project `p` whose target `data` tracks outs. */
export function tracked(...outs: unknown[]): object {
  return { name: 'p', targets: { data: { executor: '@sluice/nx:track', options: { outs } } } };
}
