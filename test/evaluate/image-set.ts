import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { openImage } from '../../workers/io/open.ts';

/** Addresses of an image and its mask on the page's server. */
export interface Addresses {
  image: string;
  mask: string;
}

const stem = (file: string) => file.replace(/(\.ome)?\.(tiff?|\w+)$/i, '');

/** At most so many of a list, evenly spread over it. */
export function spread<T>(list: readonly T[], most: number): T[] {
  const count = Math.min(most, list.length);
  return Array.from({ length: count }, (_, k) => list[Math.floor((k * list.length) / count)]);
}

function listed(option: string): string[] {
  const at = option.lastIndexOf(':');
  const parsed = JSON.parse(readFileSync(option.slice(0, at), 'utf8')) as Record<string, string[]>;
  return parsed[option.slice(at + 1)].map(stem);
}

/** Images with masks of the same name, to be served to the page. */
export class ImageSet {
  readonly #images: Map<string, string>;
  readonly #masks: Map<string, string>;
  readonly #folders: { images: string; masks: string };
  /** Address prefix. */
  readonly #prefix: string;

  /** @param prefix address below which the set is served, with a final slash; no other set has it */
  constructor(images: string, masks: string, prefix: string) {
    const byStem = (folder: string) => new Map(readdirSync(folder).map((file) => [stem(file), file]));
    this.#prefix = prefix;
    this.#folders = { images: `${resolve(images)}/`, masks: `${resolve(masks)}/` };
    this.#images = byStem(images);
    this.#masks = byStem(masks);
  }

  /** What a server has to serve: address prefix → folder. */
  get mounts(): Record<string, string> {
    return {
      [`${this.#prefix}images/`]: this.#folders.images,
      [`${this.#prefix}masks/`]: this.#folders.masks,
    };
  }

  /** Those of the listed images that have cells. @param list `FILE.json:KEY`; absent: all */
  async usable(list?: string): Promise<string[]> {
    const names = list ? listed(list) : [...this.#images.keys()].sort();
    const checks = await Promise.all(names.map((name) => this.#hasCells(name)));
    return names.filter((_, i) => checks[i]);
  }

  addresses(names: readonly string[]): Addresses[] {
    return names.map((name) => ({
      image: `${this.#prefix}images/${encodeURIComponent(this.#images.get(name) ?? '')}`,
      mask: `${this.#prefix}masks/${encodeURIComponent(this.#masks.get(name) ?? '')}`,
    }));
  }

  async #hasCells(name: string): Promise<boolean> {
    const file = this.#masks.get(name);
    if (!file || !this.#images.has(name)) return false;
    const blob = new Blob([readFileSync(`${this.#folders.masks}${file}`)]);
    const volume = await (await openImage({ name: file, path: file, blob })).readVolume();
    return volume.data.some((label) => label > 0);
  }
}
