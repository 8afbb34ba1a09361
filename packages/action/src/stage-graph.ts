import { plural, visible } from '@sluice/engine';
import { stageOf, type TaskNote } from './task-notes.js';

/** A picture that a person still reads; GitHub draws no more than 500 edges. */
const MOST_NODES = 40;
const MOST_EDGES = 120;
const LONGEST_NAME = 60;

/** For light and dark pages alike. */
const COLOURS: Readonly<Record<TaskNote['outcome'], string>> = {
  failed: 'fill:#cf222e,color:#fff,stroke:#82071e',
  ran: 'fill:#0969da,color:#fff,stroke:#0a3069',
  committed: 'fill:#0969da,color:#fff,stroke:#0a3069',
  restored: 'fill:#8250df,color:#fff,stroke:#512a97',
  unchanged: 'fill:#57606a,color:#fff,stroke:#32383f',
};

/**
 * The stages of a run as a graph in Mermaid, by colour of what became of them; nothing where none feeds another. Of many, those that did something are drawn. `edges`: names of
 * stages that make something for others, and of those.
 */
export function stageGraph(
  stages: readonly TaskNote[],
  edges: readonly (readonly [producer: string, consumer: string])[],
): string[] {
  const isBusy = ({ outcome }: TaskNote): boolean => outcome !== 'unchanged';
  const shown = [...stages.filter(isBusy), ...stages.filter((note) => !isBusy(note))].slice(0, MOST_NODES);
  const ids = new Map(shown.map((note, at) => [stageOf(note), `s${at}`]));
  const lines = edges.flatMap(([producer, consumer]) => {
    const [from, to] = [ids.get(producer), ids.get(consumer)];
    return from === undefined || to === undefined ? [] : [`  ${from} --> ${to}`];
  });
  if (lines.length === 0) return [];
  const hidden = stages.length - shown.length;
  return [
    [
      `<details><summary>Who made what for whom${hidden === 0 ? '' : ` (${plural(hidden, 'more stage')} not shown)`}</summary>\n`,
      '```mermaid',
      'flowchart LR',
      ...shown.map((note) => `  ${ids.get(stageOf(note))}["${labelOf(stageOf(note))}"]:::${note.outcome}`),
      ...lines.slice(0, MOST_EDGES),
      ...Object.entries(COLOURS).map(([outcome, style]) => `  classDef ${outcome} ${style}`),
      '```',
      '\n</details>',
    ].join('\n'),
  ];
}

/** Nothing in a name can end the label, or is more than a letter in it. */
function labelOf(name: string): string {
  const text = visible(name);
  const short = text.length <= LONGEST_NAME ? text : `${text.slice(0, LONGEST_NAME - 1)}…`;
  return short.replaceAll(/[^\w.:/ -]/gu, (character) => `#${character.codePointAt(0)};`);
}
