// Who one is: signing up and in, codes that come by mail, a password that was forgotten, devices.

import * as api from "./api.js";
import { act, at, clear, complete, el, refuse, tell } from "./dom.js";
import { say, when } from "./words.js";

const form = at("account-form");
const codes = at("code-form");
let mode = "signup";
// Which code is waited for, and where it was sent.
let step = null;

export function setMode(wanted = mode) {
  mode = wanted;
  clear(form);
  for (const button of form.querySelectorAll(".switch [data-mode]")) button.setAttribute("aria-pressed", String(button.dataset.mode === wanted));
  for (const part of form.querySelectorAll("[data-only]")) part.hidden = !part.dataset.only.split(" ").includes(wanted);
  const word = { signup: "sign_up", login: "sign_in", forgot: "send_code" }[wanted];
  at("account-go").dataset.say = word;
  at("account-go").textContent = say(word);
  at("password").autocomplete = wanted === "signup" ? "new-password" : "current-password";
}

function showCode(wanted) {
  step = wanted;
  form.hidden = wanted !== null;
  codes.hidden = wanted === null;
  codes.reset();
  clear(codes);
  if (!wanted) return;
  at("code-lede").textContent = say("code_sent", wanted.email);
  at("code-email").value = wanted.email;
  at("code-password").hidden = wanted.flow === "verify_email";
  at("code-again").hidden = wanted.flow !== "verify_email";
  at("code").focus();
}

export function wireAccount(onEntered) {
  // What every way in comes to: a session, or a code that must be typed first.
  const go = async (email, pending) => {
    if (pending) return showCode({ email, flow: pending });
    showCode(null);
    form.reset();
    await onEntered();
  };
  form.addEventListener("click", (event) => {
    if (event.target.dataset.mode) setMode(event.target.dataset.mode);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!complete(form)) return;
    act(form, at("account-go"), async () => {
      const { email, password, region, is_adult } = form.elements;
      const person = { email: email.value, password: password.value, region: region.value, is_adult: is_adult.checked };
      const asked = { signup: () => api.signUp(person), login: () => api.signIn(email.value, password.value), forgot: () => api.forgotten(email.value) };
      await go(email.value, await asked[mode]());
    });
  });
  codes.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!complete(codes)) return;
    const { key, password } = codes.elements;
    act(codes, at("code-go"), async () => {
      const typed = key.value.trim();
      const asked = step.flow === "verify_email" ? api.verify(typed) : api.reset(typed, password.value);
      await go(step.email, await asked);
    });
  });
  at("code-again").addEventListener("click", () => act(codes, at("code-again"), async () => {
    await api.again();
    tell(say("code_sent", step.email));
  }));
  at("code-back").addEventListener("click", () => { showCode(null); at("email").focus(); });
}

// Where the person is signed in; any but this one can be ended.
export async function loadDevices() {
  const rows = await api.get("/v1/me/sessions");
  at("device-list").replaceChildren(...rows.map((row) => {
    const said = say(row.current ? "device_here" : "device_other", when(row.created_at), when(row.seen_at));
    if (row.current) return el("li", { textContent: said });
    const end = el("button", { type: "button", className: "quiet", textContent: say("device_end") });
    end.setAttribute("aria-label", `${say("device_end")}: ${said}`);
    end.addEventListener("click", () => act(at("step-data"), end, async () => {
      await api.end(row.id);
      tell(say("device_ended"));
      await loadDevices();
    }));
    return el("li", {}, el("span", { textContent: said }), end);
  }));
}

export function wireDevices() {
  at("devices").addEventListener("toggle", () => {
    if (at("devices").open) loadDevices().catch((error) => refuse(at("step-data"), error));
  });
}
