// Two servers on sharp: one decodes its layers for every request, one keeps them raw at output size.
//
// The rule: what sharp's documentation advises. libvips' operation cache is off, as no request is
// like another; a picture is drawn by one thread and there is one such thread for each core
// (UV_THREADPOOL_SIZE), which gives the most pictures a second; the allocator is jemalloc where the
// machine has it, as the pages on installation and performance advise on glibc.
//
//   node sharp_server.mjs PORT LAYERS decode|raw PROFILES

import http from "node:http";
import { createRequire } from "node:module";
import path from "node:path";

const sharp = createRequire(path.join(process.cwd(), "package.json"))("sharp");
const [port, layers, mode, profiles] = process.argv.slice(2);
const { webp, avif } = JSON.parse(profiles);

sharp.cache(false);
sharp.concurrency(1);

const kept = new Map();
const TYPES = { webp: "image/webp", avif: "image/avif", png: "image/png" };
const ENCODERS = {
  webp: (image) => image.webp({ quality: webp.quality, effort: webp.effort }),
  avif: (image) =>
    image.avif({
      quality: avif.quality,
      effort: avif.effort,
      chromaSubsampling: "4:4:4",
      tune: "iq",
    }),
  png: (image) => image.png(),
};

async function scale(name, side) {
  const { data, info } = await sharp(path.join(layers, `${name}.png`))
    .resize(side, side)
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { input: data, raw: { width: info.width, height: info.height, channels: info.channels } };
}

// The promise is kept, so that two requests do not scale one layer twice.
function layerOf(name, side) {
  if (mode === "decode") return scale(name, side);
  const key = `${name}@${side}`;
  if (!kept.has(key)) kept.set(key, scale(name, side));
  return kept.get(key);
}

async function draw(names, side, format) {
  const [ground, ...others] = await Promise.all(names.map((name) => layerOf(name, side)));
  const picture = sharp(ground.input, { raw: ground.raw }).composite(others);
  return ENCODERS[format](picture).toBuffer();
}

// /512.webp?ground-3,shadow,band-1,prongs-1,stone-7,sparkle
const server = http.createServer(async (request, response) => {
  try {
    const [, side, format, names] = /^\/(\d+)\.(\w+)\?(.*)$/.exec(request.url) ?? [];
    if (!side) {
      response.writeHead(request.url === "/ready" ? 200 : 404, { "content-length": 0 });
      return response.end();
    }
    const body = await draw(names.split(","), Number(side), format);
    response.writeHead(200, { "content-type": TYPES[format], "content-length": body.length });
    response.end(body);
  } catch (error) {
    response.writeHead(500, { "content-length": Buffer.byteLength(String(error)) });
    response.end(String(error));
  }
});

server.keepAliveTimeout = 60_000;
server.listen(Number(port), "127.0.0.1");
