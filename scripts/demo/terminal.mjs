// @ts-check
import { spawn } from 'node:child_process';
import { styleText } from 'node:util';

const WIDTH = 100;

/** Tells what comes next, as a paragraph. @param {string} text */
export function say(text) {
  const words = text.trim().split(/\s+/);
  let line = '';
  console.log();
  for (const word of words) {
    if (line !== '' && line.length + word.length >= WIDTH) {
      console.log(line);
      line = '';
    }
    line += line === '' ? word : ` ${word}`;
  }
  console.log(line);
}

/** A heading. @param {string} text */
export function title(text) {
  console.log(`\n${mark('bold', `== ${text}`)}`);
}

/** A demo's claim that turned out not to be true. */
export class Broken extends Error {}

/** Stops the demo unless what it has just said is so. @param {boolean} isSo @param {string} claim @returns {asserts isSo} */
export function check(isSo, claim) {
  if (!isSo) throw new Broken(`This is not as it should be: ${claim}`);
}

/** A place where commands are typed. */
export class Terminal {
  /** @param {string} cwd @param {NodeJS.ProcessEnv} env */
  constructor(cwd, env) {
    this.cwd = cwd;
    this.env = env;
  }

  /** Shows a command and its output, which is also the result. The command has to end well. @param {string} command */
  async type(command) {
    console.log(`\n${mark('cyan', `$ ${command}`)}`);
    return (await this.#run(command, (text) => process.stdout.write(text.replace(/^(?=.)/gm, '  ')))).output;
  }

  /** What a command that is not shown prints on its stdout. @param {string} command */
  async ask(command) {
    return (await this.#run(command, () => undefined)).stdout;
  }

  /** @param {string} command @param {(text: string) => void} show @returns {Promise<{ stdout: string, output: string }>} */
  async #run(command, show) {
    const child = spawn(command, { cwd: this.cwd, env: this.env, shell: true, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let output = '';
    let rest = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        output += text;
        if (stream === child.stdout) stdout += text;
        // Only whole lines, so that the two streams do not mix within one.
        const lines = rest + text;
        const end = lines.lastIndexOf('\n') + 1;
        rest = lines.slice(end);
        show(lines.slice(0, end));
      });
    }
    const code = await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve));
    show(rest === '' ? '' : `${rest}\n`);
    if (code !== 0) throw new Broken(`\`${command}\` ended with ${code}:\n${output}`);
    return { stdout, output };
  }
}

/** @param {Parameters<typeof styleText>[0]} style @param {string} text */
function mark(style, text) {
  return process.stdout.isTTY ? styleText(style, text) : text;
}
