/** An id that no other model has: the name in plain letters and the time. */
export function modelId(name: string, now = new Date()): string {
  const plain = name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 40);
  return `${plain || 'model'}-${now.toISOString().replace(/\D/g, '').slice(0, 14)}`;
}
