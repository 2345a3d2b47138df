import { CytoError } from '../../../core/errors.ts';
import { FLOAT, INT64, type OnnxAttribute, type OnnxNode, type OnnxTensor } from '../onnx/onnx-model.ts';

export type Shape = readonly number[];

type Attributes = Record<string, number | readonly number[] | string>;

const sameShape = (a: Shape, b: Shape) => a.length === b.length && a.every((length, i) => length === b[i]);

/** The shape of a + b by ONNX's rules of broadcasting. */
export function broadcast(a: Shape, b: Shape): Shape {
  if (sameShape(a, b)) return a;
  const rank = Math.max(a.length, b.length);
  const at = (shape: Shape, i: number) => shape[i - rank + shape.length] ?? 1;
  return Array.from({ length: rank }, (_, i) => {
    const [p, q] = [at(a, i), at(b, i)];
    if (p !== q && p !== 1 && q !== 1)
      throw new CytoError('internal', `Shapes ${a.join('×')} and ${b.join('×')} do not go together.`);
    return Math.max(p, q);
  });
}

const product = (shape: Shape) => shape.reduce((total, length) => total * length, 1);

/** A graph in the making whose tensors all have known shapes. Methods add a node and return its output's name. */
export class GraphBuilder {
  readonly nodes: OnnxNode[] = [];
  readonly constants = new Map<string, OnnxTensor>();
  readonly shapes = new Map<string, Shape>();
  #next = 0;

  shapeOf(name: string): Shape {
    const shape = this.shapes.get(name);
    if (!shape) throw new CytoError('internal', `The shape of "${name}" is not known.`);
    return shape;
  }

  sizeOf(name: string): number {
    return product(this.shapeOf(name));
  }

  /** A float32 constant. */
  floats(values: Float32Array, dims: Shape, name = this.#name('constant')): string {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    this.constants.set(name, { name, dims: [...dims], type: FLOAT, bytes });
    this.shapes.set(name, dims);
    return name;
  }

  scalar(value: number): string {
    const name = `scalar ${value}`;
    return this.constants.has(name) ? name : this.floats(Float32Array.of(value), [], name);
  }

  /** An int64 vector. */
  integers(values: readonly number[]): string {
    const name = `integers ${values.join(' ')}`;
    if (!this.constants.has(name)) {
      const bytes = new Uint8Array(BigInt64Array.from(values.map(BigInt)).buffer);
      this.constants.set(name, { name, dims: [values.length], type: INT64, bytes });
      this.shapes.set(name, [values.length]);
    }
    return name;
  }

  /** Any operator with one output. */
  add(
    op: string,
    inputs: readonly string[],
    shape: Shape,
    attributes: Attributes = {},
    output = this.#name(op),
  ) {
    this.nodes.push({
      name: output,
      op,
      inputs: [...inputs],
      outputs: [output],
      attributes: Object.entries(attributes).map(([name, value]) => attributeOf(name, value)),
    });
    this.shapes.set(output, shape);
    return output;
  }

  /** An operator on one tensor that keeps its shape. */
  map(op: string, input: string): string {
    return this.add(op, [input], this.shapeOf(input));
  }

  /** An arithmetic operator on two tensors. */
  combine(op: 'Add' | 'Sub' | 'Mul' | 'Div' | 'Max' | 'Min', a: string, b: string, output?: string): string {
    return this.add(op, [a, b], broadcast(this.shapeOf(a), this.shapeOf(b)), {}, output);
  }

  reshape(input: string, shape: Shape): string {
    if (sameShape(this.shapeOf(input), shape)) return input;
    return this.add('Reshape', [input, this.integers(shape)], shape);
  }

  transpose(input: string, perm: readonly number[]): string {
    const shape = this.shapeOf(input);
    // Axes of length 1 move without a copy.
    const long = perm.filter((axis) => shape[axis] > 1);
    const result = perm.map((axis) => shape[axis]);
    if (long.every((axis, i) => i === 0 || axis > long[i - 1])) return this.reshape(input, result);
    return this.add('Transpose', [input], result, { perm });
  }

  /** Zeros around a tensor. */
  pad(input: string, before: readonly number[], after: readonly number[]): string {
    if ([...before, ...after].every((count) => count === 0)) return input;
    const shape = this.shapeOf(input).map((length, axis) => length + before[axis] + after[axis]);
    return this.add('Pad', [input, this.integers([...before, ...after])], shape);
  }

  /** Every `step`-th element from `starts` on, `lengths` of them; a step of -1 turns an axis round. */
  slice(
    input: string,
    axes: readonly number[],
    starts: readonly number[],
    lengths: readonly number[],
    step = 1,
  ) {
    const shape = [...this.shapeOf(input)];
    const whole = axes.every((axis, i) => starts[i] === 0 && lengths[i] === shape[axis]);
    if (whole && step === 1) return input;
    axes.forEach((axis, i) => {
      shape[axis] = lengths[i];
    });
    const ends = starts.map((start, i) =>
      step > 0 ? start + (lengths[i] - 1) * step + 1 : start + lengths[i] * step || 0,
    );
    const far = -(2 ** 31);
    const inputs = [
      starts,
      step > 0 ? ends : ends.map((end) => (end < 0 ? far : end)),
      axes,
      axes.map(() => step),
    ];
    return this.add('Slice', [input, ...inputs.map((list) => this.integers(list))], shape);
  }

  concat(inputs: readonly string[], axis: number, output?: string): string {
    const shape = [...this.shapeOf(inputs[0])];
    shape[axis] = inputs.reduce((total, input) => total + this.shapeOf(input)[axis], 0);
    return this.add('Concat', inputs, shape, { axis }, output);
  }

  /** Sum over axes, which vanish; over all of them if none are given. */
  sum(input: string, axes?: readonly number[]): string {
    const shape = this.shapeOf(input);
    if (!axes) return this.add('ReduceSum', [input], [], { keepdims: 0 });
    const left = shape.filter((_, axis) => !axes.includes(axis));
    return this.add('ReduceSum', [input, this.integers(axes)], left, { keepdims: 0 });
  }

  #name(stem: string): string {
    return `${stem} ${++this.#next}`;
  }
}

function attributeOf(name: string, value: number | readonly number[] | string): OnnxAttribute {
  if (typeof value === 'string') return { name, type: 3, s: new TextEncoder().encode(value) };
  if (typeof value === 'number') return { name, type: 2, i: value };
  return { name, type: 7, ints: [...value] };
}
