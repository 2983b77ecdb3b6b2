// The portraits: all of them, one of them whole, and what can be made of it.

import * as api from "./api.js";
import { act, at, clear, download, el, refuse, tell } from "./dom.js";
import { named, send, usable, watch } from "./order.js";
import { say, until } from "./words.js";

const DAY = 86400000;
const MADE = ["text", "edit", "upscale"];
// Days that a portrait may be kept at most; an hour is left for clocks that go wrong.
const YEAR = 365 * DAY - 3600000;
const ENDINGS = { "image/jpeg": "jpg", "image/png": "png", "image/webp": "webp", "image/avif": "avif" };
const shown = new Map();
let rows = [];
let next = null;
let open = null;

// --- All of them ------------------------------------------------------------------------------

export async function loadGallery() {
  const page = await api.get("/v1/portraits");
  rows = page.results;
  next = page.next;
  await draw();
}

async function more() {
  const page = await api.get(next);
  rows = rows.concat(page.results);
  next = page.next;
  await draw();
}

async function draw() {
  at("gallery-empty").hidden = rows.length > 0;
  at("more").hidden = next === null;
  const cards = await Promise.all(rows.map(card));
  at("gallery").replaceChildren(...cards);
}

async function card(row) {
  if (!shown.has(row.id)) shown.set(row.id, await api.picture(`${row.links.image}?size=preview`));
  const name = named(row.style);
  const button = el("button", { type: "button", className: "picture" }, el("img", { src: shown.get(row.id), alt: say("portrait_of", name) }));
  button.setAttribute("aria-label", say("open", name));
  button.addEventListener("click", () => view(row));
  const made = MADE.includes(row.task) ? el("span", { className: "badge", textContent: say(`${row.task}_made`) }) : null;
  const ends = countdown(row.expires_at, "ends");
  if (row.expires_soon) ends.classList.add("soon");
  return el("li", {}, button, el("strong", { textContent: name }), made, ends);
}

export function forgetPictures() {
  at("gallery").replaceChildren();
  for (const url of shown.values()) URL.revokeObjectURL(url);
  shown.clear();
  rows = [];
}

export function countdown(iso, key) {
  const made = el("span", { className: "hint", textContent: key ? say(key, until(iso)) : until(iso) });
  made.dataset.until = iso;
  if (key) made.dataset.key = key;
  return made;
}

setInterval(() => {
  for (const node of document.querySelectorAll("[data-until]")) {
    const left = until(node.dataset.until);
    node.textContent = node.dataset.key ? say(node.dataset.key, left) : left;
  }
}, 1000);

// --- One of them, whole -------------------------------------------------------------------------

async function view(row) {
  const viewer = at("viewer"), image = at("viewer-image");
  for (const place of viewer.querySelectorAll(".view > div, #change-form")) clear(place);
  at("viewer-title").textContent = named(row.style);
  at("viewer-ends").replaceChildren(countdown(row.expires_at, "ends"));
  at("viewer-lent").hidden = true;
  image.alt = say("portrait_of", named(row.style));
  image.src = shown.get(row.id);
  open = { row, url: null };
  const mine = open;
  drawChange(row);
  viewer.showModal();
  try {
    mine.url = await api.picture(row.links.image);
    if (open === mine) image.src = mine.url;
  } catch (error) {
    refuse(viewer, error);
  }
}

async function keepUntil(moment) {
  const row = await api.patch(open.row.links.self, { expires_at: new Date(moment).toISOString() });
  open.row = row;
  at("viewer-ends").replaceChildren(countdown(row.expires_at, "ends"));
  await loadGallery();
}

async function lend() {
  const { url } = await api.post(open.row.links.link, { size: "full" });
  const whole = new URL(url, location.href).href;
  at("viewer-url").value = whole;
  at("viewer-lent").hidden = false;
  at("viewer-url").select();
  if (navigator.share) return navigator.share({ url: whole }).catch(() => {});
  await navigator.clipboard?.writeText(whole).then(() => tell(say("copied")), () => {});
}

export function wireViewer() {
  const viewer = at("viewer");
  const wire = (id, work) => at(id).addEventListener("click", () => act(viewer, at(id), work));
  viewer.addEventListener("close", () => {
    if (open?.url) URL.revokeObjectURL(open.url);
    at("viewer-image").removeAttribute("src");
    open = null;
  });
  wire("viewer-save", () => {
    const full = open.row.renditions.find((one) => one.name === "full");
    download(open.url || shown.get(open.row.id), `${open.row.style}.${ENDINGS[full?.media_type] || "jpg"}`);
  });
  wire("viewer-share", lend);
  wire("viewer-shorten", async () => {
    await keepUntil(Date.now() + DAY);
    tell(say("shortened"));
  });
  wire("viewer-longer", async () => {
    await keepUntil(new Date(open.row.created_at).getTime() + YEAR);
    tell(say("lengthened"));
  });
  wire("viewer-delete", async () => {
    await api.remove(open.row.links.self);
    URL.revokeObjectURL(shown.get(open.row.id));
    shown.delete(open.row.id);
    viewer.close();
    tell(say("deleted"));
    await loadGallery();
  });
  at("more").addEventListener("click", () => act(at("step-portraits"), at("more"), more));
  wireChange();
}

// --- What can be made of it -----------------------------------------------------------------------

function drawChange(row) {
  const able = (task) => usable().filter((style) => style.tasks.includes(task));
  const own = usable().find((style) => style.id === row.style);
  const can = [];
  if (own?.tasks.includes("edit")) can.push("variation");
  if (able("edit").length) can.push("restyle");
  if (own?.tasks.includes("upscale")) can.push("upscale");
  if (own?.tasks.includes("edit") && own.takes_words) can.push("edit");
  at("change-form").hidden = can.length === 0;
  at("change").replaceChildren(...can.map((value) => el("option", { value, textContent: say(`${value}_change`) })));
  at("change-style").replaceChildren(...able("edit").filter((style) => style.id !== row.style)
    .map((style) => el("option", { value: style.id, textContent: style.name })));
  showFields();
}

function showFields() {
  for (const field of at("change-form").querySelectorAll("[data-for]")) field.hidden = field.dataset.for !== at("change").value;
}

function wireChange() {
  const form = at("change-form");
  at("change").addEventListener("change", showFields);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    act(form, at("change-go"), async () => {
      const change = at("change").value;
      const source = { portrait: open.row.id, change };
      if (change === "upscale") source.detail = at("change-detail").value;
      if (change === "edit") source.words = at("change-words").value;
      const item = change === "restyle" ? { style: at("change-style").value, source } : { source };
      const job = await send({ items: [item] });
      at("viewer").close();
      watch(job);
    });
  });
}
