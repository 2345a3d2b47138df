/**
 * How points that are on their way together are looked at, in a plane and in a volume alike: after every block of steps,
 * against the states that they had at the last renewal.
 */

/** Steps between two looks at where points are. */
export const BLOCK: i32 = 4;
/** Blocks after which the states to come back to are renewed. */
export const RENEWAL = 16;
/** Steps left of a lane without a point. */
export const IDLE: i32 = 0x7fffffff;
/** Bytes of the states of all lanes; as many more hold the states to come back to. */
export const KEPT: usize = 64;

/** Renews the states to come back to. */
// @ts-ignore: decorator
@inline
export function keepStates(scratch: usize): void {
  for (let k: usize = 0; k < KEPT; k += 16) v128.store(scratch + k, v128.load(scratch + k), KEPT);
}
