import macro from '@kitware/vtk.js/macros.js';
import vtkProp from '@kitware/vtk.js/Rendering/Core/Prop.js';
import { registerOverride } from '@kitware/vtk.js/Rendering/OpenGL/ViewNodeFactory.js';
import vtkViewNode from '@kitware/vtk.js/Rendering/SceneGraph/ViewNode.js';

/** Draws itself with the GL context of the render window that it is shown in. */
export interface Drawing {
  draw(gl: WebGL2RenderingContext): void;
}

/** What is used of vtk.js' OpenGL render window and renderer nodes. */
interface RenderWindowNode {
  getContext(): { __getUnderlyingContext(): WebGL2RenderingContext };
  getShaderCache(): { setLastShaderProgramBound(program: null): void };
}
interface NodeApi {
  getLastAncestorOfType(type: string): RenderWindowNode;
  queryPass?: (prepass: boolean, renderPass: { incrementOverlayActorCount(): void }) => void;
  overlayPass?: (prepass: boolean) => void;
}
interface NodeModel {
  classHierarchy: string[];
  renderable: { drawing: Drawing };
}

const DRAWING_PROP = 'vtkCytoDrawing';
const DRAWING_NODE = 'vtkCytoOpenGLDrawing';

/** vtk.js remembers which program it bound last; after a drawing of our own it is no longer. */
export function forgetProgram(window: object): void {
  (window as RenderWindowNode).getShaderCache().setLastShaderProgramBound(null);
}

/** A vtk.js prop of our own drawing; its view node calls {@link Drawing.draw}. */
export const newDrawingProp: (values: { drawing: Drawing }) => object = macro.newInstance(
  (publicAPI, model, values) => {
    Object.assign(model, values);
    vtkProp.extend(publicAPI, model, values);
    const { classHierarchy, drawing } = model as { classHierarchy: string[]; drawing: Drawing };
    classHierarchy.push(DRAWING_PROP);
    Object.assign(publicAPI, {
      drawing,
      // vtk.js aims a camera at the bounds, which the drawing does not use.
      getBounds: () => [0, 1, 0, 1, 0, 1],
    });
  },
  DRAWING_PROP,
);

const newDrawingNode = macro.newInstance((publicAPI, model, values) => {
  vtkViewNode.extend(publicAPI, model, values);
  const own = model as NodeModel;
  const node = publicAPI as NodeApi;
  own.classHierarchy.push(DRAWING_NODE);
  node.queryPass = (prepass, renderPass) => {
    if (prepass) renderPass.incrementOverlayActorCount();
  };
  // Last, over the volumes of vtk.js.
  node.overlayPass = (prepass) => {
    if (!prepass) return;
    const window = node.getLastAncestorOfType('vtkOpenGLRenderWindow');
    own.renderable.drawing.draw(window.getContext().__getUnderlyingContext());
    forgetProgram(window);
  };
}, DRAWING_NODE);

registerOverride(DRAWING_PROP, newDrawingNode);
