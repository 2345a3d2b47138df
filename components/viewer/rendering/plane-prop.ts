import macro from '@kitware/vtk.js/macros.js';
import vtkProp from '@kitware/vtk.js/Rendering/Core/Prop.js';
import { registerOverride } from '@kitware/vtk.js/Rendering/OpenGL/ViewNodeFactory.js';
import vtkViewNode from '@kitware/vtk.js/Rendering/SceneGraph/ViewNode.js';

/** Draws itself with the GL context of the render window that it is shown in. */
export interface PlaneDrawing {
  draw(gl: WebGL2RenderingContext): void;
}

/** What is used of vtk.js' OpenGL render window and renderer nodes. */
interface RenderWindowNode {
  getContext(): { __getUnderlyingContext(): WebGL2RenderingContext };
  getShaderCache(): { setLastShaderProgramBound(program: null): void };
}
interface NodeApi {
  getLastAncestorOfType(type: string): RenderWindowNode;
  queryPass?: (prepass: boolean, renderPass: { incrementOpaqueActorCount(): void }) => void;
  opaquePass?: (prepass: boolean) => void;
}
interface NodeModel {
  classHierarchy: string[];
  renderable: { drawing: PlaneDrawing };
}

const PLANE_PROP = 'vtkCytoPlane';
const PLANE_NODE = 'vtkCytoOpenGLPlane';

/** A vtk.js prop that shows one plane of all layers; its view node calls {@link PlaneDrawing.draw}. */
export const newPlaneProp: (values: { drawing: PlaneDrawing }) => object = macro.newInstance(
  (publicAPI, model, values) => {
    Object.assign(model, values);
    vtkProp.extend(publicAPI, model, values);
    const { classHierarchy, drawing } = model as { classHierarchy: string[]; drawing: PlaneDrawing };
    classHierarchy.push(PLANE_PROP);
    Object.assign(publicAPI, {
      drawing,
      // vtk.js aims a camera at the bounds, which the drawing does not use.
      getBounds: () => [0, 1, 0, 1, 0, 1],
    });
  },
  PLANE_PROP,
);

const newPlaneNode = macro.newInstance((publicAPI, model, values) => {
  vtkViewNode.extend(publicAPI, model, values);
  const own = model as NodeModel;
  const node = publicAPI as NodeApi;
  own.classHierarchy.push(PLANE_NODE);
  node.queryPass = (prepass, renderPass) => {
    if (prepass) renderPass.incrementOpaqueActorCount();
  };
  node.opaquePass = (prepass) => {
    if (!prepass) return;
    const window = node.getLastAncestorOfType('vtkOpenGLRenderWindow');
    own.renderable.drawing.draw(window.getContext().__getUnderlyingContext());
    // vtk.js remembers which program it bound last; it is no longer.
    window.getShaderCache().setLastShaderProgramBound(null);
  };
}, PLANE_NODE);

registerOverride(PLANE_PROP, newPlaneNode);
