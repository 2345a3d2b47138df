import { PbfReader, PbfWriter } from 'pbf';
import { CytoError } from '../../../core/errors.ts';

/** Element types of tensors that are used here (onnx.proto, TensorProto.DataType). */
export const FLOAT = 1;
export const INT64 = 7;
export const BOOL = 9;
export const FLOAT16 = 10;

/** TensorProto.DataLocation: in a second file. */
const EXTERNAL = 1;

/** A constant of a graph. */
export interface OnnxTensor {
  name: string;
  dims: number[];
  type: number;
  /** Little endian, C order; empty for those in a second file. */
  bytes: Uint8Array;
  /** Where the bytes lie in a second file. */
  external?: ExternalBytes;
}

/** A part of a file beside the graph. */
export interface ExternalBytes {
  location: string;
  offset: number;
  length: number;
}

export interface OnnxAttribute {
  name: string;
  /** AttributeProto.AttributeType: 1 float, 2 int, 3 string, 4 tensor, 6 floats, 7 ints. */
  type: number;
  f?: number;
  i?: number;
  s?: Uint8Array;
  t?: OnnxTensor;
  floats?: number[];
  ints?: number[];
}

export interface OnnxNode {
  name: string;
  op: string;
  inputs: string[];
  outputs: string[];
  attributes: OnnxAttribute[];
}

/** An input or output: a number is a fixed length, a text a length that is known when the graph runs. */
export interface OnnxValue {
  name: string;
  type: number;
  dims: (number | string)[];
}

/** An ONNX file whose nodes hold no graphs of their own. */
export interface OnnxModel {
  irVersion: number;
  opset: number;
  producer: string;
  description: string;
  graphName: string;
  nodes: OnnxNode[];
  constants: Map<string, OnnxTensor>;
  inputs: OnnxValue[];
  outputs: OnnxValue[];
}

function refuse(what: string): never {
  throw new CytoError('unsupported', `This model cannot be trained here: ${what}.`);
}

/** An entry of a list of keys and values (StringStringEntryProto). */
function readEntry(reader: PbfReader): [key: string, value: string] {
  const entry: [string, string] = ['', ''];
  return reader.readMessage((tag, into, pbf) => {
    if (tag === 1 || tag === 2) into[tag - 1] = pbf.readString();
  }, entry);
}

function readTensor(reader: PbfReader): OnnxTensor {
  const tensor: OnnxTensor = { name: '', dims: [], type: 0, bytes: new Uint8Array() };
  const floats: number[] = [];
  const integers: number[] = [];
  const external: Record<string, string> = {};
  reader.readMessage((tag, into, pbf) => {
    if (tag === 1) pbf.readPackedVarint(into.dims, true);
    else if (tag === 2) into.type = pbf.readVarint();
    else if (tag === 4) pbf.readPackedFloat(floats);
    else if (tag === 7) pbf.readPackedVarint(integers, true);
    else if (tag === 8) into.name = pbf.readString();
    else if (tag === 9) into.bytes = pbf.readBytes().slice();
    else if (tag === 13) {
      const [key, value] = readEntry(pbf);
      external[key] = value;
    }
  }, tensor);
  if (external.location !== undefined) {
    const { location, offset = '0', length = '0' } = external;
    tensor.external = { location, offset: Number(offset), length: Number(length) };
  }
  if (floats.length > 0) tensor.bytes = new Uint8Array(Float32Array.from(floats).buffer);
  if (integers.length > 0) tensor.bytes = new Uint8Array(BigInt64Array.from(integers.map(BigInt)).buffer);
  return tensor;
}

function readAttribute(reader: PbfReader): OnnxAttribute {
  return reader.readMessage(
    (tag, into, pbf) => {
      if (tag === 1) into.name = pbf.readString();
      else if (tag === 2) into.f = pbf.readFloat();
      else if (tag === 3) into.i = pbf.readVarint(true);
      else if (tag === 4) into.s = pbf.readBytes().slice();
      else if (tag === 5) into.t = readTensor(pbf);
      else if (tag === 6) refuse('its layers hold branches or loops');
      else if (tag === 7) into.floats = pbf.readPackedFloat(into.floats);
      else if (tag === 8) into.ints = pbf.readPackedVarint(into.ints, true);
      else if (tag === 20) into.type = pbf.readVarint();
    },
    { name: '', type: 0 } as OnnxAttribute,
  );
}

function readNode(reader: PbfReader): OnnxNode {
  const node: OnnxNode = { name: '', op: '', inputs: [], outputs: [], attributes: [] };
  return reader.readMessage((tag, into, pbf) => {
    if (tag === 1) into.inputs.push(pbf.readString());
    else if (tag === 2) into.outputs.push(pbf.readString());
    else if (tag === 3) into.name = pbf.readString();
    else if (tag === 4) into.op = pbf.readString();
    else if (tag === 5) into.attributes.push(readAttribute(pbf));
    else if (tag === 7 && !['', 'ai.onnx'].includes(pbf.readString()))
      refuse('it has operators of a runtime of its own');
  }, node);
}

function readValue(reader: PbfReader): OnnxValue {
  const value: OnnxValue = { name: '', type: 0, dims: [] };
  const dimension = (tag: number, dims: (number | string)[], pbf: PbfReader) => {
    if (tag === 1) dims.push(pbf.readVarint(true));
    else if (tag === 2) dims.push(pbf.readString());
  };
  const shape = (tag: number, dims: (number | string)[], pbf: PbfReader) => {
    if (tag === 1) pbf.readMessage(dimension, dims);
  };
  const tensor = (tag: number, into: OnnxValue, pbf: PbfReader) => {
    if (tag === 1) into.type = pbf.readVarint();
    else if (tag === 2) pbf.readMessage(shape, into.dims);
  };
  return reader.readMessage((tag, into, pbf) => {
    if (tag === 1) into.name = pbf.readString();
    else if (tag === 2) {
      pbf.readMessage((kind, type, inner) => {
        if (kind === 1) inner.readMessage(tensor, type);
      }, into);
    }
  }, value);
}

/**
 * Reads an ONNX file (github.com/onnx/onnx, onnx.proto).
 * @throws CytoError `unsupported` for files with subgraphs or foreign operators; `corrupt-file`
 */
export function readOnnx(bytes: Uint8Array): OnnxModel {
  const model: OnnxModel = {
    irVersion: 8,
    opset: 0,
    producer: '',
    description: '',
    graphName: '',
    nodes: [],
    constants: new Map(),
    inputs: [],
    outputs: [],
  };
  const graph = (tag: number, into: OnnxModel, pbf: PbfReader) => {
    if (tag === 1) into.nodes.push(readNode(pbf));
    else if (tag === 2) into.graphName = pbf.readString();
    else if (tag === 5) {
      const tensor = readTensor(pbf);
      into.constants.set(tensor.name, tensor);
    } else if (tag === 11) into.inputs.push(readValue(pbf));
    else if (tag === 12) into.outputs.push(readValue(pbf));
  };
  try {
    new PbfReader(bytes).readFields((tag, into, pbf) => {
      if (tag === 1) into.irVersion = pbf.readVarint();
      else if (tag === 2) into.producer = pbf.readString();
      else if (tag === 6) into.description = pbf.readString();
      else if (tag === 7) pbf.readMessage(graph, into);
      else if (tag === 8) {
        const opset = { domain: '', version: 0 };
        pbf.readMessage((part, set, inner) => {
          if (part === 1) set.domain = inner.readString();
          else if (part === 2) set.version = inner.readVarint();
        }, opset);
        if (opset.domain === '' || opset.domain === 'ai.onnx') into.opset = opset.version;
      }
    }, model);
  } catch (cause) {
    if (cause instanceof CytoError) throw cause;
    throw new CytoError('corrupt-file', 'The model is no readable ONNX file; load it again.', { cause });
  }
  if (model.nodes.length === 0 || model.opset === 0)
    throw new CytoError('corrupt-file', 'The model is no ONNX file, or an empty one; load it again.');
  return model;
}

function writeTensor(tensor: OnnxTensor, pbf: PbfWriter): void {
  for (const length of tensor.dims) pbf.writeVarintField(1, length);
  pbf.writeVarintField(2, tensor.type);
  pbf.writeStringField(8, tensor.name);
  if (!tensor.external) return void pbf.writeBytesField(9, tensor.bytes);
  for (const entry of Object.entries(tensor.external)) {
    pbf.writeMessage(
      13,
      ([key, value]: [string, string | number], out: PbfWriter) => {
        out.writeStringField(1, key);
        out.writeStringField(2, String(value));
      },
      entry,
    );
  }
  pbf.writeVarintField(14, EXTERNAL);
}

function writeAttribute(attribute: OnnxAttribute, pbf: PbfWriter): void {
  pbf.writeStringField(1, attribute.name);
  if (attribute.f !== undefined) pbf.writeFloatField(2, attribute.f);
  if (attribute.i !== undefined) pbf.writeVarintField(3, attribute.i);
  if (attribute.s !== undefined) pbf.writeBytesField(4, attribute.s);
  if (attribute.t !== undefined) pbf.writeMessage(5, writeTensor, attribute.t);
  for (const value of attribute.floats ?? []) pbf.writeFloatField(7, value);
  for (const value of attribute.ints ?? []) pbf.writeVarintField(8, value);
  pbf.writeVarintField(20, attribute.type);
}

function writeNode(node: OnnxNode, pbf: PbfWriter): void {
  for (const name of node.inputs) pbf.writeStringField(1, name);
  for (const name of node.outputs) pbf.writeStringField(2, name);
  pbf.writeStringField(3, node.name);
  pbf.writeStringField(4, node.op);
  for (const attribute of node.attributes) pbf.writeMessage(5, writeAttribute, attribute);
}

function writeValue(value: OnnxValue, pbf: PbfWriter): void {
  const dimension = (length: number | string, out: PbfWriter) => {
    if (typeof length === 'number') out.writeVarintField(1, length);
    else out.writeStringField(2, length);
  };
  const shape = (dims: (number | string)[], out: PbfWriter) => {
    for (const length of dims) out.writeMessage(1, dimension, length);
  };
  const tensor = ({ type, dims }: OnnxValue, out: PbfWriter) => {
    out.writeVarintField(1, type);
    out.writeMessage(2, shape, dims);
  };
  pbf.writeStringField(1, value.name);
  pbf.writeMessage(2, (inner: OnnxValue, out: PbfWriter) => out.writeMessage(1, tensor, inner), value);
}

/** Writes an ONNX file. */
export function writeOnnx(model: OnnxModel): Uint8Array {
  const pbf = new PbfWriter();
  pbf.writeVarintField(1, model.irVersion);
  pbf.writeStringField(2, model.producer);
  pbf.writeStringField(6, model.description);
  pbf.writeMessage(
    7,
    (graph: OnnxModel, out: PbfWriter) => {
      for (const node of graph.nodes) out.writeMessage(1, writeNode, node);
      out.writeStringField(2, graph.graphName);
      for (const tensor of graph.constants.values()) out.writeMessage(5, writeTensor, tensor);
      for (const value of graph.inputs) out.writeMessage(11, writeValue, value);
      for (const value of graph.outputs) out.writeMessage(12, writeValue, value);
    },
    model,
  );
  pbf.writeMessage(8, (version: number, out: PbfWriter) => out.writeVarintField(2, version), model.opset);
  return pbf.finish();
}
