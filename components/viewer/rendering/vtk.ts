import '@kitware/vtk.js/Rendering/OpenGL/Profiles/Volume.js';
import vtkDataArray from '@kitware/vtk.js/Common/Core/DataArray.js';
import vtkImageData, { type vtkImageData as ImageData } from '@kitware/vtk.js/Common/DataModel/ImageData.js';
import vtkPiecewiseFunction, {
  type vtkPiecewiseFunction as PiecewiseFunction,
} from '@kitware/vtk.js/Common/DataModel/PiecewiseFunction.js';
import vtkPlane from '@kitware/vtk.js/Common/DataModel/Plane.js';
import vtkColorTransferFunction, {
  type vtkColorTransferFunction as ColorTransferFunction,
} from '@kitware/vtk.js/Rendering/Core/ColorTransferFunction.js';
import vtkRenderer, { type vtkRenderer as Renderer } from '@kitware/vtk.js/Rendering/Core/Renderer.js';
import vtkRenderWindow, {
  type vtkRenderWindow as RenderWindow,
} from '@kitware/vtk.js/Rendering/Core/RenderWindow.js';
import vtkVolume, { type vtkVolume as Volume } from '@kitware/vtk.js/Rendering/Core/Volume.js';
import vtkVolumeMapper, {
  type vtkVolumeMapper as VolumeMapper,
} from '@kitware/vtk.js/Rendering/Core/VolumeMapper.js';
import vtkOpenGLRenderWindow, {
  type vtkOpenGLRenderWindow as OpenGLRenderWindow,
} from '@kitware/vtk.js/Rendering/OpenGL/RenderWindow.js';

/**
 * The vtk.js classes in use, with the inherited members that its declarations lose: they name their base classes
 * by paths without extension, which module resolution of ES modules does not find.
 */
interface VtkObject {
  delete(): void;
  isDeleted(): boolean;
  modified(): void;
}

export type VtkRenderer = Renderer &
  VtkObject & {
    setViewport(left: number, bottom: number, right: number, top: number): void;
    addViewProp(prop: object): void;
  };
export type VtkRenderWindow = RenderWindow & VtkObject;
export type VtkGlWindow = OpenGLRenderWindow & VtkObject;
export type VtkVolume = Volume & VtkObject;
export type VtkVolumeMapper = VolumeMapper &
  VtkObject & {
    setInputData(image: ImageData): void;
    addClippingPlane(plane: vtkPlane): void;
    removeAllClippingPlanes(): void;
  };
export type VtkImageData = ImageData &
  VtkObject & { getPointData(): { setScalars(scalars: vtkDataArray): void } };
export type VtkColors = ColorTransferFunction & VtkObject;
export type VtkOpacities = PiecewiseFunction & VtkObject;

export const newRenderer = () => vtkRenderer.newInstance() as VtkRenderer;
export const newRenderWindow = () => vtkRenderWindow.newInstance() as VtkRenderWindow;
export const newGlWindow = () => vtkOpenGLRenderWindow.newInstance() as VtkGlWindow;
export const newVolume = () => vtkVolume.newInstance() as VtkVolume;
export const newVolumeMapper = () => vtkVolumeMapper.newInstance() as VtkVolumeMapper;
export const newImageData = () => vtkImageData.newInstance() as VtkImageData;
export const newColors = () => vtkColorTransferFunction.newInstance() as VtkColors;
export const newPlane = (origin: [number, number, number], normal: [number, number, number]) =>
  vtkPlane.newInstance({ origin, normal });
export const newOpacities = () => vtkPiecewiseFunction.newInstance() as VtkOpacities;
export const newSamples = (values: Uint8Array, numberOfComponents: number) =>
  vtkDataArray.newInstance({ name: 'samples', numberOfComponents, values });
