import { css } from 'lit';

export const viewerStyles = css`
  :host {
    --_canvas: var(--cyto-canvas, #000);
    --_ink: var(--cyto-ink, #fff);
    --_accent: var(--cyto-accent, #4cc2ff);
    --_gap: var(--cyto-gap, 2px);
    display: block;
    position: relative;
    contain: strict;
    overflow: hidden;
    inline-size: 100%;
    block-size: 400px;
    min-inline-size: 80px;
    min-block-size: 80px;
    background: var(--cyto-gap-color, #3a3f46);
    color: var(--_ink);
    color-scheme: dark;
    font: 12px/1.3 system-ui, sans-serif;
    direction: ltr;
  }
  :host([hidden]) { display: none; }

  .frame { position: absolute; inset: 0; }
  .grid { position: absolute; inset: 0; display: grid; gap: var(--_gap); }
  .grid[data-layout='quad'] { grid: 1fr 1fr / 1fr 1fr; }
  .pane {
    position: relative;
    min-inline-size: 0;
    min-block-size: 0;
    overflow: hidden;
    background: var(--_canvas);
    outline: none;
    touch-action: none;
    user-select: none;
    cursor: grab;
  }
  .grid[data-tool]:not([data-tool='pan']) .pane:not([data-moving]) { cursor: crosshair; }
  .pane[data-dragging] { cursor: grabbing; }
  .pane:focus-visible::after {
    content: '';
    position: absolute;
    inset: 0;
    border: 2px solid var(--_accent);
    pointer-events: none;
  }
  canvas { position: absolute; inset: 0; inline-size: 100%; block-size: 100%; display: block; }
  svg { position: absolute; inset: 0; inline-size: 100%; block-size: 100%; pointer-events: none; overflow: hidden; }
  .crosshair line { stroke: var(--_accent); stroke-opacity: 0.75; stroke-width: 1; shape-rendering: crispEdges; }
  .scale-bar line { stroke: var(--_ink); stroke-width: 3; }
  .scale-bar text, .names text {
    fill: var(--_ink);
    font: 600 12px system-ui, sans-serif;
    paint-order: stroke;
    stroke: rgb(0 0 0 / 0.65);
    stroke-width: 3px;
    stroke-linejoin: round;
  }
  .scale-bar rect { fill: rgb(0 0 0 / 0.65); }
  .names text { font-weight: 500; fill-opacity: 0.85; }
  .message {
    position: absolute;
    inset-block-start: 10px;
    inset-inline: 10px;
    display: flex;
    gap: 8px;
    align-items: start;
    padding: 8px 12px;
    border-radius: 8px;
    border: 1px solid #7d2f3b;
    background: rgb(60 18 26 / 0.94);
    color: #ffe3e6;
    font-size: 13px;
    overflow-wrap: anywhere;
  }
  .message span { flex: 1; }
  .message button { border: 0; background: none; color: inherit; font: inherit; font-size: 16px; line-height: 1; cursor: pointer; }
  progress {
    position: absolute;
    inset-block-start: 0;
    inset-inline: 0;
    inline-size: 100%;
    block-size: 3px;
    border: 0;
    appearance: none;
    background: rgb(255 255 255 / 0.15);
  }
  progress::-webkit-progress-bar { background: none; }
  progress::-webkit-progress-value { background: var(--_accent); }
  progress::-moz-progress-bar { background: var(--_accent); }
  .announcement {
    position: absolute;
    inline-size: 1px;
    block-size: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  slot[name='overlay']::slotted(*) { position: relative; }
  slot[name='empty'] { position: absolute; inset: 0; display: grid; place-content: center; }
  slot[hidden] { display: none; }
  @media (forced-colors: active) {
    .pane { border: 1px solid CanvasText; }
    .pane:focus-visible::after { border-color: Highlight; }
  }
`;
