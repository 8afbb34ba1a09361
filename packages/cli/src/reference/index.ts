export { ARGUMENTS, COMMAND_NOTES, COMMON_EXITS } from './command-notes.js';
export { commandTable } from './command-table.js';
export { printShape } from './shape.js';
