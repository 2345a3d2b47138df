/** What the page of `npm run bench:viewer` does: the same tasks in two viewers. Serialised, so self-contained. */

export interface Task {
  name: string;
  /** Milliseconds per frame of each batch of frames, of Cytopane and of NiiVue. */
  times: number[][];
}

/** A viewer under test: opens the files, then does frame `k` of a task. */
interface Candidate {
  open(): Promise<void>;
  frame(task: string, k: number): Promise<void>;
  /** Waits until the device has drawn. */
  finish(): void;
  close(): void;
}

export const TASKS = ['slice scroll', 'pan', 'brush', '3D rotation'] as const;

/**
 * Times both viewers in one page, frame by frame in turns, so that whatever else the machine does hits both; or, with
 * `first`, how long one of them takes to its first picture.
 */
export async function compareViewers(
  frames: number,
  planes: number,
  tasks: readonly string[],
  first?: 'cytopane' | 'niivue',
): Promise<{ first: number; tasks: Task[] }> {
  const load = (path: string) => import(path);
  const plane = (k: number) => (3 + k) % planes;
  /** Frames between two waits for the device: reading pixels back at each would cost more than drawing. */
  const BATCH = 4;
  /** Milliseconds after which a task ends early: software GL takes seconds for a frame in 3D. */
  const LONGEST_TASK = 40_000;

  const cytopane = async (): Promise<Candidate> => {
    await load('/dist/define-viewer.js');
    await load('/dist/define-image.js');
    await load('/dist/define-labels.js');
    const viewer = document.createElement('cyto-viewer');
    viewer.setAttribute('autosave', 'off');
    const pixels = () =>
      viewer.renderRoot.querySelector('canvas')?.getContext('2d')?.getImageData(0, 0, 1, 1);
    return {
      async open() {
        const image = document.createElement('cyto-image');
        image.src = '/bench/image.nii';
        const labels = document.createElement('cyto-labels');
        labels.src = '/bench/labels.nii';
        labels.editable = true;
        viewer.append(image, labels);
        document.body.append(viewer);
        await viewer.updateComplete;
        while (viewer.model.layers.length < 2) await new Promise((resolve) => setTimeout(resolve, 1));
        await viewer.settled();
      },
      async frame(task, k) {
        const { model } = viewer;
        const [layer] = model.labels;
        if (task === 'slice scroll') model.setCursor({ z: plane(k) });
        else if (task === 'brush') {
          // The label that is painted is the selected one, with its outline.
          model.update(layer.id, { selected: 9 });
          const { data, shape } = layer.labels;
          const [z, y, x] = [model.cursor.z, 200 + 2 * k, 200 + 2 * k];
          for (let row = y - 10; row < y + 10; row++) {
            const start = (z * shape[1] + row) * shape[2] + x;
            data.fill(9, start - 10, start + 10);
          }
          layer.labels.touch([z, y - 10, x - 10, z + 1, y + 10, x + 10]);
        } else {
          const pane = viewer.renderRoot.querySelector('.pane');
          if (model.layout !== (task === 'pan' ? 'xy' : '3d')) {
            model.setLayout(task === 'pan' ? 'xy' : '3d');
            await viewer.settled();
            return;
          }
          // Moves or turns by an arrow key, as a user would.
          pane?.dispatchEvent(new KeyboardEvent('keydown', { key: k % 2 ? 'ArrowLeft' : 'ArrowRight' }));
        }
      },
      finish: () => void pixels(),
      close: () => viewer.remove(),
    };
  };

  const niivue = async (): Promise<Candidate> => {
    const { Niivue } = await load('/node_modules/@niivue/niivue/dist/index.js');
    const nv = new Niivue({
      show3Dcrosshair: false,
      loadingText: '',
      isResizeCanvas: true,
      // One plane from the start: its default draws four panes, one of them in 3D.
      sliceType: 0,
      // As the other viewer shows an image.
      isNearestInterpolation: true,
    });
    const box = document.createElement('div');
    box.className = 'other';
    const canvas = document.createElement('canvas');
    canvas.width = 640;
    canvas.height = 480;
    box.append(canvas);
    const finish = () => nv.gl.readPixels(0, 0, 1, 1, nv.gl.RGBA, nv.gl.UNSIGNED_BYTE, new Uint8Array(4));
    return {
      async open() {
        document.body.append(box);
        await nv.attachToCanvas(canvas);
        await nv.loadVolumes([
          { url: '/bench/image.nii', colormap: 'gray' },
          { url: '/bench/labels.nii', colormap: 'random', opacity: 0.6 },
        ]);
        nv.drawScene();
        // Its drawing takes labels of its own, one byte each.
        nv.createEmptyDrawing();
      },
      async frame(task, k) {
        if (task === '3D rotation') {
          if (nv.opts.sliceType !== nv.sliceTypeRender) nv.setSliceType(nv.sliceTypeRender);
          nv.setRenderAzimuthElevation(110 + (k % 2) * 5, 10);
          return;
        }
        if (nv.opts.sliceType !== nv.sliceTypeAxial) nv.setSliceType(nv.sliceTypeAxial);
        if (task === 'slice scroll') nv.scene.crosshairPos = [0.5, 0.5, (plane(k) + 0.5) / planes];
        else if (task === 'pan') nv.scene.pan2Dxyzmm = [(k % 2) * 10, 0, 0, 1];
        else {
          nv.opts.penSize = 20;
          nv.drawPt(200 + 2 * k, 200 + 2 * k, planes >> 1, 1);
          nv.refreshDrawing(false);
        }
        nv.drawScene();
      },
      finish,
      close() {
        nv.gl.getExtension('WEBGL_lose_context')?.loseContext();
        box.remove();
      },
    };
  };

  const nextFrame = () => new Promise((resolve) => requestAnimationFrame(resolve));

  if (first) {
    const candidate = await (first === 'cytopane' ? cytopane() : niivue());
    const begin = performance.now();
    await candidate.open();
    candidate.finish();
    const time = performance.now() - begin;
    candidate.close();
    return { first: time, tasks: [] };
  }
  const candidates = [await cytopane(), await niivue()];
  for (const candidate of candidates) {
    await candidate.open();
    // What the device has still to do for this one must not be in the other's frames.
    candidate.finish();
  }
  const results: Task[] = [];
  for (const name of tasks) {
    const times: number[][] = [[], []];
    const until = performance.now() + LONGEST_TASK;
    for (let k = 0; k < frames * BATCH && (times[0].length < 2 || performance.now() < until); k += BATCH) {
      for (const [which, candidate] of candidates.entries()) {
        // The first frame pays for shaders and textures.
        if (k === 0) await candidate.frame(name, k);
        candidate.finish();
        const start = performance.now();
        for (let j = 1; j <= BATCH; j++) {
          await candidate.frame(name, k + j);
          await nextFrame();
        }
        candidate.finish();
        times[which].push((performance.now() - start) / BATCH);
      }
    }
    results.push({ name, times });
  }
  for (const candidate of candidates) candidate.close();
  return { first: 0, tasks: results };
}
