import type { TaskOptions } from '../progress.ts';
import type { OmeroConnection } from './connection.ts';

/** What the optional plug-in `omero-cytopane` offers on a server; all false where it is not installed. */
export interface PluginCapabilities {
  /** Raw tiles. */
  tiles: boolean;
  /** ROIs of several planes, with masks. */
  rois: boolean;
}

const known = new WeakMap<OmeroConnection, Promise<PluginCapabilities>>();

/** Asks once per connection. */
export function pluginCapabilities(
  connection: OmeroConnection,
  options: TaskOptions = {},
): Promise<PluginCapabilities> {
  const asked = known.get(connection) ?? ask(connection, options);
  known.set(connection, asked);
  asked.catch(() => known.delete(connection));
  return asked;
}

async function ask(connection: OmeroConnection, options: TaskOptions): Promise<PluginCapabilities> {
  const answer = await connection.offers('cytopane/capabilities/', options);
  const told = (await answer?.json().catch(() => undefined)) as
    | { provider?: string; features?: unknown }
    | undefined;
  const features = told?.provider === 'omero-cytopane' && Array.isArray(told.features) ? told.features : [];
  return { tiles: features.includes('tiles'), rois: features.includes('rois') };
}
