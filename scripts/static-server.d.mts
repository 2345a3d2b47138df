/** A running server. */
export interface StaticServer {
  origin: string;
  close(): Promise<void>;
}
/** Serves a folder, or address prefixes → folders; port 0 takes any free one. */
export function startServer(
  roots: string | Record<string, string>,
  options?: { port?: number; isolated?: boolean; headers?: Record<string, string> },
): Promise<StaticServer>;
