/** Number formats of ONNX that are used here, with their codes (TensorProto.DataType). */
export const ELEMENT = { float32: 1, int64: 7, float16: 10 } as const;

export type ElementType = keyof typeof ELEMENT;

/** A tensor that lies in the file beside the graph. */
export interface ExternalTensor {
  name: string;
  type: 'float32' | 'float16';
  dims: readonly number[];
  /** Bytes from the start of the file. */
  offset: number;
  length: number;
}

/** A few whole numbers in the graph itself: shapes, axes, bounds. */
export interface InlineTensor {
  name: string;
  type: 'int64' | 'float32';
  dims: readonly number[];
  values: readonly number[];
}

export type Attribute = number | string | readonly number[] | { float: number };

export interface Node {
  op: string;
  inputs: readonly string[];
  output: string;
  attributes: Readonly<Record<string, Attribute>>;
}

/** An input or output: float32; a side that is a text may have any length. */
export interface Port {
  name: string;
  dims: ReadonlyArray<number | string>;
}

/** A part of a network: its nodes and constants, in an order in which they can be computed. */
export interface Stage {
  nodes: readonly Node[];
  inline: readonly InlineTensor[];
  external: readonly ExternalTensor[];
  input: Port;
  output: Port;
}

/** Collects the nodes of a stage; every value gets a name of its own. */
export class StageBuilder {
  readonly nodes: Node[] = [];
  readonly inline: InlineTensor[] = [];
  readonly external: ExternalTensor[] = [];
  readonly #name: string;
  #count = 0;

  /** @param name begins all names of this stage */
  constructor(name: string) {
    this.#name = name;
  }

  /** Adds a node. @returns the name of its output */
  add(
    op: string,
    inputs: readonly string[],
    attributes: Node['attributes'] = {},
    output = `${this.#name}/${op}_${this.#count++}`,
  ): string {
    this.nodes.push({ op, inputs, output, attributes });
    return output;
  }

  /** A list of whole numbers. */
  shape(...values: number[]): string {
    const name = `${this.#name}/shape_${values.join('_')}`;
    if (!this.inline.some((tensor) => tensor.name === name))
      this.inline.push({ name, type: 'int64', dims: [values.length], values });
    return name;
  }

  /** A single float32 number. */
  scalar(value: number): string {
    const name = `${this.#name}/number_${value}`;
    if (!this.inline.some((tensor) => tensor.name === name))
      this.inline.push({ name, type: 'float32', dims: [], values: [value] });
    return name;
  }

  reshape(value: string, ...dims: number[]): string {
    return this.add('Reshape', [value, this.shape(...dims)]);
  }

  transpose(value: string, ...perm: number[]): string {
    return this.add('Transpose', [value], { perm });
  }

  cast(value: string, type: ElementType): string {
    return this.add('Cast', [value], { to: ELEMENT[type] });
  }

  finish(input: Port, output: Port): Stage {
    const { nodes, inline, external } = this;
    return { nodes, inline, external, input, output };
  }
}

/** Stages one after the other as one network: each takes what the one before gives. */
export function chain(stages: readonly Stage[]): Stage {
  return {
    nodes: stages.flatMap(({ nodes }) => nodes),
    inline: stages.flatMap(({ inline }) => inline),
    external: stages.flatMap(({ external }) => external),
    input: stages[0].input,
    output: stages[stages.length - 1].output,
  };
}
