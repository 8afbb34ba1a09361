import { SluiceError } from '@sluice/engine';

/** Reads inputs as the runner passes them: `INPUT_` and the name in upper case. Everything that is wrong is collected. */
export interface InputReader {
  text(name: string): string | undefined;
  /** Words between commas, white space and ends of lines. */
  list(name: string): string[];
  /** Lines. */
  lines(name: string): string[];
  flag(name: string): boolean;
  count(name: string, least: number): number | undefined;
  choice<T extends string>(name: string, choices: readonly T[], otherwise: T): T;
  problem(name: string, message: string): void;
  /** Throws `ERR_USAGE` with all problems, if there are any. */
  finish(): void;
}

/** Opens the inputs in an environment. */
export function readInputs(env: Readonly<Record<string, string | undefined>>): InputReader {
  const problems: string[] = [];
  const text = (name: string): string | undefined => {
    const value = env[`INPUT_${name.toUpperCase()}`]?.trim();
    return value === '' ? undefined : value;
  };
  const split = (name: string, at: RegExp): string[] =>
    (text(name) ?? '')
      .split(at)
      .map((part) => part.trim())
      .filter((part) => part !== '');
  const problem = (name: string, message: string): void => {
    problems.push(`input ${name}: ${message}`);
  };
  return {
    text,
    list: (name) => split(name, /[\s,]+/),
    lines: (name) => split(name, /\r?\n/),
    flag: (name) => {
      const value = text(name)?.toLowerCase();
      if (value !== undefined && value !== 'true' && value !== 'false')
        problem(name, `${quote(value)} is not true or false`);
      return value === 'true';
    },
    count: (name, least) => {
      const value = text(name);
      if (value === undefined) return undefined;
      if (/^\d{1,6}$/.test(value) && Number(value) >= least) return Number(value);
      problem(name, `${quote(value)} is not a whole number from ${least}`);
      return undefined;
    },
    choice: (name, choices, otherwise) => {
      const value = text(name);
      if (value === undefined) return otherwise;
      const chosen = choices.find((choice) => choice === value);
      if (chosen === undefined) problem(name, `${quote(value)} is not one of ${choices.join(', ')}`);
      return chosen ?? otherwise;
    },
    problem,
    finish: () => {
      if (problems.length === 0) return;
      throw new SluiceError('ERR_USAGE', problems.join('\n'), {
        hint: 'Correct the inputs under "with:" in the workflow.',
        details: { problems },
      });
    },
  };
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 80));
}
