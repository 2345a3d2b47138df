import type { Cursor, Dims } from '../../core/viewer-model.ts';
import { corners, type OrbitCamera, rotate } from './orbit-camera.ts';
import { AXIS_NAMES, PLANE_AXES, type Plane, sceneExtent, voxelMiddle } from './plane.ts';
import { type PaneSize, type PlaneCamera, worldToScreen } from './plane-camera.ts';
import { scaleBar } from './scale-bar.ts';

/** Overlays as SVG markup, in CSS pixels of the pane; used on screen and in pictures alike. */
export interface OverlayScene {
  dims: Readonly<Dims>;
  cursor: Readonly<Cursor>;
  size: PaneSize;
  /** Whether the pane's name is shown (with several panes). */
  named: boolean;
}

const MARGIN = 12;

export function planeOverlay(
  { dims, cursor, size, named }: OverlayScene,
  plane: Plane,
  camera: PlaneCamera,
  crosshair: boolean,
): string {
  const parts: string[] = [];
  if (crosshair) {
    const middle = voxelMiddle([cursor.z, cursor.y, cursor.x], dims.spacing);
    const [x, y] = worldToScreen(camera, plane, size, middle).map((v) => Math.round(v) + 0.5);
    parts.push(
      `<g class="crosshair" part="crosshair"><line x1="0" x2="${size.width}" y1="${y}" y2="${y}"/>` +
        `<line x1="${x}" x2="${x}" y1="0" y2="${size.height}"/></g>`,
    );
  }
  parts.push(bar(camera.scale, dims, size));
  if (named) parts.push(names(plane));
  return parts.join('');
}

/** The plane's two axes as arrows in the top left corner. */
function names(plane: Plane): string {
  const { right, down } = PLANE_AXES[plane];
  return (
    `<g class="names" part="label"><text x="${MARGIN + 12}" y="${MARGIN + 6}">${AXIS_NAMES[right]} →</text>` +
    `<text x="${MARGIN - 4}" y="${MARGIN + 22}">${AXIS_NAMES[down]} ↓</text></g>`
  );
}

function bar(scale: number, dims: Readonly<Dims>, { width, height }: PaneSize): string {
  const found = scaleBar(scale, dims.unit, Math.min(140, width * 0.4));
  if (!found) return '';
  const right = width - MARGIN;
  const bottom = height - MARGIN;
  const left = right - found.width;
  return (
    `<g class="scale-bar" part="scale-bar"><rect x="${left - 1}" y="${bottom - 3}" width="${found.width + 2}" height="5"/>` +
    `<line x1="${left}" x2="${right}" y1="${bottom - 0.5}" y2="${bottom - 0.5}"/>` +
    `<text x="${(left + right) / 2}" y="${bottom - 8}" text-anchor="middle">${escapeMarkup(found.text)}</text></g>`
  );
}

/**
 * Edges of the scene's box, faint, with the three axes named at their ends.
 * @param note lines of text in the top left corner
 */
export function orbitOverlay(
  { dims, size }: OverlayScene,
  camera: OrbitCamera,
  note: readonly string[] = [],
): string {
  const [z, y, x] = sceneExtent(dims);
  const points = corners([x, y, z]).map((corner) => {
    const [sx, sy] = rotate(camera.rotation, corner);
    return [
      size.width / 2 + camera.offset[0] + sx * camera.scale,
      size.height / 2 + camera.offset[1] + sy * camera.scale,
    ];
  });
  const edges: string[] = [];
  for (let corner = 0; corner < 8; corner++) {
    for (const bit of [1, 2, 4]) {
      if (corner & bit) continue;
      const [x1, y1] = points[corner];
      const [x2, y2] = points[corner | bit];
      const opacity = corner === 0 ? 0.5 : 0.22;
      edges.push(
        `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke="currentColor" stroke-opacity="${opacity}"/>`,
      );
    }
  }
  const axis = (bit: number, name: string) => {
    const [ox, oy] = points[0];
    const [px, py] = points[bit];
    const length = Math.hypot(px - ox, py - oy) || 1;
    return `<text x="${px + ((px - ox) / length) * 10}" y="${py + ((py - oy) / length) * 10 + 4}" text-anchor="middle">${name}</text>`;
  };
  return (
    `<g class="box">${edges.join('')}</g><g class="names" part="label">${axis(1, 'x')}${axis(2, 'y')}${z > dims.spacing[0] ? axis(4, 'z') : ''}</g>` +
    `<g class="names note" part="label">${note.map((line, k) => `<text x="${MARGIN}" y="${MARGIN + 8 + 16 * k}">${escapeMarkup(line)}</text>`).join('')}</g>` +
    bar(camera.scale, dims, size)
  );
}

function escapeMarkup(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
