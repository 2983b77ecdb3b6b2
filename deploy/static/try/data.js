// What is held on the person, and its end: erasure, and the receipt checked in this browser.

import * as api from "./api.js";
import { act, at, complete, download, el, refuse } from "./dom.js";
import { countdown } from "./gallery.js";
import { genuine } from "./receipt.js";
import { knows, say, when } from "./words.js";

const ERASURE = "erasure";
// A proof takes seconds; after so many of them it is said that this one takes longer.
const SOON = 90;

export async function loadHeld() {
  const held = await api.get("/v1/me/holdings");
  at("leave-email").value = held.account.email;
  at("held-lede").textContent = say("held_lede", held.sealed.length, held.account.email);
  at("held").tBodies[0].replaceChildren(...grouped(held.sealed).map((rows) => el("tr", {},
    el("td", { textContent: rows.length > 1 ? `${kindOf(rows[0])} × ${rows.length}` : kindOf(rows[0]) }),
    el("td", { textContent: `${Math.ceil(rows.reduce((sum, row) => sum + (row.bytes || 0), 0) / 1024)} kB` }),
    el("td", {}, ending(rows[0])))));
  at("held-rows").replaceChildren(...held.tables.map((row) => el("li", { textContent: say("held_row", row.holds, row.rows, row.keep) })));
  return held;
}

const kindOf = (row) => (knows(row.kind) ? say(row.kind) : row.kind);

// The API lists what ends first first. What is of a kind and ends on the same day is one line.
function grouped(sealed) {
  const groups = new Map();
  for (const row of sealed) {
    const key = `${row.kind} ${row.expires_at.slice(0, 10)}`;
    groups.set(key, [...(groups.get(key) || []), row]);
  }
  return [...groups.values()];
}

function ending(row) {
  const made = countdown(row.expires_at);
  if (row.expires_soon && ["portrait", "rendition"].includes(row.kind)) made.classList.add("soon");
  return made;
}

export function wireData(onErased) {
  at("refresh").addEventListener("click", () => loadHeld().catch((error) => refuse(at("step-data"), error)));
  at("erase").addEventListener("click", () => at("leave").showModal());
  at("leave-no").addEventListener("click", () => at("leave").close());
  at("leave").addEventListener("close", () => at("leave-form").reset());
  at("again").addEventListener("click", () => { sessionStorage.removeItem(ERASURE); location.reload(); });
  at("leave-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const form = at("leave-form");
    if (!complete(form)) return;
    act(form, form.querySelector(".danger"), async () => {
      await api.confirm(form.elements.password.value);
      const erasure = await api.post("/v1/me/erasure", {});
      sessionStorage.setItem(ERASURE, erasure.id);
      api.forget();
      at("leave").close();
      onErased();
      await showReceipt(erasure.id);
    });
  });
}

export const begunErasure = () => sessionStorage.getItem(ERASURE);

export async function showReceipt(id) {
  at("step-receipt").hidden = false;
  at("receipt-id").textContent = id;
  at("receipt-stage").textContent = say("erasing");
  at("h-receipt").focus();
  let found;
  for (let seconds = 0; ; seconds += 1) {
    found = await api.get(`/v1/erasures/${id}`).catch((error) => {
      if (error.status === 404) throw error;
      return null;
    });
    if (found?.receipt) break;
    if (seconds === SOON) at("receipt-stage").textContent = say("slow_proof");
    await new Promise((wake) => setTimeout(wake, 1000));
  }
  at("receipt-stage").textContent = say("erased", when(found.proved_at));
  const text = JSON.stringify(found.receipt, null, 1);
  at("receipt-text").textContent = text;
  at("receipt-save").onclick = () => {
    const url = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    download(url, "receipt.json");
    URL.revokeObjectURL(url);
  };
  const verdict = await genuine(found.receipt, await api.get("/.well-known/sitter-keys.json"));
  const line = at("receipt-verdict");
  line.dataset.genuine = { true: "yes", false: "no", null: "unknown" }[verdict];
  line.textContent = say({ true: "genuine", false: "not_genuine", null: "not_checked" }[verdict]);
}
