import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
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

type Write<T> = (writer: BinaryWriter, value: T) => void;

function message<T>(writer: BinaryWriter, field: number, write: Write<T>, value: T): void {
  writer.tag(field, WireType.LengthDelimited).fork();
  write(writer, value);
  writer.join();
}

const text = (writer: BinaryWriter, field: number, value: string) =>
  writer.tag(field, WireType.LengthDelimited).string(value);
const whole = (writer: BinaryWriter, field: number, value: number) =>
  writer.tag(field, WireType.Varint).int64(value);

const attribute: Write<[string, Attribute]> = (writer, [name, value]) => {
  text(writer, 1, name);
  if (typeof value === 'number') {
    whole(writer, 3, value);
    whole(writer, 20, ATTRIBUTE.int);
  } else if (typeof value === 'string') {
    text(writer, 4, value);
    whole(writer, 20, ATTRIBUTE.string);
  } else if ('float' in value) {
    writer.tag(2, WireType.Bit32).float(value.float);
    whole(writer, 20, ATTRIBUTE.float);
  } else {
    for (const one of value) whole(writer, 8, one);
    whole(writer, 20, ATTRIBUTE.ints);
  }
};

const node: Write<Node> = (writer, { op, inputs, output, attributes }) => {
  for (const input of inputs) text(writer, 1, input);
  text(writer, 2, output);
  text(writer, 3, output);
  text(writer, 4, op);
  for (const entry of Object.entries(attributes)) message(writer, 5, attribute, entry);
};

const inline: Write<InlineTensor> = (writer, { name, type, dims, values }) => {
  for (const length of dims) whole(writer, 1, length);
  whole(writer, 2, ELEMENT[type]);
  text(writer, 8, name);
  const numbers =
    type === 'int64' ? BigInt64Array.from(values, (value) => BigInt(value)) : Float32Array.from(values);
  writer.tag(9, WireType.LengthDelimited).bytes(new Uint8Array(numbers.buffer));
};

const entry: Write<[string, string]> = (writer, [key, value]) => {
  text(writer, 1, key);
  text(writer, 2, value);
};

const external =
  (file: string): Write<ExternalTensor> =>
  (writer, { name, type, dims, offset, length }) => {
    for (const side of dims) whole(writer, 1, side);
    whole(writer, 2, ELEMENT[type]);
    text(writer, 8, name);
    message(writer, 13, entry, ['location', file]);
    message(writer, 13, entry, ['offset', String(offset)]);
    message(writer, 13, entry, ['length', String(length)]);
    whole(writer, 14, EXTERNAL);
  };

const dimension: Write<number | string> = (writer, length) => {
  if (typeof length === 'number') whole(writer, 1, length);
  else text(writer, 2, length);
};

const port: Write<Port> = (writer, { name, dims }) => {
  text(writer, 1, name);
  message(
    writer,
    2,
    (type) => {
      message(
        type,
        1,
        (tensor) => {
          whole(tensor, 1, ELEMENT.float32);
          message(
            tensor,
            2,
            (shape) => {
              for (const length of dims) message(shape, 1, dimension, length);
            },
            undefined,
          );
        },
        undefined,
      );
    },
    undefined,
  );
};

/**
 * A network as an ONNX file (protocol buffers of onnx.proto, ModelProto).
 * @param file name of the file beside it that holds the weights
 */
export function encodeModel(stage: Stage, name: string, file: string): Uint8Array<ArrayBuffer> {
  const writer = new BinaryWriter();
  whole(writer, 1, IR_VERSION);
  text(writer, 2, 'cytopane');
  text(writer, 3, VERSION);
  message(
    writer,
    7,
    (graph) => {
      for (const one of stage.nodes) message(graph, 1, node, one);
      text(graph, 2, name);
      for (const tensor of stage.inline) message(graph, 5, inline, tensor);
      for (const tensor of stage.external) message(graph, 5, external(file), tensor);
      message(graph, 11, port, stage.input);
      message(graph, 12, port, stage.output);
    },
    undefined,
  );
  message(writer, 8, (opset) => whole(opset, 2, OPSET), undefined);
  return writer.finish() as Uint8Array<ArrayBuffer>;
}
