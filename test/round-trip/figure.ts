/** Writes the table and the figure of overlapping discs into docs/: `node --import tsx test/round-trip/figure.ts`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { WasmKernels } from '../../workers/segmentation/kernels/wasm-kernels.ts';
import { DIAMETERS, discTable, mean, PERCENT } from './overlapping-discs.ts';

const page = new URL('../../docs/flows-to-labels.md', import.meta.url);
const figure = new URL('../../docs/overlapping-discs.svg', import.meta.url);
const reference: { package: string; meanIou: Record<string, number[]> } = JSON.parse(
  readFileSync(new URL('reference-discs.json', import.meta.url), 'utf8'),
);
const kernels = await WasmKernels.create();
const [usual, separate] = [await discTable(kernels, false), await discTable(kernels, true)];

const columns = DIAMETERS.flatMap((d, k) => [
  ...(reference.meanIou[d] ? [{ title: `${d} px, ${reference.package}`, values: reference.meanIou[d] }] : []),
  { title: `${d} px`, values: usual[k] },
  { title: `${d} px, separate`, values: separate[k] },
]);
const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
const table = [
  row(['overlap', ...columns.map(({ title }) => title)]),
  row(['---:', ...columns.map(() => '---:')]),
  ...PERCENT.map((percent, i) => row([`${percent} %`, ...columns.map(({ values }) => values[i].toFixed(3))])),
  row(['**mean**', ...columns.map(({ values }) => `**${mean(values).toFixed(3)}**`)]),
].join('\n');
const text = readFileSync(page, 'utf8');
const [before, rest] = text.split('<!-- table -->');
writeFileSync(page, `${before}<!-- table -->\n\n${table}\n\n<!-- end -->${rest.split('<!-- end -->')[1]}`);

const [width, height, left, top] = [640, 360, 56, 16];
const [plotWidth, plotHeight] = [width - left - 16, height - top - 52];
const x = (percent: number) => left + (percent / 95) * plotWidth;
const y = (iou: number) => top + (1 - (iou - 0.4) / 0.6) * plotHeight;
const colors = ['#0072b2', '#d55e00', '#009e73'];
const line = (values: readonly number[], color: string, dashed: boolean) =>
  `<polyline fill="none" stroke="${color}" stroke-width="2"${dashed ? ' stroke-dasharray="5 4"' : ''} points="${values.map((v, i) => `${x(PERCENT[i]).toFixed(1)},${y(v).toFixed(1)}`).join(' ')}"/>`;
const grid = [0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1].map(
  (v) =>
    `<path d="M${left} ${y(v)}H${left + plotWidth}" stroke="#ddd"/><text x="${left - 8}" y="${y(v) + 4}" text-anchor="end">${v.toFixed(1)}</text>`,
);
const ticks = [0, 20, 40, 60, 80].map(
  (p) => `<text x="${x(p)}" y="${top + plotHeight + 18}" text-anchor="middle">${p} %</text>`,
);
const key = DIAMETERS.map(
  (d, k) =>
    `<path d="M${left + 14} ${y(0.62) + 20 * k}h26" stroke="${colors[k]}" stroke-width="2"/><text x="${left + 48}" y="${y(0.62) + 20 * k + 4}">${d} px: separate (solid), as the reference (dashed)</text>`,
);
writeFileSync(
  figure,
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="13" role="img"><title>Mean IoU of two overlapping discs after labels, flows, labels</title><rect width="${width}" height="${height}" fill="#fff"/>${grid.join('')}${ticks.join('')}${DIAMETERS.map((_, k) => line(usual[k], colors[k], true) + line(separate[k], colors[k], false)).join('')}${key.join('')}<text x="${left + plotWidth / 2}" y="${height - 8}" text-anchor="middle">overlap, share of the diameter</text><text transform="translate(14 ${top + plotHeight / 2}) rotate(-90)" text-anchor="middle">mean IoU of the visible parts</text></svg>\n`,
);
console.log(table);
