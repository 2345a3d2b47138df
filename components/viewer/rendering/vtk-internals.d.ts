/** Parts of vtk.js that it publishes without declarations. */
declare module '@kitware/vtk.js/Rendering/OpenGL/ViewNodeFactory.js' {
  export function registerOverride(className: string, newInstance: (initialValues?: object) => unknown): void;
}
declare module '@kitware/vtk.js/Rendering/OpenGL/Profiles/Volume.js';
declare module '@kitware/vtk.js/Rendering/OpenGL/RenderWindow/ContextProxy.js' {
  export const GET_UNDERLYING_CONTEXT: string;
}
