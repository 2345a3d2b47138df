import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';

/** A training to be judged: so many images, and the number of their random choice. */
export interface RowKey {
  /** What is learned. */
  set: string;
  count: number;
  choice: number;
}

/** AP@0.5 before and after a training. */
interface Change {
  before: number;
  after: number;
}

export interface Row extends RowKey, Change {
  /** SHA-256 of the weights of the model that was started from. */
  model: string;
  /** As they were given. */
  settings: string;
  /** Names of the images that were learned from. */
  images: string[];
  seconds: number;
  steps: number;
  /** Whether the training itself, by what it held back, found the new model better. */
  improved: boolean;
  /** Share of what was learned that was kept, and how much of what was known is left; 1 where nothing was learned. */
  share: number;
  remembered?: number;
  /** On images of other kinds. */
  also: ({ name: string } & Change)[];
}

/**
 * The trainings of a protocol in the order in which they are made: first all choices of the first count, then, choice by
 * choice, the other counts of the curve.
 * @param most images that can be learned from; larger counts are left out
 */
export function plannedRows(
  set: string,
  counts: readonly number[],
  choices: { from: number; count: number },
  most: number,
): RowKey[] {
  const [main, ...others] = counts.filter((count) => count <= most);
  if (main === undefined) return [];
  const numbers = Array.from({ length: choices.count }, (_, k) => choices.from + k);
  return [
    ...numbers.map((choice) => ({ set, count: main, choice })),
    ...numbers.flatMap((choice) => others.map((count) => ({ set, count, choice }))),
  ];
}

/** Results in a JSON file, written after every row, so that an evaluation can be made in pieces. */
export class RowFile {
  readonly rows: Row[];
  /** AP@0.5 of models that were started from: by hash of their weights, then by image. */
  readonly start: Record<string, Record<string, number>>;
  readonly #path: string | undefined;

  /** @param path absent: nothing is kept */
  constructor(path?: string) {
    this.#path = path;
    const kept =
      path && existsSync(path)
        ? (JSON.parse(readFileSync(path, 'utf8')) as Pick<RowFile, 'rows' | 'start'>)
        : { rows: [], start: {} };
    this.rows = kept.rows;
    this.start = kept.start;
  }

  /** The row of this training with this model and these settings, if it is there. */
  find({ set, count, choice }: RowKey, model: string, settings: string): Row | undefined {
    return this.rows.find(
      (row) =>
        row.set === set &&
        row.count === count &&
        row.choice === choice &&
        row.model === model &&
        row.settings === settings,
    );
  }

  add(row: Row): void {
    this.rows.push(row);
    this.#write();
  }

  #write(): void {
    if (!this.#path) return;
    const { rows, start } = this;
    // A file that is cut off in the middle would lose all rows.
    writeFileSync(`${this.#path}.new`, `${JSON.stringify({ rows, start }, null, 1)}\n`);
    renameSync(`${this.#path}.new`, this.#path);
  }
}

const mean = (list: readonly number[]) => list.reduce((sum, value) => sum + value, 0) / list.length;
const cell = ({ before, after }: Change) => `${before.toFixed(3)} → ${after.toFixed(3)}`;

/** Rows of one set as a table in Markdown, with the means over the choices of each count. */
export function table(rows: readonly Row[]): string {
  if (rows.length === 0) return '';
  const others = [...new Set(rows.flatMap(({ also }) => also.map(({ name }) => name)))];
  const titles = ['images', 'choice', rows[0].set, ...others, 'share', 'seconds'];
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`;
  const lines = [line(titles), line(titles.map(() => '---'))];
  for (const count of [...new Set(rows.map((row) => row.count))].sort((a, b) => a - b)) {
    const own = rows.filter((row) => row.count === count).sort((a, b) => a.choice - b.choice);
    for (const row of own) {
      const also = others.map((name) => row.also.find((other) => other.name === name));
      lines.push(
        line([
          count,
          row.choice,
          cell(row),
          ...also.map((other) => (other ? cell(other) : '–')),
          row.share.toFixed(2),
          row.seconds.toFixed(0),
        ]),
      );
    }
    if (own.length < 2) continue;
    const average = (list: readonly Change[]) =>
      cell({ before: mean(list.map(({ before }) => before)), after: mean(list.map(({ after }) => after)) });
    const also = others.map((name) =>
      average(own.flatMap((row) => row.also.filter((other) => other.name === name))),
    );
    const seconds = mean(own.map((row) => row.seconds)).toFixed(0);
    const share = mean(own.map((row) => row.share)).toFixed(2);
    lines.push(line([count, 'mean', average(own), ...also, share, seconds]));
  }
  return lines.join('\n');
}
