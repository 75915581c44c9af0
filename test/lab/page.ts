/** The lab's results as text: for the terminal, and as docs/lab.md. */

import { type Cell, countCells, type Row } from './matrix.ts';

const WRONG: ReadonlySet<Cell> = new Set(['FP', 'FN']);

/** A line a case, then every cell that is wrong or open. */
export function terminalTable(rows: readonly Row[], verbose: boolean): string {
  const names = [...new Set(rows.map((row) => row.case))];
  const lines = names.map((name) => {
    const { TP, TN, FP, FN, open, free, untried } = countCells(
      rows.filter((row) => row.case === name),
    );
    return `${name.padEnd(12)} TP ${TP} FP ${FP} TN ${TN} FN ${FN} open ${open} free ${free} untried ${untried}`;
  });
  const told = rows
    .filter(({ cell }) => verbose || WRONG.has(cell))
    .map(
      ({ case: name, check, cell, told: said, seen }) =>
        `${cell} ${name} ${check} ${said}: ${seen}`,
    );
  return `${[...lines, ...told].join('\n')}\n`;
}
