// ThumbHash (Evan Wallace), the opaque part: a few cosine waves of light and two of colour.
export function drawPlaceholder(hash, canvas) {
  const bytes = Uint8Array.from(atob(hash), (character) => character.charCodeAt(0));
  const head = bytes[0] | (bytes[1] << 8) | (bytes[2] << 16);
  const tail = bytes[3] | (bytes[4] << 8);
  const wide = tail >> 15;
  const waves = [Math.max(3, wide ? 7 : tail & 7), Math.max(3, wide ? tail & 7 : 7)];
  let at = 0;
  const channel = (across, down, level, scale) => {
    const terms = [[0, 0, level]];
    for (let y = 0; y < down; y++) {
      for (let x = y ? 0 : 1; x * down < across * (down - y); x++) {
        const nibble = (bytes[5 + (at >> 1)] >> ((at++ & 1) << 2)) & 15;
        terms.push([x, y, (nibble / 7.5 - 1) * scale * 2]);
      }
    }
    return terms;
  };
  const light = channel(...waves, (head & 63) / 63, ((head >> 18) & 31) / 31);
  const yellow = channel(3, 3, ((head >> 6) & 63) / 31.5 - 1, (((tail >> 3) & 63) / 63) * 1.25);
  const red = channel(3, 3, ((head >> 12) & 63) / 31.5 - 1, (((tail >> 9) & 63) / 63) * 1.25);
  const context = canvas.getContext("2d");
  const { width, height } = canvas;
  const pixels = context.createImageData(width, height);
  const sum = (terms, x, y) =>
    terms.reduce(
      (total, [across, down, weight]) =>
        total +
        weight *
          Math.cos((Math.PI / width) * (x + 0.5) * across) *
          Math.cos((Math.PI / height) * (y + 0.5) * down),
      0,
    );
  for (let index = 0; index < width * height; index++) {
    const [x, y] = [index % width, Math.floor(index / width)];
    const [l, p, q] = [sum(light, x, y), sum(yellow, x, y), sum(red, x, y)];
    const blue = l - (2 / 3) * p;
    const scarlet = (3 * l - blue + q) / 2;
    pixels.data.set([scarlet * 255, (scarlet - q) * 255, blue * 255, 255], index * 4);
  }
  context.putImageData(pixels, 0, 0);
}
