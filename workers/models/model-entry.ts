import type { ModelCard } from '../segmentation/network/model-card.ts';
import { weightsSize } from '../segmentation/network/model-card.ts';
import type { NetworkSides } from '../segmentation/run-plan.ts';

/** A model as a user chooses it. */
export interface ModelEntry {
  /** By which a run names it. For a remote model its address. */
  id: string;
  name: string;
  description: string;
  version: string;
  /** SPDX identifier or words; empty if the card has none. */
  license: string;
  /** What to know before using it, for example "for research only". */
  notice?: string;
  /** Bytes: the download for a remote model, the room taken for a stored one. */
  size?: number;
  /** Cell diameters in pixels it was made for. */
  diameter: { mean: number; min: number; max: number };
  /** Tiles it takes. */
  network: NetworkSides;
  /** Shipped with the package, kept on this device, or still on a server. */
  state: 'built-in' | 'stored' | 'remote';
  /** Address or file name it came from. */
  origin: string;
  /** Whether runs take it if none is named. */
  isDefault: boolean;
}

/** An entry of a card. */
export function entryOf(
  card: ModelCard,
  place: Pick<ModelEntry, 'id' | 'state' | 'origin'> & { isDefault?: boolean; size?: number },
): ModelEntry {
  const { name, description, version, license, notice, diameter, tile, sides } = card;
  const size = place.size ?? weightsSize(card);
  return {
    name,
    description,
    version,
    license,
    diameter,
    network: { tile, ...(sides ? { sides } : {}) },
    isDefault: false,
    ...place,
    ...(notice === undefined ? {} : { notice }),
    ...(size === undefined ? {} : { size }),
  };
}
