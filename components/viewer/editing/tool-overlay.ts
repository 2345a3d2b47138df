/** What the active tool draws over a pane, as SVG markup in CSS pixels. Dark below light, to be seen on any picture. */

import type { Tool } from './tools.ts';

type Point = readonly [x: number, y: number];

const twice = (shape: (style: string) => string, color: string, dashed = false) =>
  shape('fill="none" stroke="#000" stroke-opacity="0.7" stroke-width="3"') +
  shape(`fill="none" stroke="${color}" stroke-width="1.5"${dashed ? ' stroke-dasharray="5 3"' : ''}`);

/** Outline of a brush. */
function brushOutline([x, y]: Point, radiusX: number, radiusY: number, color: string): string {
  const [rx, ry] = [Math.max(1.5, radiusX), Math.max(1.5, radiusY)];
  return twice((style) => `<ellipse cx="${x}" cy="${y}" rx="${rx}" ry="${ry}" ${style}/>`, color);
}

/** A drawn line, or a polygon that closes itself. */
function drawnLine(points: readonly Point[], closed: boolean, color: string): string {
  const list = points.map(([x, y]) => `${x},${y}`).join(' ');
  const line = twice((style) => `<polyline points="${list}" ${style}/>`, color);
  const first = points.at(0);
  const last = points.at(-1);
  if (!closed || !first || !last || points.length < 3) return line;
  const end = `x1="${last[0]}" y1="${last[1]}" x2="${first[0]}" y2="${first[1]}"`;
  return line + twice((style) => `<line ${end} ${style}/>`, color, true);
}

/** A dragged box. */
function dragBox([ax, ay]: Point, [bx, by]: Point, color: string): string {
  const box = `x="${Math.min(ax, bx)}" y="${Math.min(ay, by)}" width="${Math.abs(ax - bx)}" height="${Math.abs(ay - by)}"`;
  return twice((style) => `<rect ${box} ${style}/>`, color, true);
}

export interface ToolInUse {
  /** The tool that is chosen, and the one of the pointer that is down. */
  tool: Tool;
  used: Tool | undefined;
  /** Where that pointer has been. */
  drawn: readonly Point[];
  /** Where the pointer is. */
  at: Point | undefined;
  /** Of the brush; false where it has no outline. */
  radius: number | false;
  color: string;
}

/** What a pane shows of the tools. */
export function toolMarkup({ tool, used, drawn, at, radius, color }: ToolInUse): string {
  if (used === 'lasso' || used === 'split') return drawnLine(drawn, used === 'lasso', color);
  if (used === 'delete' && at) return dragBox(drawn[0], at, '#ff6b6b');
  if (at && radius !== false && (tool === 'paint' || tool === 'erase')) {
    return brushOutline(at, radius, radius, color);
  }
  return '';
}
