// The page: the manifest makes the choices, `resolve` makes the pictures; nothing of the product
// is written here. A new picture is loaded and decoded before it takes the place of the old one.

const SIZES = "(max-width: 56rem) 100vw, min(55vw, calc(100vh - 11rem))";
const THUMB_SIZES = "84px";

const find = (id) => document.getElementById(id);
const state = { manifest: null, selection: {}, view: null, resolved: null, format: null, width: null };
let turn = 0;

async function fetchJson(path, body) {
  const options = body && {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  };
  const response = await fetch(path, options);
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.detail ?? response.statusText);
  return answer;
}

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

// What the address bar says is the start; what is not on offer there is left out.
function selectionFromHash(manifest) {
  const wanted = new URLSearchParams(location.hash.slice(1));
  const selection = {};
  for (const option of manifest.options) {
    const value = wanted.get(option.id);
    const known = option.values.some(({ id }) => id === value);
    selection[option.id] = known ? value : option.default;
  }
  return selection;
}

function titleOf(optionId, valueId) {
  const option = state.manifest.options.find(({ id }) => id === optionId);
  return option?.values.find(({ id }) => id === valueId)?.title ?? valueId;
}

// The first rule about `option` that a configuration breaks, as the manifest states it.
function brokenRule(configuration, option) {
  return state.manifest.rules.find((rule) =>
    option in rule.all && Object.entries(rule.all).every(([name, values]) => values.includes(configuration[name])),
  );
}

function drawChoices() {
  find("title").textContent = state.manifest.title;
  document.title = state.manifest.title;
  find("choices").replaceChildren(...state.manifest.options.map(makeOption));
}

function makeOption(option) {
  const legend = make("legend", {}, make("span", { className: "name", textContent: option.title }));
  legend.append(make("span", { className: "now", id: `now-${option.id}` }));
  const values = make("div", { className: "values" });
  values.append(...option.values.map((value) => makeValue(option, value)));
  return make("fieldset", {}, legend, values);
}

function makeValue(option, value) {
  const input = make("input", { type: "radio", name: option.id, value: value.id });
  input.checked = state.selection[option.id] === value.id;
  input.addEventListener("change", () => choose({ [option.id]: value.id }));
  const face = make("span");
  if (value.swatch) {
    face.style.background = value.swatch;
    input.setAttribute("aria-label", value.title);
  } else {
    face.textContent = value.title;
  }
  const className = value.swatch ? "swatch" : "pill";
  return make("label", { className, title: value.title }, input, face);
}

function markChoices() {
  for (const option of state.manifest.options) {
    find(`now-${option.id}`).textContent = titleOf(option.id, state.selection[option.id]);
    for (const value of option.values) {
      const input = find("choices").querySelector(`input[name="${option.id}"][value="${value.id}"]`);
      const rule = brokenRule({ ...state.selection, [option.id]: value.id }, option.id);
      input.checked = state.selection[option.id] === value.id;
      const label = input.parentElement;
      label.classList.toggle("unmade", Boolean(rule));
      label.title = rule ? `${value.title} \u2013 not made: ${rule.reason}` : value.title;
    }
  }
}

async function choose(change) {
  Object.assign(state.selection, change);
  const hash = new URLSearchParams(state.selection);
  history.replaceState(null, "", `#${hash}`);
  markChoices();
  const mine = ++turn;
  find("frame").setAttribute("aria-busy", "true");
  try {
    const path = `/v1/compositions/${state.manifest.id}/resolve`;
    const resolved = await fetchJson(path, { selection: state.selection });
    if (mine !== turn) return;
    state.resolved = resolved;
    drawNotice(resolved);
    if (resolved.valid) await show(mine);
    else find("frame").setAttribute("aria-busy", "false");
  } catch (error) {
    if (mine === turn) fail(error);
  }
}

function drawNotice({ valid, conflicts, nearest }) {
  find("frame").classList.toggle("unmade", !valid);
  find("notice").hidden = valid;
  const words = state.manifest.options.map(({ id }) => titleOf(id, state.selection[id]));
  find("summary").textContent = words.join(" \u00b7 ");
  if (valid) return;
  const reasons = conflicts.map(({ reason }) => reason).join(" ");
  find("reason").replaceChildren(make("strong", { textContent: "Not made: " }), reasons);
  const button = find("nearest");
  button.hidden = !nearest;
  if (!nearest) return;
  const changed = Object.keys(nearest).filter((option) => nearest[option] !== state.selection[option]);
  const named = changed.map((option) => titleOf(option, nearest[option])).join(" and ");
  button.textContent = `Take it with ${named} instead`;
  button.onclick = () => choose(nearest);
}

function makePicture(image, sizes, alt) {
  const sources = image.sources.map(({ type, srcset }) => make("source", { type, srcset, sizes }));
  const picture = make("picture", {}, ...sources);
  const img = make("img", { alt, width: image.width, height: image.height, decoding: "async" });
  picture.append(img);
  // The sources must be there before the picture is asked for.
  Object.assign(img, { sizes, srcset: image.srcset, src: image.src });
  return { picture, img };
}

async function show(mine) {
  drawViews();
  drawAddress();
  const image = state.resolved.images[state.view];
  const { picture, img } = makePicture(image, SIZES, find("summary").textContent);
  try {
    await img.decode();
  } catch {
    if (mine === turn) fail(new Error("The picture could not be loaded; try again in a moment."));
    return;
  }
  if (mine !== turn) return;
  const frame = find("frame");
  frame.style.aspectRatio = `${image.width} / ${image.height}`;
  frame.classList.toggle("clear", image.alpha);
  const old = [...frame.querySelectorAll("picture")];
  picture.className = "entering";
  frame.insertBefore(picture, frame.querySelector(".progress"));
  picture.getBoundingClientRect(); // starts the transition from what is there now
  picture.className = "";
  frame.setAttribute("aria-busy", "false");
  // An opaque new picture hides the old one once it is there; a clear one must not lie over it.
  const clear = frame.classList.contains("clear");
  setTimeout(() => old.forEach((element) => element.remove()), clear ? 0 : 360);
}

function drawViews() {
  const { resolved } = state;
  const buttons = state.manifest.views.map((view) => {
    const { picture } = makePicture(state.resolved.images[view.id], THUMB_SIZES, "");
    const thumb = make("span", { className: "thumb" }, picture);
    const button = make("button", { type: "button" }, thumb, view.title);
    button.dataset.view = view.id;
    button.setAttribute("aria-pressed", String(view.id === state.view));
    button.addEventListener("click", () => turnTo(view.id));
    return button;
  });
  // Kept where they are, so that focus stays and a thumbnail changes only when the new one is here.
  const held = [...find("views").children];
  if (held.length !== buttons.length) {
    find("views").replaceChildren(...buttons);
    return;
  }
  held.forEach((button, index) => {
    button.setAttribute("aria-pressed", buttons[index].getAttribute("aria-pressed"));
    const picture = buttons[index].querySelector("picture");
    const swap = () => {
      if (resolved === state.resolved) button.querySelector(".thumb").replaceChildren(picture);
    };
    picture.querySelector("img").decode().then(swap, () => {});
  });
}

function turnTo(view) {
  state.view = view;
  const mine = ++turn;
  for (const button of find("views").children) {
    button.setAttribute("aria-pressed", String(button.dataset.view === view));
  }
  find("frame").setAttribute("aria-busy", "true");
  if (state.resolved.valid) show(mine);
}

// Every address that `resolve` handed out for the view: format → width → address.
function addresses(image) {
  const byFormat = new Map();
  for (const srcset of [...image.sources.map(({ srcset }) => srcset), image.srcset]) {
    for (const entry of srcset.split(", ")) {
      const [url, width] = entry.split(" ");
      const format = url.slice(url.lastIndexOf(".") + 1);
      if (!byFormat.has(format)) byFormat.set(format, new Map());
      byFormat.get(format).set(Number.parseInt(width, 10), url);
    }
  }
  return byFormat;
}

function drawAddress() {
  const byFormat = addresses(state.resolved.images[state.view]);
  if (!byFormat.has(state.format)) state.format = byFormat.keys().next().value;
  const byWidth = byFormat.get(state.format);
  if (!byWidth.has(state.width)) state.width = Math.max(...byWidth.keys());
  fillSelect(find("format"), [...byFormat.keys()], state.format, (format) => format.toUpperCase());
  fillSelect(find("width"), [...byWidth.keys()], state.width, (width) => `${width} px`);
  find("url").textContent = new URL(byWidth.get(state.width), location.href).href;
}

function fillSelect(select, values, chosen, title) {
  select.replaceChildren(
    ...values.map((value) =>
      make("option", { value, textContent: title(value), selected: value === chosen }),
    ),
  );
}

async function copyAddress() {
  const button = find("copy");
  try {
    await navigator.clipboard.writeText(find("url").textContent);
    button.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(find("url"));
    button.textContent = "Selected";
  }
  setTimeout(() => { button.textContent = "Copy"; }, 1600);
}

function fail(error) {
  find("frame").setAttribute("aria-busy", "false");
  find("notice").hidden = false;
  find("nearest").hidden = true;
  find("reason").textContent = error.message;
}

// ThumbHash (Evan Wallace), the opaque part: a few cosine waves of light and two of colour.
function drawPlaceholder(hash, canvas) {
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

async function start() {
  find("copy").addEventListener("click", copyAddress);
  find("format").addEventListener("change", ({ target }) => {
    state.format = target.value;
    drawAddress();
  });
  find("width").addEventListener("change", ({ target }) => {
    state.width = Number(target.value);
    drawAddress();
  });
  const { compositions } = await fetchJson("/v1/compositions");
  const asked = new URLSearchParams(location.search).get("composition");
  const listed = compositions.find(({ id }) => id === asked) ?? compositions[0];
  state.manifest = await fetchJson(`/v1/compositions/${listed.id}`);
  state.selection = selectionFromHash(state.manifest);
  const [view] = state.manifest.views;
  state.view = view.id;
  find("frame").style.aspectRatio = `${view.width} / ${view.height}`;
  if (view.placeholder) drawPlaceholder(view.placeholder, find("blur"));
  drawChoices();
  addEventListener("hashchange", () => choose(selectionFromHash(state.manifest)));
  await choose({});
}

start().catch(fail);
