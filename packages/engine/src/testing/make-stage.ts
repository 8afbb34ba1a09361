import type { TestStages } from './stage-context.js';

/** The options of a stage that copies `p/in.txt` to `p/out/a` and makes `p/out/d/b`; see {@link writeMakeStage}. */
export function makeStage(changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    command: 'sh make.sh',
    deps: ['{projectRoot}/in.txt', '{projectRoot}/make.sh'],
    params: ['{projectRoot}/params.yaml:lr'],
    env: ['SEED'],
    outs: ['{projectRoot}/out'],
    ...changes,
  };
}

/** Writes what the stage reads and declares it as `make`. */
export function writeMakeStage(s: TestStages): void {
  s.write('p/in.txt', 'in\n');
  s.write('p/make.sh', '$COUNT make; mkdir -p out/d; cat in.txt > out/a; echo b > out/d/b\n');
  s.write('p/params.yaml', 'lr: 0.1\nother: 1\n');
  s.declare('make', makeStage());
}
