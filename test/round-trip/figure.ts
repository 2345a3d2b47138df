/** Writes the table and the figure of overlapping discs into docs/: `node --import tsx test/round-trip/figure.ts`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { WasmKernels } from '../../workers/segmentation/kernels/wasm-kernels.ts';
import { DIAMETERS, discColumn, mean, PERCENT, RECIPES } from './overlapping-discs.ts';

const page = new URL('../../docs/flows-to-labels.md', import.meta.url);
const figure = new URL('../../docs/overlapping-discs.svg', import.meta.url);
const reference: { package: string; meanIou: Columns; meanIouQc: Columns } = JSON.parse(
  readFileSync(new URL('reference-discs.json', import.meta.url), 'utf8'),
);
type Columns = Record<string, number[]>;
const kernels = await WasmKernels.create();
const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
const tables: string[] = [];
const ours: number[][][] = [];
for (const diameter of DIAMETERS) {
  const values: number[][] = [];
  for (const { recipe } of RECIPES) values.push(await discColumn(kernels, diameter, recipe));
  ours.push(values);
  const columns = [
    { title: reference.package, values: reference.meanIou[diameter] },
    { title: `${reference.package}, QC`, values: reference.meanIouQc[diameter] },
    ...RECIPES.map(({ title }, k) => ({ title, values: values[k] })),
  ];
  tables.push(
    [
      row([`${diameter} px`, ...columns.map(({ title }) => title)]),
      row(['---:', ...columns.map(() => '---:')]),
      ...PERCENT.map((percent, i) =>
        row([`${percent} %`, ...columns.map(({ values }) => values[i].toFixed(3))]),
      ),
      row(['**mean**', ...columns.map(({ values }) => `**${mean(values).toFixed(3)}**`)]),
    ].join('\n'),
  );
}
const table = tables.join('\n\n');
const text = readFileSync(page, 'utf8');
const [before, rest] = text.split('<!-- table -->');
writeFileSync(page, `${before}<!-- table -->\n\n${table}\n\n<!-- end -->${rest.split('<!-- end -->')[1]}`);

const [width, height, left, top] = [640, 360, 56, 16];
const [plotWidth, plotHeight] = [width - left - 16, height - top - 52];
const x = (percent: number) => left + (percent / 95) * plotWidth;
const y = (iou: number) => top + (1 - (iou - 0.4) / 0.6) * plotHeight;
const colors = ['#0072b2', '#d55e00', '#009e73'];
const line = (values: readonly number[], color: string, dashes: string) =>
  `<polyline fill="none" stroke="${color}" stroke-width="2" stroke-dasharray="${dashes}" points="${values.map((v, i) => `${x(PERCENT[i]).toFixed(1)},${y(v).toFixed(1)}`).join(' ')}"/>`;
const grid = [0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1].map(
  (v) =>
    `<path d="M${left} ${y(v)}H${left + plotWidth}" stroke="#ddd"/><text x="${left - 8}" y="${y(v) + 4}" text-anchor="end">${v.toFixed(1)}</text>`,
);
const ticks = [0, 20, 40, 60, 80].map(
  (p) => `<text x="${x(p)}" y="${top + plotHeight + 18}" text-anchor="middle">${p} %</text>`,
);
const entry = (text: string, k: number, color: string, dashes: string) =>
  `<path d="M${left + 14} ${y(0.75) + 20 * k}h26" stroke="${color}" stroke-width="2" stroke-dasharray="${dashes}"/><text x="${left + 48}" y="${y(0.75) + 20 * k + 4}">${text}</text>`;
const key = [
  ...DIAMETERS.map((d, k) => entry(`${d} px`, k, colors[k], 'none')),
  entry('separate flows, with QC', 3, '#555', 'none'),
  entry('flows of the reference, without QC', 4, '#555', '6 4'),
  entry('the same with QC', 5, '#555', '1.5 3'),
];
const lines = ours.map(
  ([usual, usualChecked, , checked], k) =>
    line(usual, colors[k], '6 4') + line(usualChecked, colors[k], '1.5 3') + line(checked, colors[k], 'none'),
);
writeFileSync(
  figure,
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="13" role="img"><title>Mean IoU of two overlapping discs after labels, flows, labels</title><rect width="${width}" height="${height}" fill="#fff"/>${grid.join('')}${ticks.join('')}${lines.join('')}${key.join('')}<text x="${left + plotWidth / 2}" y="${height - 8}" text-anchor="middle">overlap, share of the diameter</text><text transform="translate(14 ${top + plotHeight / 2}) rotate(-90)" text-anchor="middle">mean IoU of the visible parts</text></svg>\n`,
);
console.log(table);
