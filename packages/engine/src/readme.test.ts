import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const README = fileURLToPath(new URL('../README.md', import.meta.url));

/** The examples that promise to compile. */
function examples(): string[] {
  return [...readFileSync(README, 'utf8').matchAll(/<!-- compiled -->\n```ts\n([\s\S]*?)```/g)].map(
    ([, code = '']) => code,
  );
}

/** What the compiler says of a module that lies beside the README and imports the package as it is published. */
function problemsOf(code: string): string[] {
  const file = README.replace(/README\.md$/, 'example.ts');
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    target: ts.ScriptTarget.ES2022,
    lib: ['lib.es2024.d.ts'],
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    types: ['node'],
    skipLibCheck: true,
  };
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (path) => path === file || fileExists(path);
  host.readFile = (path) => (path === file ? code : readFile(path));
  host.getSourceFile = (path, version, ...rest) =>
    path === file ? ts.createSourceFile(path, code, version) : getSourceFile(path, version, ...rest);
  const program = ts.createProgram([file], options, host);
  return ts.getPreEmitDiagnostics(program).map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}

test('the examples of the README compile against what is published', () => {
  expect(examples().length).toBeGreaterThan(0);
  expect(examples().flatMap(problemsOf)).toEqual([]);
});

test('an example that is wrong would be noticed', () => {
  const [code = ''] = examples();
  expect(problemsOf(code.replace('before: base', 'befor: base'))).toEqual([expect.stringContaining('befor')]);
});
