import { CytoError } from '../errors.ts';
import type { Measurements } from './measurements.ts';
import { columnValues } from './row-order.ts';

type Test = (row: number) => boolean;

const OPERATORS: Record<string, (a: number, b: number) => boolean> = {
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '≤': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
  '≥': (a, b) => a >= b,
  '=': (a, b) => a === b,
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '≠': (a, b) => a !== b,
};

const TOKEN =
  /\s*(?:([()])|(<=|>=|==|!=|[<>=≤≥≠])|(&&?|\|\|?|!)|(-?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)|([\p{L}_][\p{L}\p{N}_.]*)|([,;]))/iuy;

/**
 * A filter such as `area > 100 and (solidity < 0.9 or not at_edge = 1)`, or label numbers: `12, 40, 41`. Names are
 * column keys or `label`; `&`, `|` and `!` are and, or, not. An empty text passes all rows.
 * @throws CytoError `bad-input` that says what is wrong
 */
export function parseFilter(text: string, measurements: Measurements): Test {
  const tokens = tokensOf(text);
  if (tokens.length === 0) return () => true;
  if (tokens.every((token) => /^[\d,;]/.test(token))) {
    const wanted = new Set(tokens.filter((token) => /^\d/.test(token)).map(Number));
    return (row) => wanted.has(measurements.ids[row]);
  }
  let at = 0;
  const next = (...words: string[]) => {
    if (!words.includes(tokens[at]?.toLowerCase())) return false;
    at++;
    return true;
  };
  const either = (): Test => {
    let test = both();
    while (next('or', '|', '||')) {
      const [left, right] = [test, both()];
      test = (row) => left(row) || right(row);
    }
    return test;
  };
  const both = (): Test => {
    let test = single();
    while (next('and', '&', '&&')) {
      const [left, right] = [test, single()];
      test = (row) => left(row) && right(row);
    }
    return test;
  };
  const single = (): Test => {
    if (next('not', '!')) {
      const inner = single();
      return (row) => !inner(row);
    }
    if (next('(')) {
      const inner = either();
      if (!next(')')) throw wrong('a closing parenthesis is missing');
      return inner;
    }
    const name = tokens[at++];
    if (name === undefined) throw wrong('it ends too early');
    const values = columnValues(measurements, name.toLowerCase() === 'label' ? 'label' : name);
    const compare = OPERATORS[tokens[at++] ?? ''];
    if (!compare) throw wrong(`after "${name}" one of < > <= >= = != is needed`);
    const number = Number(tokens[at++] ?? 'nothing');
    if (Number.isNaN(number)) throw wrong(`"${name}" must be compared with a number`);
    return (row) => compare(values[row], number);
  };
  const test = either();
  if (at < tokens.length) throw wrong(`"${tokens[at]}" was not expected; join conditions by and, or`);
  return test;
}

function tokensOf(text: string): string[] {
  const tokens: string[] = [];
  const trimmed = text.trimEnd();
  TOKEN.lastIndex = 0;
  for (let at = 0; at < trimmed.length; at = TOKEN.lastIndex) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(trimmed);
    if (!match) throw wrong(`"${trimmed.slice(at).trim()}" is not understood`);
    tokens.push(match[0].trim());
  }
  return tokens;
}

function wrong(problem: string): CytoError {
  return new CytoError(
    'bad-input',
    `The filter cannot be used: ${problem}. Example: area > 100 and solidity < 0.9`,
  );
}
