#!/usr/bin/env node
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { asCytoError, CytoError } from '../../core/errors.ts';
import { urlSource } from '../../workers/models/checkpoint-url.ts';
import { runGraph } from '../../workers/segmentation/network/run-graph.ts';
import { noticeOf } from './card.ts';
import { pathSource } from './checkpoint/node-source.ts';
import { convert, openNetworkFile } from './convert.ts';
import { FolderOnDisk } from './folder-on-disk.ts';

const USAGE = `Usage: cytopane convert CHECKPOINT FOLDER [--fp32]

Turns a checkpoint of Cellpose 4 (cpsam, cpsam_v2, cpdino, cpdino-vitb or one fine-tuned from them) into a model folder
that a page offers with <cyto-segmenter models="https://…/FOLDER/">.

  CHECKPOINT  path or address of the PyTorch file
  FOLDER      is made if it is not there
  --fp32      single instead of half floats: twice the size, for GPUs without half floats
`;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      fp32: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const [command, from, to] = positionals;
  if (values.help) {
    process.stdout.write(USAGE);
    return;
  }
  if (command !== 'convert' || !from || !to || positionals.length > 3)
    throw new CytoError('bad-input', USAGE);
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  const source = /^https?:/.test(from) ? await urlSource(new URL(from), stop.signal) : await pathSource(from);
  const recognised = await openNetworkFile(source, stop.signal);
  process.stderr.write(`${recognised.vit.kind}. ${noticeOf(recognised.vit)}\n`);
  const folder = await FolderOnDisk.make(resolve(to));
  await convert(recognised, folder, {
    precision: values.fp32 ? 'float32' : 'float16',
    run: runGraph,
    signal: stop.signal,
    onProgress: ({ value, total }) => {
      if (process.stderr.isTTY)
        process.stderr.write(`\r${(value / 1e6).toFixed(0)} of ${(total / 1e6).toFixed(0)} MB`);
    },
  });
  process.stderr.write(`${process.stderr.isTTY ? '\n' : ''}The model folder is ${resolve(to)}.\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${asCytoError(error).message}\n`);
  process.exitCode = 1;
});
