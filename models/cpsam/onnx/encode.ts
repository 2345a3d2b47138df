import { PbfWriter } from 'pbf';
import { VERSION } from '../../../core/version.ts';
import {
  type Attribute,
  ELEMENT,
  type ExternalTensor,
  type InlineTensor,
  type Node,
  type Port,
  type Stage,
} from './graph.ts';

/** Version of the standard operators; 17 is the first with LayerNormalization. */
export const OPSET = 17;
/** Version of the file format that goes with it. */
const IR_VERSION = 8;

/** Codes of onnx.proto: AttributeProto.AttributeType. */
const ATTRIBUTE = { float: 1, int: 2, string: 3, ints: 7 } as const;
/** TensorProto.DataLocation. */
const EXTERNAL = 1;

type Write<T> = (value: T, writer: PbfWriter) => void;

const attribute: Write<[string, Attribute]> = ([name, value], writer) => {
  writer.writeStringField(1, name);
  if (typeof value === 'number') {
    writer.writeVarintField(3, value);
    writer.writeVarintField(20, ATTRIBUTE.int);
  } else if (typeof value === 'string') {
    writer.writeStringField(4, value);
    writer.writeVarintField(20, ATTRIBUTE.string);
  } else if ('float' in value) {
    writer.writeFloatField(2, value.float);
    writer.writeVarintField(20, ATTRIBUTE.float);
  } else {
    for (const one of value) writer.writeVarintField(8, one);
    writer.writeVarintField(20, ATTRIBUTE.ints);
  }
};

const node: Write<Node> = ({ op, inputs, output, attributes }, writer) => {
  for (const input of inputs) writer.writeStringField(1, input);
  writer.writeStringField(2, output);
  writer.writeStringField(3, output);
  writer.writeStringField(4, op);
  for (const entry of Object.entries(attributes)) writer.writeMessage(5, attribute, entry);
};

const inline: Write<InlineTensor> = ({ name, type, dims, values }, writer) => {
  for (const length of dims) writer.writeVarintField(1, length);
  writer.writeVarintField(2, ELEMENT[type]);
  writer.writeStringField(8, name);
  const numbers =
    type === 'int64' ? BigInt64Array.from(values, (value) => BigInt(value)) : Float32Array.from(values);
  writer.writeBytesField(9, new Uint8Array(numbers.buffer));
};

const entry: Write<[string, string]> = ([key, value], writer) => {
  writer.writeStringField(1, key);
  writer.writeStringField(2, value);
};

const external =
  (file: string): Write<ExternalTensor> =>
  ({ name, type, dims, offset, length }, writer) => {
    for (const side of dims) writer.writeVarintField(1, side);
    writer.writeVarintField(2, ELEMENT[type]);
    writer.writeStringField(8, name);
    writer.writeMessage(13, entry, ['location', file]);
    writer.writeMessage(13, entry, ['offset', String(offset)]);
    writer.writeMessage(13, entry, ['length', String(length)]);
    writer.writeVarintField(14, EXTERNAL);
  };

const dimension: Write<number | string> = (length, writer) => {
  if (typeof length === 'number') writer.writeVarintField(1, length);
  else writer.writeStringField(2, length);
};

const shape: Write<Port['dims']> = (dims, writer) => {
  for (const length of dims) writer.writeMessage(1, dimension, length);
};

const tensorType: Write<Port['dims']> = (dims, writer) => {
  writer.writeVarintField(1, ELEMENT.float32);
  writer.writeMessage(2, shape, dims);
};

const type: Write<Port['dims']> = (dims, writer) => writer.writeMessage(1, tensorType, dims);

const port: Write<Port> = ({ name, dims }, writer) => {
  writer.writeStringField(1, name);
  writer.writeMessage(2, type, dims);
};

const opset: Write<number> = (version, writer) => writer.writeVarintField(2, version);

/**
 * A network as an ONNX file (protocol buffers of onnx.proto, ModelProto).
 * @param file name of the file beside it that holds the weights
 */
export function encodeModel(stage: Stage, name: string, file: string): Uint8Array<ArrayBuffer> {
  const graph: Write<Stage> = ({ nodes, inline: small, external: large, input, output }, writer) => {
    for (const one of nodes) writer.writeMessage(1, node, one);
    writer.writeStringField(2, name);
    for (const tensor of small) writer.writeMessage(5, inline, tensor);
    for (const tensor of large) writer.writeMessage(5, external(file), tensor);
    writer.writeMessage(11, port, input);
    writer.writeMessage(12, port, output);
  };
  const writer = new PbfWriter();
  writer.writeVarintField(1, IR_VERSION);
  writer.writeStringField(2, 'cytopane');
  writer.writeStringField(3, VERSION);
  writer.writeMessage(7, graph, stage);
  writer.writeMessage(8, opset, OPSET);
  return writer.finish() as Uint8Array<ArrayBuffer>;
}
