/**
 * Cycles that points have been seen in. A point's way in float32 is eventually periodic, and all points of a cell end
 * in a few cycles: a point that meets a state of a known cycle is done, since the cycle tells where it is after the
 * steps that are left. Exact; what does not fit is forgotten, which costs steps only.
 *
 * Layout of a table, one per thread, zeros at first: number of states ever kept; sets of two keys; for each key the
 * number of the first state of its cycle, its place in the cycle and the period; a ring of states.
 */

const SETS_BITS: u64 = 12;
const KEYS: usize = 16;
const PLACES: usize = KEYS + (16 << (SETS_BITS as usize));
const RING: usize = PLACES + (16 << (SETS_BITS as usize));
const RING_STATES: u32 = 4096;
/** Bytes of a table; kernel-job.ts makes the room. */
export const TABLE_BYTES: usize = RING + ((RING_STATES as usize) << 4);

/** A cycle of more states than this is not kept. */
export const LONGEST_CYCLE: u32 = 64;

// @ts-ignore: decorator
@inline
function setOf(key: u64): usize {
  return (((key * 0x9e3779b97f4a7c15) >> (64 - SETS_BITS)) as usize) << 4;
}

/** Whether a state with this key may be known: never false for one that is. */
// @ts-ignore: decorator
@inline
export function mayRecall(table: usize, key: u64): bool {
  return v128.any_true(i64x2.eq(v128.load(table + setOf(key), KEYS), i64x2.splat(key as i64)));
}

/** Address of the state [f32 × 4] that the one at address `state` comes to after `left` steps; 0 if it is not known. */
export function recall(table: usize, key: u64, state: usize, left: u32): usize {
  const set = table + setOf(key);
  for (let way: usize = 0; way < 16; way += 8) {
    if (load<u64>(set + way, KEYS) != key) continue;
    const first = load<u32>(set + way, PLACES);
    const place = load<u16>(set + way, PLACES + 4) as u32;
    const period = load<u16>(set + way, PLACES + 6) as u32;
    // Later cycles may have taken the place of this one in the ring.
    if (period == 0 || load<u32>(table) - first > RING_STATES) continue;
    if (i32x4.all_true(i32x4.eq(v128.load(ringAt(table, first + place)), v128.load(state))))
      return ringAt(table, first + (period == 1 ? place : (place + left) % period));
  }
  return 0;
}

// @ts-ignore: decorator
@inline
export function ringAt(table: usize, number: u32): usize {
  return table + RING + (((number & (RING_STATES - 1)) as usize) << 4);
}

/** Makes the last `period` states that were put into the ring known; `keyOf` their keys. */
export function rememberKey(table: usize, key: u64, first: u32, place: u32, period: u32): void {
  const set = table + setOf(key);
  // The older of the two makes room; both are empty at first.
  const now = load<u32>(table);
  const age0 = now - load<u32>(set, PLACES);
  const age1 = now - load<u32>(set, PLACES + 8);
  const empty0 = load<u16>(set, PLACES + 6) == 0;
  const empty1 = load<u16>(set, PLACES + 14) == 0;
  const way: usize = empty0 || (!empty1 && age0 > age1) ? 0 : 8;
  store<u64>(set + way, key, KEYS);
  store<u32>(set + way, first, PLACES);
  store<u16>(set + way, place as u16, PLACES + 4);
  store<u16>(set + way, period as u16, PLACES + 6);
}
