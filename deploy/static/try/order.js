// What is asked for, and the order while it is painted.

import * as api from "./api.js";
import { act, at, clear, download, el, refuse, tell } from "./dom.js";
import { fromChoices, prompt } from "./choices.js";
import { accepted, chosenSet, empty } from "./photos.js";
import { knows, say, until } from "./words.js";

const MOST_ONE_BY_ONE = 4;
const styles = new Map();
let following = null;

export const named = (id) => styles.get(id)?.name || id;
export const usable = () => [...styles.values()].filter((style) => style.available);

// --- Styles ---------------------------------------------------------------------------------

export async function loadStyles() {
  const chosen = new Set(picked());
  const rows = await api.get("/v1/styles");
  styles.clear();
  for (const row of rows) styles.set(row.id, row);
  const order = rows.filter((row) => row.available).concat(rows.filter((row) => !row.available));
  at("styles").replaceChildren(...order.map((row) => {
    const box = el("input", { type: "checkbox", id: `style-${row.id}`, name: "style", value: row.id, disabled: !row.available, checked: chosen.has(row.id) });
    const said = row.available ? row.description : say("not_running");
    return el("li", { className: "style" }, box, el("label", { htmlFor: box.id },
      el("span", { className: "pick" }, row.preview ? el("img", { src: row.preview, alt: "", loading: "lazy", width: 384, height: 384 }) : null),
      el("strong", { textContent: row.name }), el("span", { className: "hint", textContent: said })));
  }));
  at("words-field").hidden = !usable().some((style) => style.takes_words);
  await showAllowance();
}

const picked = () => [...at("styles").querySelectorAll("input:checked")].map((box) => box.value);

async function showAllowance() {
  const { day } = await api.get("/v1/me/allowance");
  at("allowance").textContent = say("allowance", day.left, day.limit);
}

// A few are ordered one by one; more of them, from photos, as a pack.
function wanted(chosen) {
  const count = Number(at("variations").value);
  const size = at("shape").value || undefined;
  if (fromChoices()) {
    const one = prompt();
    return { items: chosen.flatMap((style) => Array.from({ length: count }, () => ({ style, size, prompt: one }))) };
  }
  const reference_set = chosenSet();
  if (count === 1 && chosen.length <= MOST_ONE_BY_ONE) return { reference_set, items: chosen.map((style) => ({ style, size })) };
  return { reference_set, pack: { styles: chosen, variations: count, size } };
}

// One tap is one order, however often it is sent: the key stays until the order has been taken.
let tap = null;

export async function send(body) {
  const asked = JSON.stringify(body);
  if (tap?.asked !== asked) tap = { asked, key: api.key() };
  const job = await api.post("/v1/jobs", body, { "Idempotency-Key": tap.key });
  tap = null;
  return job;
}

export function order(onTaken) {
  const place = at("step-styles");
  return act(place, at("paint"), async () => {
    const chosen = picked();
    const missing = chosen.length === 0 ? "none_chosen" : !fromChoices() && accepted() === 0 ? "no_photo" : null;
    if (missing) {
      place.querySelector("p.refusal").textContent = say(missing);
      return;
    }
    const job = await send(wanted(chosen));
    onTaken();
    watch(job);
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
}

export async function watch(job) {
  following?.abort();
  const mine = (following = new AbortController());
  const items = new Map(job.items.map((item) => [item.id, item]));
  const done = () => [...items.values()].filter((item) => item.portrait).length;
  let last = job, painted = 0;
  at("items").replaceChildren();
  at("job").hidden = at("items").hidden = false;
  at("cancel").onclick = () => act(at("step-portraits"), at("cancel"), () => api.post(job.links.cancel));
  at("archive").onclick = () => act(at("step-portraits"), at("archive"), () => save(job));
  showJob(job, items);
  at("h-portraits").scrollIntoView({ block: "start" });
  try {
    await api.follow(job.links.events, (said, ended) => {
      if (said.sequence < last.sequence) return;
      last = said;
      for (const item of said.items || []) items.set(item.id, item);
      showJob(said, items);
      if (done() > painted) dispatchEvent(new CustomEvent("painted"));
      painted = done();
      if (ended) tell(say(said.outcome === "nothing" ? said.state : job.reference_set ? "photos_gone" : "all_painted"));
    }, mine.signal);
  } catch (error) {
    if (!mine.signal.aborted) refuse(at("step-portraits"), error);
    return;
  }
  // What came out well stands in the gallery; what did not says why.
  for (const item of items.values()) if (item.state === "done") at(`item-${item.id}`)?.remove();
  at("items").hidden = at("items").children.length === 0;
  at("archive").hidden = done() < 2;
  if (job.reference_set) empty();
  dispatchEvent(new CustomEvent("painted"));
  dispatchEvent(new CustomEvent("job-ended"));
  await showAllowance();
}

async function save(job) {
  const url = await api.picture(job.links.archive);
  download(url, "portraits.zip");
  setTimeout(() => URL.revokeObjectURL(url), 60000);
}

function showJob(job, items) {
  at("job-state").textContent = `${say(job.state)} · ${say("percent", job.percent)}`;
  const queue = job.queue;
  at("job-queue").textContent = queue
    ? [queue.position ? say("ahead", queue.position) : "", queue.eta_seconds === null ? queue.notice || "" : say("eta", until(new Date(Date.now() + 1000 * queue.eta_seconds)))].filter(Boolean).join(", ")
    : "";
  at("cancel").hidden = job.outcome !== null;
  at("archive").hidden = true;
  for (const item of items.values()) showItem(item, job);
}

function showItem(item, job) {
  let row = at(`item-${item.id}`);
  if (!row) {
    const bar = el("progress", { max: 100, value: 0 });
    bar.setAttribute("aria-label", named(item.style));
    const again = el("button", { type: "button", className: "quiet", textContent: say("retry"), hidden: true });
    again.addEventListener("click", () => act(at("step-portraits"), again, () => api.post(`${job.links.self}/items/${item.id}/retry`)));
    row = el("li", { id: `item-${item.id}` }, el("strong", { textContent: named(item.style) }), bar, el("span", { className: "hint" }), again);
    at("items").append(row);
  }
  const open = item.state === "queued" || item.state === "running";
  row.dataset.state = item.state;
  row.querySelector("progress").value = open ? item.percent : item.state === "done" ? 100 : 0;
  const sentence = item.state === "running" && knows(item.phase) ? say(item.phase) : say(item.state);
  const why = item.code && (knows(item.code) ? say(item.code) : say("item_failed"));
  row.querySelector(".hint").textContent = !open && item.state !== "done" && why ? why : sentence;
  row.querySelector("button").hidden = item.state !== "failed" || job.outcome !== null;
}
