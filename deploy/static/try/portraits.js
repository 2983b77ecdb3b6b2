// Styles to choose from, the order while it is painted, and the gallery.

import * as api from "./api.js";
import { act, at, clear, download, el, refuse, tell } from "./dom.js";
import { accepted, chosenSet, empty } from "./photos.js";
import { knows, say, until } from "./words.js";

const names = new Map();
const shown = new Map();
let following = null;
let open = null;

// --- Styles ---------------------------------------------------------------------------------

export async function loadStyles() {
  const rows = await api.get("/v1/styles");
  for (const row of rows) names.set(row.id, row.name);
  const usable = rows.filter((row) => row.available).concat(rows.filter((row) => !row.available));
  at("styles").replaceChildren(...usable.map((row) => {
    const box = el("input", { type: "checkbox", id: `style-${row.id}`, name: "style", value: row.id, disabled: !row.available });
    const said = row.available ? row.description : say("not_running");
    return el("li", { className: "style" }, box, el("label", { htmlFor: box.id },
      el("span", { className: "pick" }, row.preview ? el("img", { src: row.preview, alt: "", loading: "lazy", width: 384, height: 384 }) : null),
      el("strong", { textContent: row.name }), el("span", { className: "hint", textContent: said })));
  }));
  await showAllowance();
}

async function showAllowance() {
  const { day } = await api.get("/v1/me/allowance");
  at("allowance").textContent = say("allowance", day.left, day.limit);
}

// One tap is one order, however often it is sent: the key stays until the order has been taken.
let tap = null;

export function order(onTaken) {
  const place = at("step-styles");
  return act(place, at("paint"), async () => {
    const styles = [...place.querySelectorAll("input:checked")].map((box) => box.value);
    const missing = styles.length === 0 ? "none_chosen" : accepted() === 0 ? "no_photo" : null;
    if (missing) {
      place.querySelector(".refusal").textContent = say(missing);
      return;
    }
    const body = { reference_set: chosenSet(), items: styles.map((style) => ({ style })) };
    const asked = JSON.stringify(body);
    if (tap?.asked !== asked) tap = { asked, key: api.key() };
    const job = await api.post("/v1/jobs", body, { "Idempotency-Key": tap.key });
    tap = null;
    onTaken();
    await watch(job);
  });
}

// --- The order while it is painted ------------------------------------------------------------

export async function resumeJob() {
  const { results } = await api.get("/v1/jobs");
  const job = results.find((one) => one.state === "queued" || one.state === "running");
  if (job) watch(job);
}

export function stop() {
  following?.abort();
  following = null;
  at("job").hidden = true;
  at("gallery").replaceChildren();
  for (const url of shown.values()) URL.revokeObjectURL(url);
  shown.clear();
}

async function watch(job) {
  following?.abort();
  const mine = (following = new AbortController());
  const items = new Map(job.items.map((item) => [item.id, item]));
  let last = job;
  at("items").replaceChildren();
  at("job").hidden = false;
  at("cancel").onclick = () => act(at("step-portraits"), at("cancel"), () => api.post(`/v1/jobs/${job.id}/cancel`));
  showJob(job, items);
  at("h-portraits").scrollIntoView({ block: "start" });
  try {
    await api.follow(`/v1/jobs/${job.id}/events`, (said, ended) => {
      if (said.sequence < last.sequence) return;
      last = said;
      for (const item of said.items || []) items.set(item.id, item);
      showJob(said, items);
      if ((said.items || []).some((item) => item.portrait && !shown.has(item.portrait))) loadGallery();
      if (ended) tell(say(said.outcome === "nothing" ? said.state : "photos_gone"));
    }, mine.signal);
  } catch (error) {
    if (!mine.signal.aborted) refuse(at("step-portraits"), error);
    return;
  }
  empty();
  dispatchEvent(new CustomEvent("job-ended"));
  await Promise.all([showAllowance(), loadGallery()]);
}

function showJob(job, items) {
  at("job-state").textContent = `${say(job.state)} · ${say("percent", job.percent)}`;
  const queue = job.queue;
  at("job-queue").textContent = queue
    ? [queue.position ? say("ahead", queue.position) : "", queue.eta_seconds === null ? queue.notice || "" : say("eta", until(new Date(Date.now() + 1000 * queue.eta_seconds)))].filter(Boolean).join(", ")
    : "";
  at("cancel").hidden = job.outcome !== null;
  for (const item of items.values()) {
    let row = at(`item-${item.id}`);
    if (!row) {
      const bar = el("progress", { max: 100, value: 0 });
      bar.setAttribute("aria-label", names.get(item.style) || item.style);
      row = el("li", { id: `item-${item.id}` }, el("strong", { textContent: names.get(item.style) || item.style }), bar, el("span", { className: "hint" }));
      at("items").append(row);
    }
    const open = item.state === "queued" || item.state === "running";
    row.querySelector("progress").value = open ? item.percent : item.state === "done" ? 100 : 0;
    const sentence = item.state === "running" && knows(item.phase) ? say(item.phase) : say(item.state);
    const why = item.code && (knows(item.code) ? say(item.code) : say("item_failed"));
    row.querySelector(".hint").textContent = !open && item.state !== "done" && why ? why : sentence;
  }
}

// --- The gallery ------------------------------------------------------------------------------

export async function loadGallery() {
  const { results } = await api.get("/v1/portraits");
  at("gallery-empty").hidden = results.length > 0;
  const cards = await Promise.all(results.map(card));
  at("gallery").replaceChildren(...cards);
}

async function card(row) {
  if (!shown.has(row.id)) shown.set(row.id, await api.picture(`/v1/portraits/${row.id}/image?size=preview`));
  const name = names.get(row.style) || row.style;
  const button = el("button", { type: "button", className: "picture" }, el("img", { src: shown.get(row.id), alt: say("portrait_of", name) }));
  button.setAttribute("aria-label", say("open", name));
  button.addEventListener("click", () => view(row, name));
  return el("li", {}, button, el("strong", { textContent: name }), countdown(row.expires_at, "ends"));
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

async function view(row, name) {
  const viewer = at("viewer"), image = at("viewer-image");
  clear(viewer);
  at("viewer-title").textContent = name;
  at("viewer-ends").replaceChildren(countdown(row.expires_at, "ends"));
  image.alt = say("portrait_of", name);
  image.src = shown.get(row.id);
  open = { row, name, url: null };
  const mine = open;
  viewer.showModal();
  try {
    mine.url = await api.picture(`/v1/portraits/${row.id}/image`);
    if (open === mine) image.src = mine.url;
  } catch (error) {
    refuse(viewer, error);
  }
}

export function wireViewer() {
  const viewer = at("viewer");
  viewer.addEventListener("close", () => {
    if (open?.url) URL.revokeObjectURL(open.url);
    at("viewer-image").removeAttribute("src");
    open = null;
  });
  at("viewer-save").addEventListener("click", () => download(open.url || shown.get(open.row.id), `${open.row.style}.jpg`));
  at("viewer-shorten").addEventListener("click", () => act(viewer, at("viewer-shorten"), async () => {
    const day = new Date(Date.now() + 86400000).toISOString();
    const row = await api.patch(`/v1/portraits/${open.row.id}`, { expires_at: day });
    at("viewer-ends").replaceChildren(countdown(row.expires_at, "ends"));
    tell(say("shortened"));
    await loadGallery();
  }));
  at("viewer-delete").addEventListener("click", () => act(viewer, at("viewer-delete"), async () => {
    await api.remove(`/v1/portraits/${open.row.id}`);
    URL.revokeObjectURL(shown.get(open.row.id));
    shown.delete(open.row.id);
    viewer.close();
    tell(say("deleted"));
    await loadGallery();
  }));
}
