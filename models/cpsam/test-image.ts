/**
 * A made-up image to check a network with: bright discs on a dark, uneven ground, of other sizes in each channel.
 * The same for the same side, on every machine.
 * @returns Float32 [1, 3, side, side], about 0 … 1
 */
export function testImage(side: number): Float32Array<ArrayBuffer> {
  const image = new Float32Array(3 * side * side);
  let seed = 20250401;
  // Lehmer's generator of random numbers: whole numbers only, so that every machine draws the same.
  const random = () => {
    seed = (seed * 48271) % 2147483647;
    return seed / 2147483647;
  };
  for (let channel = 0; channel < 3; channel++) {
    const plane = image.subarray(channel * side * side, (channel + 1) * side * side);
    for (let i = 0; i < plane.length; i++) plane[i] = 0.1 * random() + (0.1 * (i % side)) / side;
    for (let disc = 0; disc < 24; disc++) {
      const [y, x] = [random() * side, random() * side];
      const radius = (0.02 + 0.04 * random()) * side;
      const bright = 0.4 + 0.6 * random();
      for (let row = Math.max(0, Math.ceil(y - radius)); row <= Math.min(side - 1, y + radius); row++) {
        for (
          let column = Math.max(0, Math.ceil(x - radius));
          column <= Math.min(side - 1, x + radius);
          column++
        ) {
          const square = ((row - y) ** 2 + (column - x) ** 2) / radius ** 2;
          if (square < 1) plane[row * side + column] += bright * (1 - square * square);
        }
      }
    }
  }
  return image;
}
