import { CytoError } from '../../../core/errors.ts';
import { forgetProgram } from './drawing-prop.ts';
import { newGlWindow, newRenderWindow, type VtkRenderer } from './vtk.ts';

/** Milliseconds without users after which the page's GL context is let go. */
const IDLE = 1000;

/** Canvas area in pixels above which the shared canvas shrinks again to what is needed. */
const LARGE_CANVAS = 3000 * 3000;

/** The volume mapper asks an interactor whether the picture moves; here the painters decide on resolution. */
const NO_INTERACTION = {
  isAnimating: () => false,
  onAnimationFrameRateUpdate: () => ({ unsubscribe: () => undefined }),
};

/**
 * The page's one WebGL context. Browsers lose the oldest context beyond about sixteen, so all panes of all viewers
 * are drawn here in turn, each into the lower left corner, and copied to their own 2D canvases.
 */
export class RenderHub {
  static #shared: RenderHub | undefined;
  static #leases = 0;
  static #idle: ReturnType<typeof setTimeout> | undefined;

  /** The hub, made if need be. Every lease must be given back. */
  static lease(): RenderHub {
    clearTimeout(RenderHub.#idle);
    RenderHub.#leases++;
    RenderHub.#shared ??= new RenderHub();
    return RenderHub.#shared;
  }

  static giveBack(): void {
    if (--RenderHub.#leases > 0) return;
    RenderHub.#idle = setTimeout(() => {
      const hub = RenderHub.#shared;
      if (hub) hub.#dispose();
      RenderHub.#shared = undefined;
    }, IDLE);
  }

  readonly #renderers = new Set<VtkRenderer>();
  readonly #repaired = new Set<() => void>();
  #window = newRenderWindow();
  #view = newGlWindow();
  #size = [0, 0];
  #lost = false;
  #maxSize = 0;

  constructor() {
    this.#start();
  }

  #start(): void {
    this.#window = newRenderWindow();
    this.#view = newGlWindow();
    const canvas = this.#canvas;
    // Asked for first with the attributes that vtk.js uses, to learn of a missing WebGL 2 without its console error.
    const gl = canvas.getContext('webgl2', {
      preserveDrawingBuffer: false,
      depth: true,
      alpha: true,
      antialias: false,
      powerPreference: 'high-performance',
    });
    if (!gl) {
      throw new CytoError(
        'unsupported',
        'This browser offers no WebGL 2, which the viewer draws with. Switch on hardware acceleration or use a current browser.',
      );
    }
    this.#maxSize = Math.min(
      gl.getParameter(gl.MAX_RENDERBUFFER_SIZE),
      gl.getParameter(gl.MAX_VIEWPORT_DIMS)[0],
    );
    this.#window.addView(this.#view);
    this.#window.setInteractor(NO_INTERACTION as never);
    this.#size = [0, 0];
    canvas.addEventListener('webglcontextlost', () => this.#recover());
  }

  get #canvas(): HTMLCanvasElement {
    return this.#view.getCanvas() as HTMLCanvasElement;
  }

  /** The context was taken away (driver reset, too many contexts): a new one is made as soon as there may be one. */
  #recover(): void {
    if (this.#lost || RenderHub.#shared !== this) return;
    this.#lost = true;
    setTimeout(() => {
      if (RenderHub.#shared !== this) return;
      for (const renderer of this.#renderers) this.#window.removeRenderer(renderer);
      this.#view.delete();
      this.#lost = false;
      this.#start();
      for (const renderer of this.#renderers) this.#window.addRenderer(renderer);
      for (const repaired of this.#repaired) repaired();
    }, 100);
  }

  /** @param repaired called when everything must be drawn again. @returns the function that ends this */
  whenRepaired(repaired: () => void): () => void {
    this.#repaired.add(repaired);
    return () => void this.#repaired.delete(repaired);
  }

  /** Makes a renderer part of the scene. @returns the function that takes it out again */
  add(renderer: VtkRenderer): () => void {
    renderer.setDraw(false);
    this.#renderers.add(renderer);
    this.#window.addRenderer(renderer);
    return () => {
      this.#renderers.delete(renderer);
      this.#window.removeRenderer(renderer);
      // vtk.js frees what belongs to removed renderers when it next goes through its scene.
      if (!this.#lost) this.#view.traverseAllPasses();
    };
  }

  /** Draws one renderer at the size given in pixels and copies the picture to all of the target. */
  paint(renderer: VtkRenderer, target: CanvasRenderingContext2D, width: number, height: number): void {
    this.#paint(target, width, height, () => {
      const [fullWidth, fullHeight] = this.#size;
      renderer.setViewport(0, 0, width / fullWidth, height / fullHeight);
      renderer.setDraw(true);
      try {
        this.#view.traverseAllPasses();
      } finally {
        renderer.setDraw(false);
      }
    });
  }

  /** The same for what draws with the context itself, into a viewport of that size. */
  paintDirectly(
    target: CanvasRenderingContext2D,
    width: number,
    height: number,
    draw: (gl: WebGL2RenderingContext) => void,
  ): void {
    this.#paint(target, width, height, (gl) => {
      gl.viewport(0, 0, width, height);
      draw(gl);
      forgetProgram(this.#view);
    });
  }

  #paint(
    target: CanvasRenderingContext2D,
    width: number,
    height: number,
    draw: (gl: WebGL2RenderingContext) => void,
  ): void {
    const { canvas } = target;
    const gl = this.#canvas.getContext('webgl2');
    if (this.#lost || !gl) {
      target.clearRect(0, 0, canvas.width, canvas.height);
      return;
    }
    if (width > this.#maxSize || height > this.#maxSize) {
      throw new CytoError(
        'too-large',
        `A picture of ${width}×${height} pixels is larger than this device draws (${this.#maxSize}).`,
      );
    }
    this.#provide(width, height);
    const top = this.#size[1] - height;
    gl.disable(gl.SCISSOR_TEST);
    // What an earlier picture left beside this one would seep into its edges when it is enlarged.
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    draw(gl);
    target.imageSmoothingEnabled = width !== canvas.width || height !== canvas.height;
    target.imageSmoothingQuality = 'high';
    target.globalCompositeOperation = 'copy';
    target.drawImage(this.#canvas, 0, top, width, height, 0, 0, canvas.width, canvas.height);
    target.globalCompositeOperation = 'source-over';
  }

  /** Waits until the device has drawn, so that a clock read next tells what the picture has cost. */
  finish(): void {
    const gl = this.#canvas.getContext('webgl2');
    gl?.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));
  }

  #provide(width: number, height: number): void {
    const [w, h] = this.#size;
    const large = w * h > LARGE_CANVAS && width * height < LARGE_CANVAS;
    const wanted = large ? [width, height] : [Math.max(w, width), Math.max(h, height)];
    if (wanted[0] === w && wanted[1] === h) return;
    this.#size = wanted;
    this.#view.setSize(wanted[0], wanted[1]);
  }

  #dispose(): void {
    const gl = this.#canvas.getContext('webgl2');
    for (const renderer of this.#renderers) this.#window.removeRenderer(renderer);
    this.#view.delete();
    this.#window.delete();
    // Waiting for the garbage collector would keep the context, and its memory, among the page's sixteen.
    gl?.getExtension('WEBGL_lose_context')?.loseContext();
  }
}
