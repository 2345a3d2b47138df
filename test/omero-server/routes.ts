import { Buffer } from 'node:buffer';
import { encode as encodePng } from 'fast-png';
import { encodeImage, encodeRoi, imgData } from './encode.ts';
import { bigEndianTile, jpeg, OutOfRange, omeTiff, polygonPixels } from './pixels.ts';
import type { OmeroServerOptions, OmeroStore, Session, StoredImage, StoredShape } from './store.ts';
import { webZarrRoutes } from './web-zarr.ts';
import { webclientPage } from './webclient-page.ts';

export interface Call {
  method: string;
  /** Below the prefix, without a leading slash. */
  path: string;
  query: URLSearchParams;
  body: Buffer;
  type: string;
  base: string;
  session: Session | undefined;
}

export interface Answer {
  status?: number;
  headers?: Record<string, string>;
  body: string | Uint8Array;
}

type Handler = (match: string[], call: Call) => Answer | Promise<Answer>;
/** `api`: 403 with JSON without a session; `page`: redirect or empty 403; `open`: no login needed. */
type Guard = 'api' | 'page' | 'open';
export type Route = [method: RegExp, path: RegExp, guard: Guard, handler: Handler];

const json = (value: unknown, status = 200, headers: Record<string, string> = {}): Answer => ({
  status,
  headers: { 'Content-Type': 'application/json', ...headers },
  body: JSON.stringify(value),
});
const API = { 'X-OMERO-ApiVersion': '0.2' };
const api = (value: unknown, status = 200) => json(value, status, API);
const STACK = 'Traceback (most recent call last): …';
const html = (status: number): Answer => ({
  status,
  headers: { 'Content-Type': 'text/html; charset=utf-8' },
  body: `<!DOCTYPE html><html><body><h1>${status}</h1></body></html>`,
});
/** Django's DATA_UPLOAD_MAX_MEMORY_SIZE. */
export const BODY_LIMIT = 2_621_440;

/** The routes of OMERO.web that the product uses, and their neighbours that it must not mistake for them. */
export function routesOf(store: OmeroStore, options: OmeroServerOptions): Route[] {
  const { maxLimit = 500, iviewer = true, prefix = '/' } = options;
  const imageOf = (id: string): StoredImage | undefined => store.images.get(Number(id));
  const missing = (id: string) => api({ message: `Image ${id} not found`, stacktrace: STACK }, 404);

  function page<T>(items: T[], query: URLSearchParams): Answer {
    const raw = query.get('limit') ?? '200';
    if (!/^\d+$/.test(raw)) return api({ message: `invalid literal for int() with base 10: '${raw}'` }, 400);
    const limit = Math.min(Number(raw), maxLimit);
    const offset = Number(query.get('offset') ?? 0);
    const data = items.slice(offset, offset + limit);
    return api({ data, meta: { offset, limit, maxLimit, totalCount: items.length } });
  }
  const byName = (images: StoredImage[]) =>
    [...images].sort((a, b) => (a.name.toLowerCase() < b.name.toLowerCase() ? -1 : 1));
  const listed = (images: StoredImage[], { base, query }: Call) =>
    page(
      byName(images).map((image) => encodeImage(store, image, base, false)),
      query,
    );

  const well = (wanted: number) => {
    const fields = [...store.images.values()].filter(({ wellSample }) => wellSample?.well === wanted);
    const first = fields[0]?.wellSample;
    return (
      first && {
        '@type': 'http://www.openmicroscopy.org/Schemas/OME/2016-06#Well',
        '@id': wanted,
        Row: first.row,
        Column: first.column,
        WellSamples: fields.map(({ id, name }) => ({ '@id': id, Image: { '@id': id, Name: name } })),
      }
    );
  };

  const routes: Route[] = [
    [/GET/, /^api\/$/, 'open', (_, { base }) => json({ data: [{ version: '0', 'url:base': base }] })],
    [
      /GET/,
      /^api\/v0\/servers\/$/,
      'open',
      () => api({ data: [{ id: 1, host: 'localhost', port: 4064, server: 'omero' }] }),
    ],
    [
      /GET/,
      /^api\/v0\/m\/images\/(\d+)\/$/,
      'api',
      ([id], { base }) => {
        const image = imageOf(id);
        return image ? api({ data: encodeImage(store, image, base, true) }) : missing(id);
      },
    ],
    [
      /DELETE/,
      /^api\/v0\/m\/images\/(\d+)\/$/,
      'api',
      () => api({ message: 'Delete of Image not supported', stacktrace: STACK }, 405),
    ],
    [/GET/, /^api\/v0\/m\/images\/$/, 'api', (_, call) => listed([...store.images.values()], call)],
    [
      /GET/,
      /^api\/v0\/m\/datasets\/(\d+)\/images\/$/,
      'api',
      ([id], call) =>
        listed(
          [...store.images.values()].filter(({ dataset }) => dataset === Number(id)),
          call,
        ),
    ],
    [
      /GET/,
      /^api\/v0\/m\/wells\/(\d+)\/$/,
      'api',
      ([id]) => {
        const found = well(Number(id));
        return found
          ? api({ data: found })
          : api({ message: `Well ${id} not found`, stacktrace: STACK }, 404);
      },
    ],
    [
      /GET/,
      /^api\/v0\/m\/rois\/$/,
      'api',
      (_, { query, base }) =>
        page(
          store.roisOf(Number(query.get('image'))).map((roi) => encodeRoi(store, roi, base)),
          query,
        ),
    ],
    [
      /GET/,
      /^api\/v0\/m\/images\/(\d+)\/rois\/$/,
      'api',
      ([id], { query, base }) =>
        page(
          store.roisOf(Number(id)).map((roi) => encodeRoi(store, roi, base)),
          query,
        ),
    ],
    [
      /DELETE/,
      /^api\/v0\/m\/rois\/(\d+)\/$/,
      'api',
      ([id], { base, session }) => {
        const roi = store.rois.get(Number(id));
        if (!roi) return api({ message: `ROI ${id} not found`, stacktrace: STACK }, 404);
        if (roi.owner !== session?.userId)
          return api({ message: 'SecurityViolation: cannot delete', stacktrace: STACK }, 403);
        store.rois.delete(roi.id);
        return api({ data: encodeRoi(store, roi, base, false) });
      },
    ],
    [
      /POST/,
      /^api\/v0\/m\/save\/$/,
      'api',
      (_, { body }) => {
        const kind = String((JSON.parse(body.toString()) as { '@type'?: string })['@type']).split('#')[1];
        return api({ message: `Creation of ${kind} not supported`, stacktrace: STACK }, 405);
      },
    ],

    [
      /GET/,
      /^webgateway\/imgData\/(\d+)\/$/,
      'page',
      ([id]) => {
        const image = imageOf(id);
        if (!image) return html(404);
        if (image.busy) {
          image.busy--;
          return json({ ConcurrencyException: { backOff: 50 } });
        }
        return json(imgData(image));
      },
    ],
    [
      /GET/,
      /^webgateway\/render_ome_tiff\/i\/(\d+)\/$/,
      'page',
      ([id], { query }) => {
        const image = imageOf(id);
        const possible =
          image &&
          options.omeTiff !== false &&
          !image.levels &&
          image.shape.slice(0, 3).every((n) => n === 1);
        if (query.get('dryrun'))
          return { headers: { 'Content-Type': 'application/javascript' }, body: possible ? '1' : '0' };
        if (!image || !possible) return html(404);
        return { headers: { 'Content-Type': 'image/tiff' }, body: omeTiff(image) };
      },
    ],
    [
      /GET/,
      /^webgateway\/original_file_paths\/(\d+)\/$/,
      'page',
      ([id]) => {
        const original = imageOf(id)?.original;
        if (!original) return json({});
        const repo = [`user-1_2/2026-01/02/03-04-05.678/${original.name}`];
        return json({ repo, client: [`home/user-1/${original.name}`], fileset: { id: 5 } });
      },
    ],
    [
      /GET/,
      /^webgateway\/archived_files\/download\/(\d+)\/$/,
      'page',
      ([id]) => {
        const original = imageOf(id)?.original;
        if (!original) return html(404);
        const headers = {
          'Content-Type': 'application/octet-stream',
          'Content-Disposition': `attachment; filename=${original.name}`,
        };
        return { headers, body: original.bytes };
      },
    ],
    [
      /GET/,
      /^webgateway\/render_image_region\/(\d+)\/(\d+)\/(\d+)\/$/,
      'page',
      ([id, z, t], { query }) => region(imageOf(id), Number(z), Number(t), query),
    ],
    [
      /GET/,
      /^webgateway\/render_shape_mask\/(\d+)\/$/,
      'page',
      ([id]) => {
        const shape = [...store.rois.values()]
          .flatMap((roi) => roi.shapes)
          .find((other) => other['@id'] === Number(id));
        if (!shape || typeof shape.bytes !== 'string') return html(404);
        const [width, height] = [Number(shape.Width), Number(shape.Height)];
        const bits = Buffer.from(shape.bytes, 'base64');
        const data = new Uint8Array(width * height * 4);
        for (let k = 0; k < width * height; k++)
          if (bits[k >> 3] & (0x80 >> (k & 7))) data.set([255, 0, 0, 128], k * 4);
        return {
          headers: { 'Content-Type': 'image/png' },
          body: encodePng({ width, height, data, channels: 4 }),
        };
      },
    ],
    [
      /GET/,
      /^webgateway\/open_with\/$/,
      'open',
      () =>
        json({
          open_with_options: [
            {
              id: 'Cytopane',
              // As the administrator wrote it: an address with a query where OMERO.web has a prefix.
              url: `/static/cytopane/omero/index.html${prefix === '/' ? '' : `?server=${prefix}`}`,
              supported_objects: ['images', 'dataset', 'well'],
              target: '_blank',
              script_url: '/static/cytopane/omero/openwith.js',
              label: 'Cytopane',
            },
          ],
        }),
    ],

    [
      /GET/,
      /^webclient\/$/,
      'page',
      () => ({ headers: { 'Content-Type': 'text/html; charset=utf-8' }, body: webclientPage }),
    ],
    [/GET/, /^webclient\/keepalive_ping\/$/, 'page', () => ({ body: 'OK' })],
    [
      /GET/,
      /^webclient\/login\/$/,
      'open',
      () => ({
        headers: { 'Content-Type': 'text/html' },
        body: '<!DOCTYPE html><html><body>OMERO login</body></html>',
      }),
    ],
    [
      /POST/,
      /^webclient\/annotate_map\/$/,
      'page',
      (_, call) => annotateMap(new URLSearchParams(call.body.toString()), call),
    ],
    [/POST/, /^webclient\/annotate_file\/$/, 'page', (_, call) => annotateFile(call)],
    [
      /GET/,
      /^webclient\/api\/annotations\/$/,
      'page',
      (_, { query, session }) => json(annotations(query, session)),
    ],
    [
      /GET/,
      /^webclient\/annotation\/(\d+)\/$/,
      'page',
      ([id]) => {
        const file = store.annotations.get(Number(id))?.file;
        return file ? { headers: { 'Content-Type': file.type }, body: file.bytes } : html(404);
      },
    ],
    [
      /POST/,
      /^webclient\/action\/delete\/file\/(\d+)\/$/,
      'page',
      ([id], { session }) => {
        const annotation = store.annotations.get(Number(id));
        if (annotation?.kind !== 'file') return json({ bad: 'true', errs: 'object does not exist' });
        if (annotation.owner !== session?.userId) return json({ bad: 'true', errs: 'SecurityViolation' });
        store.annotations.delete(annotation.id);
        return json({ bad: 'false' });
      },
    ],
  ];
  if (iviewer) {
    routes.push(
      [
        /GET/,
        /^iviewer\/image_data\/(\d+)\/$/,
        'page',
        ([id]) => {
          const image = imageOf(id);
          return image
            ? json({ ...imgData(image), roi_count: store.roisOf(image.id).length })
            : json({ error: 'Image not found' }, 404);
        },
      ],
      [
        /GET/,
        /^iviewer\/shape_stats\/$/,
        'page',
        (_, { query }) => {
          const wanted = new Set((query.get('ids') ?? '').split(',').map(Number));
          const found = [...store.rois.values()].flatMap(({ imageId, shapes }) =>
            shapes.map((shape) => ({ imageId, shape })),
          );
          const points = found
            .filter(({ shape }) => wanted.has(shape['@id']))
            .map(({ imageId, shape }) => {
              const [, , , ny, nx] = store.images.get(imageId)!.shape;
              return [shape['@id'], [{ index: 0, points: polygonPixels(shape, nx, ny) }]];
            });
          return json(Object.fromEntries(points));
        },
      ],
      [/.*/, /^iviewer\/persist_rois\/$/, 'page', (_, call) => json(persistRois(call))],
    );
  }
  if (options.webZarr) routes.push(...webZarrRoutes(imageOf));
  if (options.plugin === true) routes.push(...pluginRoutes());
  if (options.pixelBuffer) {
    const told = json({ provider: 'PixelBufferMicroservice', version: '0.9.0', features: [] });
    routes.push(
      [/OPTIONS/, /^tile\//, 'open', () => told],
      [
        /GET/,
        /^tile\/(\d+)\/(\d+)\/(\d+)\/(\d+)$/,
        'page',
        ([id, z, c, t], { query }) => {
          const image = imageOf(id);
          if (!image) return { status: 404, body: '' };
          const [level, x, y, w, h] = ['resolution', 'x', 'y', 'w', 'h'].map((name) =>
            Number(query.get(name) ?? 0),
          );
          const last = (image.levels ?? 1) - 1;
          // An absent length is that of the full image, whatever the level.
          const place = { x, y, w: w || image.shape[4], h: h || image.shape[3] };
          return raw(image, {
            level: query.has('resolution') ? last - level : 0,
            t: Number(t),
            c: Number(c),
            z: Number(z),
            ...place,
          });
        },
      ],
    );
  }
  return routes;

  function raw(image: StoredImage, request: Parameters<typeof bigEndianTile>[1]): Answer {
    try {
      return { headers: { 'Content-Type': 'application/octet-stream' }, body: bigEndianTile(image, request) };
    } catch (error) {
      if (error instanceof OutOfRange) return { status: 404, body: '' };
      throw error;
    }
  }

  function region(image: StoredImage | undefined, z: number, t: number, query: URLSearchParams): Answer {
    if (!image) return html(404);
    const [, , , ny, nx] = image.shape;
    const bad = (message: string): Answer => ({ status: 400, body: message });
    let place = { level: 0, x: 0, y: 0, w: nx, h: ny };
    const tile = query.get('tile')?.split(',').map(Number);
    const wanted = query.get('region')?.split(',').map(Number);
    if (tile) {
      const [level, tx, ty, w = 256, h = 256] = tile;
      if (level > 0 && !image.levels) return bad('level on an image without a pyramid');
      place = {
        level,
        x: tx * Math.min(w, 1024),
        y: ty * Math.min(h, 1024),
        w: Math.min(w, 1024),
        h: Math.min(h, 1024),
      };
    } else if (wanted) place = { level: 0, x: wanted[0], y: wanted[1], w: wanted[2], h: wanted[3] };
    else return bad('tile or region argument required');
    const [height, width] = [ny >> place.level, nx >> place.level];
    const size = { w: Math.min(place.w, width - place.x), h: Math.min(place.h, height - place.y) };
    // One channel in grey: `c=2|100:500$FFFFFF,-1`.
    const shown = /(?:^|,)(\d+)\|(-?[\d.]+):(-?[\d.]+)\$FFFFFF/.exec(query.get('c') ?? '');
    const channel = shown ? Number(shown[1]) - 1 : 0;
    const window = shown ? ([Number(shown[2]), Number(shown[3])] as const) : image.channels[0].window;
    try {
      const body = jpeg(image, { ...place, ...size, t, z, c: channel }, window);
      return { headers: { 'Content-Type': 'image/jpeg' }, body };
    } catch (error) {
      if (error instanceof OutOfRange) return html(404);
      throw error;
    }
  }

  /** One transaction for all new shapes, each a ROI of its own; status 200 whatever happens. */
  function persistRois({ method, body, session }: Call): { ids?: Record<string, string>; errors?: string[] } {
    if (method !== 'POST') return { errors: ['Use HTTP POST to send data!'] };
    if (body.length > BODY_LIMIT)
      return {
        errors: [
          "Failed to load json: RequestDataTooBig('Request body exceeded settings.DATA_UPLOAD_MAX_MEMORY_SIZE.')",
        ],
      };
    let sent: {
      imageId?: number;
      rois?: {
        new?: StoredShape[];
        empty_rois?: Record<string, string[]>;
        deleted?: Record<string, string[]>;
      };
    };
    try {
      sent = JSON.parse(body.toString());
    } catch {
      return {
        errors: ["Failed to load json: JSONDecodeError('Expecting value: line 1 column 1 (char 0)')"],
      };
    }
    if (!sent.imageId) return { errors: ['No image id provided!'] };
    if (!sent.rois) return { errors: ['Could not find rois object!'] };
    const image = store.images.get(sent.imageId);
    if (!image) return { errors: ['Could not find associated image!'] };
    const ids: Record<string, string> = {};
    const errors: string[] = [];
    const added = sent.rois.new ?? [];
    const colors = added.flatMap(({ FillColor, StrokeColor }) => [
      Number(FillColor ?? 0),
      Number(StrokeColor ?? 0),
    ]);
    if (added.length > 0 && !image.canAnnotate) {
      errors.push('Error persisting new rois: exception ::omero::SecurityViolation\n{ … message = … }');
    } else if (colors.some((value) => value < -(2 ** 31) || value > 2 ** 31 - 1)) {
      errors.push("Error persisting new rois: ValueError('value out of range')");
    } else {
      const stored = added.map((shape) => {
        const roi = {
          id: store.id(),
          imageId: image.id,
          owner: session?.userId ?? 0,
          shapes: [] as StoredShape[],
        };
        const { oldId, ...rest } = shape;
        roi.shapes.push({ ...rest, '@id': store.id() });
        store.rois.set(roi.id, roi);
        return { oldId, roi };
      });
      // The answer is put together after the transaction.
      for (const { oldId, roi } of stored) {
        if (oldId === undefined) {
          errors.push("Error persisting new rois: KeyError('oldId')");
          break;
        }
        ids[String(oldId)] = `${roi.id}:${roi.shapes[0]['@id']}`;
      }
    }
    for (const [roiId, shapes] of Object.entries(sent.rois.empty_rois ?? {})) {
      const roi = store.rois.get(Number(roiId));
      if (roi && roi.owner !== session?.userId) {
        errors.push('Error persisting empty rois: exception ::omero::SecurityViolation');
        break;
      }
      store.rois.delete(Number(roiId));
      for (const id of shapes) ids[id] = id;
    }
    return errors.length > 0 ? { ids, errors } : { ids };
  }

  function annotateMap(form: URLSearchParams, { session }: Call): Answer {
    const image = store.images.get(Number(form.get('image')));
    if (!image) return html(404);
    if (!image.canAnnotate)
      return {
        status: 403,
        body: JSON.stringify({ message: 'SecurityViolation: cannot annotate', stacktrace: STACK }),
      };
    const values = JSON.parse(form.get('mapAnnotation') ?? '[]') as Array<[string, string]>;
    const existing = store.annotations.get(Number(form.get('annId')));
    if (values.length === 0) {
      if (existing) store.annotations.delete(existing.id);
      return json({ annId: [] });
    }
    const annotation = existing ?? {
      id: store.id(),
      kind: 'map' as const,
      imageId: image.id,
      ns: form.get('ns'),
      owner: session?.userId ?? 0,
    };
    annotation.values = values;
    store.annotations.set(annotation.id, annotation);
    return json({ annId: existing ? annotation.id : [annotation.id] });
  }

  async function annotateFile({ body, type, session }: Call): Promise<Answer> {
    const form = await new Response(new Uint8Array(body), { headers: { 'Content-Type': type } }).formData();
    const image = store.images.get(Number(form.get('image')));
    if (!image)
      return { headers: { 'Content-Type': 'text/html' }, body: '<ul class="errorlist"><li>image</li></ul>' };
    if (!image.canAnnotate)
      return {
        status: 403,
        body: JSON.stringify({ message: 'SecurityViolation: cannot annotate', stacktrace: STACK }),
      };
    const ids: number[] = [];
    for (const file of form.getAll('annotation_file') as File[]) {
      const bytes = new Uint8Array(await file.arrayBuffer());
      const id = store.id();
      store.annotations.set(id, {
        id,
        kind: 'file',
        imageId: image.id,
        ns: null,
        owner: session?.userId ?? 0,
        file: { id: store.id(), name: file.name, type: file.type, bytes },
      });
      ids.push(id);
    }
    return json({ fileIds: ids });
  }

  function annotations(query: URLSearchParams, session: Session | undefined) {
    const found = [...store.annotations.values()].filter(
      ({ kind, imageId, ns }) =>
        kind === query.get('type') &&
        imageId === Number(query.get('image')) &&
        (!query.get('ns') || ns === query.get('ns')),
    );
    return {
      annotations: found.map(({ id, ns, kind, owner, values, file }) => ({
        id,
        ns,
        name: null,
        description: null,
        owner: { id: owner },
        date: '2026-01-02T03:04:05Z',
        permissions: {
          canDelete: owner === session?.userId,
          canAnnotate: true,
          canLink: true,
          canEdit: owner === session?.userId,
        },
        class: kind === 'map' ? 'MapAnnotationI' : 'FileAnnotationI',
        ...(values ? { values } : {}),
        ...(file
          ? { file: { id: file.id, name: file.name, size: file.bytes.length, path: '', mimetype: file.type } }
          : {}),
      })),
      experimenters: store.users.map(({ id, name, first, last }) => ({
        id,
        omeName: name,
        firstName: first,
        lastName: last,
      })),
    };
  }

  /** The plug-in's answers; its own tests hold the real views to the same shapes. */
  function pluginRoutes(): Route[] {
    return [
      [
        /GET/,
        /^cytopane\/capabilities\/$/,
        'open',
        () => json({ provider: 'omero-cytopane', version: '0.1.0', features: ['tiles', 'rois'] }),
      ],
      [
        /GET/,
        /^cytopane\/tile\/(\d+)\/(\d+)\/(\d+)\/(\d+)\/$/,
        'page',
        ([id, z, c, t], { query }) => {
          const image = imageOf(id);
          if (!image) return { status: 404, body: '' };
          const [level, x, y, w, h] = ['level', 'x', 'y', 'w', 'h'].map((name) =>
            Number(query.get(name) ?? 0),
          );
          return raw(image, { level, x, y, w, h, t: Number(t), c: Number(c), z: Number(z) });
        },
      ],
      [
        /POST/,
        /^cytopane\/rois\/(\d+)\/$/,
        'page',
        ([id], { body, session }) => {
          const image = imageOf(id);
          if (!image) return json({ message: `Image ${id} not found` }, 404);
          if (!image.canAnnotate) return json({ message: 'You may not annotate this image' }, 403);
          if (body.length > BODY_LIMIT)
            return json({ message: 'Request body exceeded settings.DATA_UPLOAD_MAX_MEMORY_SIZE.' }, 413);
          type Mask = {
            z: number;
            t: number;
            x: number;
            y: number;
            width: number;
            height: number;
            bits: string;
          };
          const { rois } = JSON.parse(body.toString()) as {
            rois: Array<{ name: string; fillColor: number; shapes: Mask[] }>;
          };
          const ids = rois.map(({ name, fillColor, shapes }) => {
            const roi = {
              id: store.id(),
              imageId: image.id,
              name,
              owner: session?.userId ?? 0,
              shapes: [] as StoredShape[],
            };
            roi.shapes = shapes.map(({ z, t, x, y, width, height, bits }) => ({
              '@id': store.id(),
              '@type': 'http://www.openmicroscopy.org/Schemas/OME/2016-06#Mask',
              TheZ: z,
              TheT: t,
              X: x,
              Y: y,
              Width: width,
              Height: height,
              FillColor: fillColor,
              Text: name,
              bytes: bits,
            }));
            store.rois.set(roi.id, roi);
            return roi.id;
          });
          return json({ ids });
        },
      ],
    ];
  }
}
