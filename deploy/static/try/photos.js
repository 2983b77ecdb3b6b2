// Five frames. Each photo is sent when it is chosen, and the gate's verdict stands under it.

import * as api from "./api.js";
import { at, el, refuse, clear, tell } from "./dom.js";
import { say } from "./words.js";

const SLOTS = ["front", "three_quarter_left", "three_quarter_right", "half_body", "full_body"];
const PAUSE = 700;

const frames = new Map();
let set = null;
let making = null;

export const chosenSet = () => set;
export const accepted = () => [...frames.values()].filter((frame) => frame.item.dataset.state === "accepted").length;

export function draw(onChange) {
  frames.clear();
  at("slots").replaceChildren(...SLOTS.map((slot) => frameOf(slot, onChange)));
}

// What an earlier visit of this session has handed in already.
export async function resume() {
  const found = (await api.get("/v1/reference-sets")).find((one) => one.state === "open");
  set = found ? found.id : null;
  for (const photo of found?.photos || []) {
    if (photo.state !== "checking") frames.get(photo.slot)?.show(photo.state === "accepted" ? "accepted" : "refused", photo);
  }
}

export function empty() {
  set = making = null;
  for (const frame of frames.values()) frame.reset();
}

function frameOf(slot, onChange) {
  const input = el("input", { type: "file", accept: "image/*,.heic,.heif", id: `photo-${slot}` });
  input.setAttribute("aria-label", say("choose", say(slot)));
  const image = el("img", { alt: "", hidden: true });
  const verdict = el("p", { className: "verdict", id: `verdict-${slot}` });
  input.setAttribute("aria-describedby", verdict.id);
  const out = el("button", { type: "button", textContent: say("remove"), hidden: true });
  out.setAttribute("aria-label", `${say("remove")}: ${say(slot)}`);
  const item = el("li", { className: "slot" },
    el("div", { className: "frame" }, el("span", { className: "plus", textContent: "+" }), image, input),
    el("strong", { textContent: say(slot) }), verdict, out);
  verdict.setAttribute("aria-live", "polite");

  const frame = {
    item,
    show(state, photo = {}) {
      item.dataset.state = state;
      verdict.textContent = state === "accepted" ? photo.hint || say("accepted") : photo.detail || say(state === "refused" ? "not_seen" : state);
      item.dataset.hint = photo.hint ? "yes" : "";
      out.hidden = state !== "accepted";
    },
    reset() {
      if (image.src) URL.revokeObjectURL(image.src);
      image.removeAttribute("src");
      image.hidden = true;
      delete item.dataset.state;
      delete item.dataset.hint;
      verdict.textContent = input.value = "";
      out.hidden = true;
    },
  };
  frames.set(slot, frame);
  image.addEventListener("error", () => { image.hidden = true; });

  // Dropping a file on the frame needs no code: it is dropped on the input.
  input.addEventListener("change", async () => {
    const [file] = input.files;
    if (!file) return;
    frame.reset();
    image.src = URL.createObjectURL(file);
    image.hidden = false;
    frame.show("checking");
    onChange();
    await sendPhoto(slot, file, frame);
    onChange();
  });
  out.addEventListener("click", async () => {
    try {
      await api.remove(`/v1/reference-sets/${set}/photos/${slot}`);
      frame.reset();
      input.focus();
      tell(say("removed"));
    } catch (error) {
      refuse(at("step-photos"), error);
    }
    onChange();
  });
  return item;
}

async function sendPhoto(slot, file, frame) {
  const place = at("step-photos");
  clear(place);
  try {
    // Two frames at once must not make two sets.
    making ??= set ? Promise.resolve({ id: set }) : api.post("/v1/reference-sets", {});
    set = (await making).id;
    let photo = await api.put(`/v1/reference-sets/${set}/photos/${slot}`, file);
    while (photo.state === "checking") {
      await new Promise((wake) => setTimeout(wake, PAUSE));
      photo = (await api.get(`/v1/reference-sets/${set}`)).photos.find((one) => one.slot === slot) || { state: "expired" };
    }
    if (photo.state === "accepted") frame.show("accepted", photo);
    else frame.show("refused", photo);
  } catch (error) {
    if (!(error instanceof api.Refused)) throw error;
    if (!set) making = null;
    frame.show("refused", { detail: error.message });
    if (error.status === 401) refuse(place, error);
  }
}
