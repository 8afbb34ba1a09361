/** What people read of a comparison of data. */
export { contentLines } from './content-lines.js';
export { diffMarkdown, type MarkdownOptions } from './diff-markdown.js';
export { type FlatChange, type FoldedLine, flatChanges, foldChanges } from './fold-changes.js';
export { placeOf, sideText } from './places.js';
