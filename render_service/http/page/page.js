// The page: the manifest makes the choices, `resolve` makes the pictures; nothing of the product
// is written here. A new picture is loaded and decoded before it takes the place of the old one.

import { showPrice } from "/price.js";
import { drawPlaceholder } from "/thumbhash.js";

const SIZES = "(max-width: 56rem) 100vw, min(55vw, calc(100vh - 11rem))";
const THUMB_SIZES = "84px";

const find = (id) => document.getElementById(id);
// `resolved` is what the selection came to, `made` the last one of these that is made: the picture
// shown. `past` holds what each option was before its present value; `shown` is what the browser
// made of the picture: the view, and the width and format that it took.
const state = {
  manifest: null, selection: {}, past: {}, view: null,
  resolved: null, made: null, format: null, width: null, shown: null,
};
// A picture that may be shown next, on its way.
let ahead = null;
let turn = 0;

// An error in words for a shopper; any other is a fault of ours, and its own words help nobody.
class Told extends Error {}

async function fetchJson(path, body) {
  const options = body && {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  };
  let response;
  try {
    response = await fetch(path, options);
  } catch (cause) {
    throw new Told("The shop cannot be reached at the moment. Is this device online?", { cause });
  }
  if (response.status === 503) throw new Told("Many people are looking just now.");
  if (response.status >= 500) throw new Told("Something went wrong on our side.");
  if (!response.ok) throw new Told("What is on offer has changed since this page was opened.");
  try {
    return await response.json();
  } catch (cause) {
    throw new Told("The answer of the shop did not arrive whole.", { cause });
  }
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

// The first rule about `option` (or any) that a configuration breaks, as the manifest states it.
function brokenRule(configuration, option) {
  return state.manifest.rules.find((rule) =>
    (!option || option in rule.all) &&
    Object.entries(rule.all).every(([name, values]) => values.includes(configuration[name])),
  );
}

// The nearest configuration that is made and keeps what was just chosen: first what the other
// options were before, then their defaults, then whatever they offer.
function keeping(clicked) {
  let tried = [state.selection];
  for (let changes = 0; changes < 3; changes++) {
    const next = [];
    for (const configuration of tried) {
      const rule = brokenRule(configuration);
      if (!rule) return configuration;
      for (const option of state.manifest.options) {
        if (option.id === clicked || !(option.id in rule.all)) continue;
        const values = new Set([state.past[option.id] ?? option.default, option.default]);
        option.values.forEach(({ id }) => values.add(id));
        values.forEach((value) => next.push({ ...configuration, [option.id]: value }));
      }
    }
    tried = next;
  }
  return tried.find((configuration) => !brokenRule(configuration)) ?? null;
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
  input.addEventListener("change", () => click(option.id, value.id));
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

function click(option, value) {
  state.past[option] = state.selection[option];
  remember({ ...state.selection, [option]: value }, option);
  return choose({ [option]: value }, option, option);
}

// A choice is a step of its own, so that Back takes it back; `clicked` is the option chosen.
function remember(selection, clicked) {
  const hash = `#${new URLSearchParams(selection)}`;
  if (hash !== location.hash) history.pushState({ clicked }, "", hash);
}

// `changed` is the option that was changed just now, where it was: shops count what is chosen.
async function choose(change, clicked, changed) {
  Object.assign(state.selection, change);
  markChoices();
  const mine = nextTurn();
  find("frame").setAttribute("aria-busy", "true");
  try {
    const resolved = await resolve(state.selection, changed);
    if (mine !== turn) return;
    state.resolved = resolved;
    showPrice(state.manifest.id, resolved.valid ? resolved.configuration : null);
    if (resolved.valid) state.made = resolved;
    // Somebody opened a link to what is not made: the nearest that is shows what it is about.
    else if (!state.made && resolved.nearest) state.made = await resolve(resolved.nearest);
    if (mine !== turn) return;
    drawNotice(resolved, clicked);
    drawAddress();
    if (state.made) await show(mine);
    else find("frame").setAttribute("aria-busy", "false");
  } catch (error) {
    if (mine !== turn) return;
    state.resolved = null;
    showPrice(state.manifest.id, null);
    drawAddress();
    fail(error, () => choose({}, clicked));
  }
}

function resolve(selection, changed) {
  const shown = state.shown?.view === state.view ? state.shown : undefined;
  return fetchJson(`/v1/compositions/${state.manifest.id}/resolve`, { selection, changed, shown });
}

// What was about to be shown is not waited for any more, nor what might have been shown after it.
function nextTurn() {
  if (ahead && !ahead.complete) ahead.src = "";
  ahead = null;
  return ++turn;
}

const whenIdle = window.requestIdleCallback ?? ((work) => setTimeout(work, 200));

// The next click: the pictures of the neighbours, of the size and format that the browser took, when
// nothing else is on its way; not for who pays for every byte. One after the other, so that a shopper
// never has more than one in the line that real clicks wait in; a shop that refuses one is busy.
function preload(mine) {
  if (navigator.connection?.saveData) return;
  const { view, width, format } = state.shown;
  const urls = state.made.neighbours.filter(({ images }) => images[view]).map(({ images }) => {
    // Who is shown JPEG is shown PNG where it is transparent, as `src` is.
    const plain = format === "jpg" || format === "png";
    const extension = plain ? images[view].slice(images[view].lastIndexOf(".") + 1) : format;
    return images[view].replace(/[^/]*$/, `${width}.${extension}`);
  });
  const next = () => whenIdle(() => {
    if (mine !== turn || !urls.length) return;
    ahead = new Image();
    ahead.fetchPriority = "low";
    ahead.onload = next;
    ahead.src = urls.shift();
  });
  next();
}

function wordsOf(configuration) {
  return state.manifest.options.map(({ id }) => titleOf(id, configuration[id])).join(" \u00b7 ");
}

function drawNotice({ valid, conflicts, nearest }, clicked) {
  find("frame").classList.toggle("unmade", !valid);
  find("notice").hidden = valid;
  find("summary").textContent = wordsOf(state.selection);
  if (valid) return;
  const reasons = conflicts.map(({ reason }) => reason).join(" ");
  find("reason").replaceChildren(make("strong", { textContent: "Not made: " }), reasons);
  const offers = new Map();
  for (const offered of [clicked && keeping(clicked), nearest]) {
    if (offered) offers.set(offerWords(offered), offered);
  }
  find("offers").replaceChildren(
    ...[...offers].map(([words, offered]) => makeButton(words, () => take(offered))),
  );
}

function offerWords(offered) {
  const changed = Object.keys(offered).filter((option) => offered[option] !== state.selection[option]);
  const named = changed.map((option) => titleOf(option, offered[option])).join(" and ");
  return `Take it with ${named} instead`;
}

function take(offered) {
  remember(offered);
  return choose(offered);
}

function makeButton(textContent, onclick) {
  return make("button", { type: "button", textContent, onclick });
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
  const image = state.made.images[state.view];
  const { picture, img } = makePicture(image, SIZES, wordsOf(state.made.configuration));
  const frame = find("frame");
  // What zoom.js shows large: what was chosen, also while its picture is on its way.
  Object.assign(frame.dataset, { iiif: image.iiif, words: img.alt, alpha: image.alpha });
  try {
    await img.decode();
  } catch {
    if (mine === turn) fail(new Told("The picture did not arrive."), () => choose({}));
    return;
  }
  if (mine !== turn) return;
  frame.style.aspectRatio = `${image.width} / ${image.height}`;
  frame.classList.toggle("clear", image.alpha);
  const old = [...frame.querySelectorAll("picture")];
  picture.className = "entering";
  frame.insertBefore(picture, frame.querySelector(".progress"));
  picture.getBoundingClientRect(); // starts the transition from what is there now
  picture.className = "";
  frame.setAttribute("aria-busy", "false");
  const [, width, format] = /\/(\d+)\.(\w+)$/.exec(img.currentSrc);
  state.shown = { view: state.view, width: Number(width), format };
  preload(mine);
  // An opaque new picture hides the old one once it is there; a clear one must not lie over it.
  const clear = frame.classList.contains("clear");
  setTimeout(() => old.forEach((element) => element.remove()), clear ? 0 : 360);
}

function drawViews() {
  const { made } = state;
  const buttons = state.manifest.views.map((view) => {
    const { picture } = makePicture(made.images[view.id], THUMB_SIZES, "");
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
      if (made === state.made) button.querySelector(".thumb").replaceChildren(picture);
    };
    picture.querySelector("img").decode().then(swap, () => {});
  });
}

function turnTo(view) {
  state.view = view;
  const mine = nextTurn();
  for (const button of find("views").children) {
    button.setAttribute("aria-pressed", String(button.dataset.view === view));
  }
  find("frame").setAttribute("aria-busy", "true");
  drawAddress();
  show(mine);
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
  const image = state.resolved?.images[state.view];
  for (const id of ["format", "width", "copy"]) find(id).disabled = !image;
  if (!image) {
    find("url").textContent = state.resolved ? "None: this combination is not made." : "Not known yet.";
    return;
  }
  const byFormat = addresses(image);
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

function fail(error, again) {
  const told = error instanceof Told;
  if (!told) console.error(error);
  find("frame").setAttribute("aria-busy", "false");
  find("notice").hidden = false;
  find("reason").textContent = told ? error.message : "Something went wrong on this page.";
  find("offers").replaceChildren(makeButton("Try again", again));
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
  addEventListener("hashchange", () => choose(selectionFromHash(state.manifest), history.state?.clicked));
  history.replaceState(null, "", `#${new URLSearchParams(state.selection)}`);
  await choose({});
}

start().catch((error) => fail(error, () => location.reload()));
