/** A cell of the table: row −1 is the header, column 0 the label. */
export interface GridCell {
  row: number;
  column: number;
}

/**
 * The cell that a key leads to, or undefined for keys that do not move.
 * @param control whether Ctrl (or the Mac's command key) is held
 * @param last last row and column, and the rows of a page
 */
export function movedCell(
  key: string,
  control: boolean,
  { row, column }: GridCell,
  last: GridCell & { page: number },
): GridCell | undefined {
  const first = Math.min(0, last.row);
  switch (key) {
    case 'ArrowDown':
      return { row: Math.min(last.row, row + 1), column };
    case 'ArrowUp':
      return { row: Math.max(-1, row - 1), column };
    case 'ArrowRight':
      return { row, column: Math.min(last.column, column + 1) };
    case 'ArrowLeft':
      return { row, column: Math.max(0, column - 1) };
    case 'PageDown':
      return { row: Math.min(last.row, row + last.page), column };
    case 'PageUp':
      return { row: Math.max(first, row - last.page), column };
    case 'Home':
      return control ? { row: first, column } : { row, column: 0 };
    case 'End':
      return control ? { row: last.row, column } : { row, column: last.column };
    default:
      return undefined;
  }
}
