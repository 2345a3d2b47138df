import { randomBytes } from 'node:crypto';
import type { VolumeData } from '../../core/volume.ts';

/** An image of the test server. */
export interface StoredImage {
  id: number;
  name: string;
  /** [t, c, z, y, x] */
  shape: [number, number, number, number, number];
  type: 'uint8' | 'uint16' | 'float';
  data: VolumeData;
  /** OMERO's unit name and the lengths z, y, x in it; none for images without a size. */
  size?: { unit: string; symbol: string; z: number; y: number; x: number };
  channels: Array<{ name: string; color: string; window: [number, number] }>;
  /** Kept as a pyramid: lengths [y, x] of each level are halves. */
  levels?: number;
  canAnnotate: boolean;
  externalInfo?: { EntityType: string; EntityId: number; Lsid: string };
  dataset: number;
  wellSample?: { well: number; row: number; column: number };
  /** Busy answers that imgData gives before it answers. */
  busy?: number;
  /** The imported file, offered for download. */
  original?: { name: string; bytes: Uint8Array };
}

export interface StoredShape extends Record<string, unknown> {
  '@id': number;
  '@type': string;
}

export interface StoredRoi {
  id: number;
  imageId: number;
  name?: string;
  shapes: StoredShape[];
  owner: number;
}

export interface StoredAnnotation {
  id: number;
  kind: 'map' | 'file';
  imageId: number;
  ns: string | null;
  owner: number;
  values?: Array<[string, string]>;
  file?: { id: number; name: string; type: string; bytes: Uint8Array };
}

export interface Session {
  id: string;
  csrf: string;
  userId: number;
  expires: number;
}

/** How an installation differs from a plain one. */
export interface OmeroServerOptions {
  /** Path of OMERO.web, with slashes at both ends. */
  prefix?: string;
  iviewer?: boolean;
  pixelBuffer?: boolean;
  /** The app `omero-web-zarr`. */
  webZarr?: boolean;
  omeTiff?: boolean;
  /** Stands in for the plug-in's views, with the shapes of its answers; an origin: they are asked for there. */
  plugin?: boolean | string;
  /** Anonymous visitors may read. */
  publicUser?: boolean;
  maxLimit?: number;
  /** Milliseconds before every answer. */
  delay?: number;
  /** Folders served as static files: address prefix → folder. */
  mounts?: Record<string, string>;
}

/** All that the test server keeps. */
export class OmeroStore {
  readonly users = [
    { id: 2, name: 'user-1', first: 'Uma', last: 'Ser', password: 'secret' },
    { id: 4, name: 'user-2', first: 'Otto', last: 'Mer', password: 'secret' },
  ];
  readonly images = new Map<number, StoredImage>();
  readonly rois = new Map<number, StoredRoi>();
  readonly annotations = new Map<number, StoredAnnotation>();
  readonly sessions = new Map<string, Session>();
  #next = 501;

  id(): number {
    return this.#next++;
  }

  newSession(userId: number): Session {
    // Of the length and letters of Django's tokens.
    const text = () => randomBytes(16).toString('hex');
    const session = { id: text(), csrf: text(), userId, expires: Number.POSITIVE_INFINITY };
    this.sessions.set(session.id, session);
    return session;
  }

  roisOf(imageId: number): StoredRoi[] {
    return [...this.rois.values()].filter((roi) => roi.imageId === imageId).sort((a, b) => a.id - b.id);
  }
}
