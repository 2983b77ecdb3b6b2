// Somebody who does not exist, from choices: no photo, and so no consent.

import * as api from "./api.js";
import { at, el } from "./dom.js";
import { language, say } from "./words.js";

let from = "photos";
let signed = false;

export const fromChoices = () => from === "choices";

// Photos need a consent; choices never do.
export function allowPhotos(allowed) {
  signed = allowed;
  setFrom(allowed ? "photos" : "choices");
}

export function setFrom(wanted = from) {
  from = wanted;
  for (const button of document.querySelectorAll("[data-from]")) {
    button.setAttribute("aria-pressed", String(button.dataset.from === from));
    button.disabled = button.dataset.from === "photos" && !signed;
  }
  at("choices").hidden = !fromChoices();
  at("from-hint").textContent = signed ? "" : say("sign_first");
  if (fromChoices()) draw().catch(() => {});
}

let drawn = null;

// Drawn when it is first wanted, and anew in another language; what was chosen stays chosen.
async function draw() {
  if (drawn === language) return;
  drawn = language;
  const [{ CHOICES }, told] = await Promise.all([import("./choice-words.js"), api.get("/v1/prompt-choices")]);
  const names = CHOICES[language];
  const chosen = prompt();
  at("words").maxLength = told.words_max_length;
  at("choice-fields").replaceChildren(...Object.entries(told.choices).map(([name, values]) => {
    const select = el("select", { id: `choice-${name}` }, ...values.map((value) => el("option", { value, textContent: names[value] || value })));
    select.dataset.choice = name;
    if (values.includes(chosen[name])) select.value = chosen[name];
    return el("div", { className: "field" }, el("label", { htmlFor: select.id, textContent: names[`${name}_label`] || names[name] || name }), select);
  }));
}

// What was chosen; words only where a style reads them.
export function prompt() {
  const made = {};
  for (const select of document.querySelectorAll("[data-choice]")) made[select.dataset.choice] = select.value;
  if (!at("words-field").hidden && at("words").value.trim()) made.words = at("words").value.trim();
  return made;
}

export function wireChoices() {
  for (const button of document.querySelectorAll("[data-from]")) button.addEventListener("click", () => setFrom(button.dataset.from));
}
