// Small helpers for elements. Text goes in as text: nothing on this page is ever parsed as HTML.

import { Refused } from "./api.js";

export const at = (id) => document.getElementById(id);

export function el(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children.filter((child) => child !== null));
  return made;
}

const status = at("status");
let quiet;
export function tell(sentence) {
  status.textContent = sentence;
  clearTimeout(quiet);
  quiet = setTimeout(() => { status.textContent = ""; }, 6000);
}

// Shows a refusal where it belongs: at its field if it has one here, and as a sentence in any case.
export function refuse(place, error) {
  clear(place);
  if (!(error instanceof Refused)) throw error;
  place.querySelector(".refusal").textContent = error.message;
  const field = error.errors.map((one) => one.attr && place.querySelector(`[name="${CSS.escape(one.attr)}"]`)).find(Boolean);
  if (field) {
    field.setAttribute("aria-invalid", "true");
    field.focus();
  }
}

export function clear(place) {
  place.querySelector(".refusal").textContent = "";
  for (const field of place.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
}

// Says what is missing before anything is sent; true if nothing is.
export function complete(form) {
  const field = [...form.elements].find((one) => one.willValidate && !one.checkValidity() && one.offsetParent);
  if (!field) return true;
  form.querySelector(".refusal").textContent = field.validationMessage;
  field.setAttribute("aria-invalid", "true");
  field.focus();
  return false;
}

// Runs what a form or a button asks for: once at a time, with its refusal shown beside it.
export async function act(place, button, work) {
  if (button.disabled) return;
  button.disabled = true;
  try {
    clear(place);
    await work();
  } catch (error) {
    refuse(place, error);
  } finally {
    button.disabled = false;
  }
}

export function stage(name, state, done = "") {
  const step = at(`step-${name}`);
  step.dataset.state = state;
  const line = at(`${name}-done`);
  if (line) {
    line.hidden = !done;
    line.textContent = done;
  }
}

export const download = (url, name) => el("a", { href: url, download: name }).click();
