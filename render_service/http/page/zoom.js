// Deep zoom: the picture shown, as large as its art, in tiles of the IIIF Image API. The viewer,
// OpenSeadragon, is loaded when somebody first asks for it.

const VIEWER = "/openseadragon.min.js";
// Pixels of the screen that a pixel of the art may take: beyond two there is nothing more to see.
const LARGEST = 2;
const STEP = 1.6;
// How much closer a click on the picture opens it than the whole.
const CLICKED = 2.5;
// Keys of the viewer that turn or flip the picture: standing on its head it helps nobody.
const NOT_OURS = new Set(["r", "R", "f", "F"]);

const find = (id) => document.getElementById(id);
let loading = null;
let viewer = null;
let opening = 0;

function loadViewer() {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.addEventListener("load", () => resolve(globalThis.OpenSeadragon));
    script.addEventListener("error", () => {
      script.remove();
      loading = null; // so that asking again tries again
      reject(new Error("the viewer did not arrive"));
    });
    script.src = VIEWER;
    document.head.append(script);
  });
  return loading;
}

// `place` is where on the picture to look first, as shares of its sides; none is the whole.
function makeViewer(OpenSeadragon, image, place) {
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const touch = { pinchRotate: false, clickToZoom: false, dblClickToZoom: true };
  const made = new OpenSeadragon.Viewer({
    element: find("zoom-canvas"),
    tileSources: `${image}/info.json`,
    drawer: "canvas",
    // Tiles on whole pixels: between them nothing shines through, and none is stretched (below).
    subPixelRoundingForTransparency: OpenSeadragon.SUBPIXEL_ROUNDING_OCCURRENCES.ALWAYS,
    crossOriginPolicy: "Anonymous",
    showNavigationControl: false,
    maxZoomPixelRatio: LARGEST,
    minZoomImageRatio: 1,
    visibilityRatio: 1,
    constrainDuringPan: true,
    zoomPerClick: STEP * STEP,
    animationTime: still ? 0 : 0.7,
    springStiffness: 9,
    gestureSettingsTouch: touch,
    gestureSettingsPen: touch,
  });
  // Otherwise the canvas makes each tile a point larger than its place,
  // which shows as a step at its edges.
  made.drawer.minimumOverlapRequired = () => false;
  made.addHandler("canvas-key", (event) => {
    if (NOT_OURS.has(event.originalEvent.key)) event.preventDefaultAction = true;
  });
  made.addHandler("zoom", markButtons);
  made.addHandler("open", () => {
    if (place) lookAt(made.viewport, made.world.getItemAt(0).getBounds(), place);
    find("zoom").removeAttribute("aria-busy");
    markButtons();
    made.canvas.focus();
  });
  made.addHandler("open-failed", () => tell("The large picture did not arrive."));
  return made;
}

function lookAt(view, bounds, place) {
  const point = bounds.getTopLeft();
  point.x += bounds.width * place.x;
  point.y += bounds.height * place.y;
  view.panTo(point);
  view.zoomTo(view.getHomeZoom() * CLICKED, point);
  view.applyConstraints();
}

function markButtons() {
  const view = viewer?.viewport;
  if (!viewer?.isOpen()) return;
  const zoom = view.getZoom(false);
  // A little slack: the springs end near the bound, not on it.
  markDone("zoom-in", zoom > view.getMaxZoom() * 0.999);
  markDone("zoom-out", zoom < view.getMinZoom() * 1.001);
}

// A button that can do no more keeps the focus (it is not `disabled`), so nobody is lost who steers
// by keys, nor by a press at the very moment.
function markDone(id, done) {
  find(id).setAttribute("aria-disabled", String(done));
}

function tell(message) {
  find("zoom").removeAttribute("aria-busy");
  find("zoom-said").textContent = message;
  find("zoom-said").hidden = false;
}

async function open(place) {
  const { iiif, words, alpha } = find("frame").dataset;
  if (!iiif || find("zoom").open) return;
  const mine = ++opening;
  find("zoom").setAttribute("aria-label", `Zoom: ${words}`);
  find("zoom").setAttribute("aria-busy", "true");
  find("zoom").classList.toggle("clear", alpha === "true");
  find("zoom-said").hidden = true;
  delete find("zoom").dataset.keys;
  for (const id of ["zoom-in", "zoom-out"]) markDone(id, true);
  find("zoom").showModal();
  try {
    const OpenSeadragon = await loadViewer();
    if (mine === opening) viewer = makeViewer(OpenSeadragon, iiif, place);
  } catch {
    if (mine === opening) tell("The large picture did not arrive. Close and try again.");
  }
}

function closed() {
  opening++;
  viewer?.destroy();
  viewer = null;
  find("zoom-open").focus();
}

function zoomBy(factor) {
  viewer?.viewport?.zoomBy(factor);
  viewer?.viewport?.applyConstraints();
}

find("zoom-open").addEventListener("click", () => open(null));
find("frame").addEventListener("click", ({ target, clientX, clientY }) => {
  if (!target.closest("picture")) return;
  const box = target.getBoundingClientRect();
  open({ x: (clientX - box.left) / box.width, y: (clientY - box.top) / box.height });
});
find("zoom-in").addEventListener("click", () => zoomBy(STEP));
find("zoom-out").addEventListener("click", () => zoomBy(1 / STEP));
// Where the focus is interests who steers by keys.
find("zoom").addEventListener("keydown", () => { find("zoom").dataset.keys = ""; });
find("zoom-close").addEventListener("click", () => find("zoom").close());
// Esc closes a modal dialog by itself, whatever has the focus in it.
find("zoom").addEventListener("close", closed);
