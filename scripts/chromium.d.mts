/** Flags for a quiet headless run on a closed network. */
export const chromiumFlags: string[];
/** Extra flags for WebGPU on the software adapter. */
export const webgpuFlags: string[];
/** Path of a Chrome or Chromium. @throws Error that says how to get one */
export function findChromium(): string;
