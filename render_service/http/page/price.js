// What the configuration costs, its SKU and the ring's size: a quote for whatever page.js shows. A
// shop that sells nothing of the composition, or cannot be asked, shows no price and keeps the rest.

const find = (id) => document.getElementById(id);
const language = document.documentElement.lang;

// `product` is a promise of what sells the composition: null for nothing. `chosen` is what was
// chosen last, and `turn` which answer is still wanted.
let product = null;
let chosen = null;
let turn = 0;

async function fetchJson(path, body) {
  const options = body && {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  };
  const response = await fetch(path, options);
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return response.json();
}

// The product of the address (`?product=`), else the first that is drawn by `composition` and has a
// price.
async function findProduct(composition) {
  const asked = new URLSearchParams(location.search).get("product");
  if (asked) {
    const sold = await fetchJson(`/v1/products/${encodeURIComponent(asked)}?language=${language}`);
    return sold.composition === composition ? sold : null;
  }
  const query = new URLSearchParams({ composition, language });
  const { products } = await fetchJson(`/v1/products?${query}`);
  const found = products.find(({ price }) => price);
  return found ? fetchJson(`/v1/products/${found.id}?language=${language}`) : null;
}

function drawSizes({ sizes }) {
  find("size-label").hidden = !sizes;
  if (!sizes || find("size").options.length) return;
  find("size").replaceChildren(
    ...sizes.values.map((size) => {
      const selected = size === sizes.default;
      return Object.assign(document.createElement("option"), {
        value: size, textContent: `${size} mm`, selected, defaultSelected: selected,
      });
    }),
  );
}

// As the currency is written where the reader is; whole amounts without their zeros.
function spell(amount, currency) {
  const digits = Number.isInteger(Number(amount)) ? 0 : undefined;
  const style = { style: "currency", currency, minimumFractionDigits: digits };
  return new Intl.NumberFormat(navigator.language, style).format(Number(amount));
}

function draw({ quote, amount }) {
  const percent = new Intl.NumberFormat(navigator.language).format(quote.tax.rate_bp / 100);
  find("price").textContent = spell(amount, quote.currency);
  find("tax").textContent = `incl. ${percent} % tax`;
  find("sku").textContent = quote.sku;
}

// What is not made has no price and no SKU, and those shown last are of something else.
function drawNothing() {
  for (const id of ["price", "sku"]) find(id).textContent = "\u2013";
  find("tax").textContent = "";
}

async function quote() {
  const mine = ++turn;
  const offer = find("offer");
  try {
    const sold = await product;
    if (mine !== turn) return;
    offer.classList.toggle("stale", !chosen);
    if (!sold) offer.hidden = true;
    if (sold && !chosen) drawNothing();
    if (!sold || !chosen) return;
    drawSizes(sold);
    const asked = { product: sold.id, selection: chosen, language };
    if (sold.sizes) asked.size = find("size").value;
    const answer = await fetchJson("/v1/quotes", asked);
    if (mine !== turn) return;
    draw(answer);
    offer.hidden = false;
  } catch {
    // What was shown is of something else by now, and may not be true.
    if (mine === turn) offer.hidden = true;
  }
}

// Show what `selection` of `composition` costs; null is what is not made.
export function showPrice(composition, selection) {
  product ??= findProduct(composition);
  product.catch(() => { product = null; });
  chosen = selection;
  quote();
}

find("size").addEventListener("change", quote);
