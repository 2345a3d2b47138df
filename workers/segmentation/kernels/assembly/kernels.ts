/**
 * The inner loops of flows → labels in WebAssembly SIMD. AssemblyScript: compiled by scripts/kernels.mjs.
 * Every operation is the plain twin's, in the same order and precision, so that results agree bit for bit; but for
 * diffuseSingle, of which only bounds are used.
 * Addresses are bytes of the imported memory, which the caller lays out.
 */
export { diffuse } from './diffuse';
export { diffuseSingle } from './diffuse-single';
export { follow2d } from './follow-2d';
export { follow3d } from './follow-3d';
export { gaussian } from './gaussian';
